"""Locks records through the door, one for each line `id delay` on its input; answers with the version of the lock."""

import os
import sys
import time

import django


def main() -> None:
    """Lock until the input closes."""
    from entry.door import set_lock
    from subjects.models import PriorTransplant
    from trial import audit
    from trial.models import Person
    from trial.people import actor_for

    manager = actor_for(Person.objects.get(username="data_manager_qian"))
    assert manager is not None
    print("ready", flush=True)
    for line in sys.stdin:
        key, delay = line.split()
        with audit.reading(manager):
            record = PriorTransplant.objects.get(pk=key)
        print("set", flush=True)
        sys.stdin.readline()
        time.sleep(float(delay))
        print(set_lock(record, "LOCKED", by=manager, reason="drill").version, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main()
