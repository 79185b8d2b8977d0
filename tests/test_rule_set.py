"""After a rule change: what is new, gone and unchanged is told before anything is applied, and nothing applies itself."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dosing.models import Infusion
from safety import rule_set
from safety.engine import evaluate
from safety.models import Deviation
from safety.rule_changes import counted, differences
from safety.rules import RULES
from safety.tasks import start_sweep
from subjects.models import PriorTransplant
from tests.entering import enter
from trial import audit
from trial.access import Forbidden
from trial.people import system_actor

pytestmark = [pytest.mark.django_db, pytest.mark.req("R-28")]


@pytest.fixture
def flagged(subject: Any, li: Any) -> Any:
    """A subject with DV-01, evaluated by the rules of today."""
    enter(subject, Infusion, li, inf_start_dt="2025-03-01 10:00")
    enter(subject, PriorTransplant, li, sct_date="2025-01-15", sct_type="ALLO")
    evaluate(subject.pk, by=system_actor())
    return subject


@pytest.fixture
def tomorrow(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A release that no longer knows DV-01's finding and finds something else by DV-03, in a study that asks first."""
    settings.RULES_APPLY = "wait"
    rule_set.apply(system_actor(), "the rules of today")
    monkeypatch.setitem(RULES, "DV-01", replace(RULES["DV-01"], check=lambda book, protocol: ()))
    monkeypatch.setattr(rule_set, "fingerprint", lambda: "f" * 64)


def said(*options: str) -> tuple[str, int]:
    """What the command prints, and its exit code."""
    out, code = io.StringIO(), 0
    try:
        call_command("rules_diff", *options, stdout=out)
    except CommandError as error:
        code = error.returncode
    return out.getvalue(), code


def test_rules_that_did_not_change_change_nothing(flagged: Any) -> None:
    text, code = said("--json")
    told = json.loads(text)
    assert (code, told["changes"]) == (0, [])
    assert told["rules"]["DV-01"] == {"new": 0, "gone": 0, "changed": 0, "unchanged": 1}


def test_the_difference_is_told_and_not_applied(flagged: Any, tomorrow: None, li: Any, actor: Any) -> None:
    assert said()[1] == 4 and said("--rule", "DV-03")[1] == 0
    found = counted(differences(system_actor()))
    assert found["DV-01"] == {"new": 0, "gone": 1, "changed": 0, "unchanged": 0}

    def dv01() -> str:
        with audit.reading(li):
            return str(Deviation.objects.get(subject_id=flagged.pk, rule_id="DV-01").status)

    assert start_sweep() == 0 and dv01() == "OPEN"  # the sweep waits
    with pytest.raises(Forbidden):
        rule_set.apply(li, "not mine to decide")
    rule_set.apply(actor("data_manager_qian"), "looked through with the medical monitor")
    assert start_sweep() >= 1 and dv01() == "CLEARED"
    assert said("--rule", "DV-01")[1] == 0


def test_a_saved_subject_is_evaluated_with_the_rules_that_run(flagged: Any, tomorrow: None, li: Any) -> None:
    evaluate(flagged.pk, by=system_actor())
    with audit.reading(li):
        assert Deviation.objects.get(subject_id=flagged.pk, rule_id="DV-01").status == "CLEARED"


def test_a_study_that_asks_for_it_applies_by_itself(flagged: Any, tomorrow: None, settings: Any) -> None:
    settings.RULES_APPLY = "auto"
    assert rule_set.status().changed and rule_set.may_sweep(system_actor()) and not rule_set.status().changed


def test_the_page_shows_the_difference_and_applies_it_with_a_reason(
    flagged: Any, tomorrow: None, person_client: Any
) -> None:
    page = person_client("data_manager_qian")
    assert flagged.subjid in page.get("/rules/changes").content.decode()
    assert page.post("/rules/changes", {"reason": " "}).status_code == 422 and rule_set.status().changed
    assert (
        page.post("/rules/changes", {"reason": "seen"}).status_code == 302 and not rule_set.status().changed
    )
    assert person_client("coordinator_li").get("/rules/changes").status_code == 403


def test_the_fingerprint_covers_every_rule_and_number() -> None:
    assert len(rule_set.fingerprint()) == 64 and rule_set.fingerprint() == rule_set.fingerprint()
