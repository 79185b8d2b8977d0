"""People and tokens for the drills; prints the tokens by site, and one that may pull from every site."""

import json
import os
from datetime import timedelta

import django


def main() -> None:
    """Enter the cast and mint tokens. Runs as the owner."""
    from exchange.tokens import mint
    from tests.cast import enter_the_cast
    from trial.models import Person

    enter_the_cast()
    holders = {"01": "coordinator_li", "02": "coordinator_elsewhere", "pull": "statistician_sun"}
    day = timedelta(days=1)
    print(
        json.dumps(
            {k: mint(Person.objects.get(username=v), expiry=day, label="drill") for k, v in holders.items()}
        )
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main()
