"""The trial app: after every migration, rights and row-level security are laid again."""

from typing import Any

from django.apps import AppConfig


class TrialConfig(AppConfig):
    """Definitions of the study."""

    name = "trial"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from trial import checks_system  # noqa: F401 - registers Django system checks

        post_migrate.connect(_protect, dispatch_uid="trial.integrity")


def _protect(sender: Any, using: str, **kwargs: Any) -> None:
    """The one signal of this project: Django's own hook for what must follow a migration."""
    if getattr(sender, "label", "") == "trial" and using == "default":
        from trial.integrity import install

        install()
