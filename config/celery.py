"""Celery rings the doorbell and keeps the hours; the work itself is remembered by the outbox."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("edc")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ("safety.tasks", "exchange.tasks")


@worker_init.connect  # Celery offers no other place to stop a worker before its first task
def _inspect(**kwargs: Any) -> None:
    from django.conf import settings

    from trial.heap import settle

    if settings.PRODUCTION:
        from trial.selfcheck import require

        require()
    settle()
