"""What every page shows at its top: the study, the environment, who acts in which role, and where."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from safety import banner
from safety.holds import CAUSE
from trial.access import ROLES, Act, Actor
from trial.ambiguity_models import provisional
from trial.sites import facts
from trial.text import T

STUDY = "ssCART-19 EDC"
REGISTRY = "NCT04825496"
ENVIRONMENTS = {
    "demo": T("DEMO — synthetic data only", "演练环境 — 仅含虚构数据"),
    "test": T("TEST — synthetic data only", "测试环境 — 仅含虚构数据"),
}


def study(request: HttpRequest) -> dict[str, Any]:
    """The context every template has."""
    actor: Actor | None = getattr(request, "actor", None)
    return {
        "study": STUDY,
        "registry": REGISTRY,
        "environment": ENVIRONMENTS.get(settings.ENV, ""),
        "html_lang": "zh-Hans" if (get_language() or "").startswith("zh") else "en",
        "here": request.get_full_path(),
        "actor": actor,
        "provisional": SimpleLazyObject(provisional),
        **(_acting(actor) if actor else {}),
    }


def _acting(actor: Actor) -> dict[str, Any]:
    return {
        "role": ROLES[actor.role],
        "roles": [ROLES[name] for name in actor.held if name in ROLES],
        "holds": [CAUSE.label(cause) for cause in banner.causes()],
        "where": SimpleLazyObject(lambda: _where(actor)),
        "may": {act.value: actor.may(act) for act in Act},
    }


def _where(actor: Actor) -> str:
    """The codes of the actor's sites; past three of them, how many."""
    if len(actor.sites) > 3:
        return str(T(f"{len(actor.sites)} sites", f"{len(actor.sites)} 个中心"))
    return ", ".join(facts(site).code for site in actor.sites)
