"""Wherever a verdict, finding or derived value is shown that rests on a reading nobody approved, it says so."""

import re
from typing import Any

import pytest

from dosing.models import Infusion
from entry.casebook import read
from entry.casebook_shown import book_of
from exchange.printed import printed
from safety.derived.every import DERIVATIONS
from safety.engine import evaluate
from safety.models import Deviation
from safety.rules import RULES
from subjects.models import DiseaseHistory, PriorTransplant
from tests.api_client import Api, exact
from tests.cast import PASSWORD
from tests.entering import enter
from tests.printed import squeezed
from tests.test_casebook import on_paper
from trial import audit
from trial.ambiguity import READINGS, RESTING, named_by, open_for, readings_of
from trial.ambiguity_models import approvals, provisional
from trial.people import system_actor

READINGS_OF_DV_01 = ["AR-01", "AR-02"]


def test_what_rests_on_a_reading_exists() -> None:
    for one in READINGS:
        assert set(one.rules) <= set(RULES) and set(one.derivations) <= set(DERIVATIONS), one.id
        assert one.criteria or one.rules or one.derivations, one.id


def test_a_finding_rests_on_the_readings_of_its_rule_and_of_the_criterion_it_names() -> None:
    assert named_by("DV-01", "infusion:x") == ("DV-01",)
    assert named_by("DV-02", "criterion:I-01") == ("DV-02", "I-01")
    assert open_for({"DV-02": ["AR-09"], "I-01": ["AR-01", "AR-09"]}, ("DV-02", "I-01")) == ["AR-09", "AR-01"]


def test_the_printed_rules_name_their_readings() -> None:
    rules = printed()["rules.csv"].splitlines()
    assert rules[0].endswith(",readings")
    assert next(line for line in rules if line.startswith("DV-01,")).endswith(",AR-01;AR-02")
    assert next(line for line in rules if line.startswith("I-01,")).endswith(",AR-01;AR-02;AR-03")
    derived = printed()["derivations.csv"].splitlines()
    assert {line.rsplit(",", 1)[1] for line in derived if line.startswith("pfs,")} == {"AR-26"}


@pytest.fixture
def flagged(subject: Any, li: Any) -> Any:
    """A subject infused two months after a transplant, evaluated: DV-01, and DV-02 for I-01."""
    enter(subject, DiseaseHistory, li, prior_allo_sct="YES", relapse_after_first_remission="YES")
    enter(subject, PriorTransplant, li, sct_date="2026-01-16", sct_type="ALLO", bm_relapse_after_sct="YES")
    enter(subject, Infusion, li, inf_start_dt="2026-03-16 10:00")
    evaluate(subject.pk, by=system_actor())
    return subject


def approve(person_client: Any, *ids: str) -> None:
    sent = {"username": "investigator_kang", "password": PASSWORD, "reading": list(ids)}
    assert person_client("investigator_kang").post("/ambiguities", sent).status_code == 302


def marks(page: str, about: str) -> int:
    """How often a page marks something as provisional."""
    return len(re.findall(rf'class="chip provisional"[^>]*>[^<]*<span class="unseen"> {about}', page))


def looked_at(person_client: Any, subject: Any, flag: Deviation, record: Any) -> dict[str, int]:
    """The pages that show the finding, and how often each marks it."""
    site, review = person_client("coordinator_li"), person_client("monitor_wu")
    found = {}
    for browser, address in (
        (site, f"/subjects/{subject.subjid}"),
        (site, "/deviations"),
        (site, f"/deviations/{flag.pk}"),
        (site, f"/subjects/{subject.subjid}/casebook"),
        (site, f"/records/infusion/{record.pk}"),
        (review, f"/admin/safety/deviation/{flag.pk}/change/"),
        (review, f"/admin/dosing/infusion/{record.pk}/change/"),
        (site, "/rules"),
    ):
        answer = browser.get(address, follow=True)
        assert answer.status_code == 200, address
        found[address.split("/")[-2] if "admin" in address else address.split("/")[-1]] = marks(
            answer.content.decode(), "DV-01"
        )
    return found


@pytest.mark.django_db
def test_every_page_marks_the_finding_until_the_readings_are_approved(
    flagged: Any, person_client: Any, li: Any
) -> None:
    with audit.reading(li):
        flag = Deviation.objects.get(subject=flagged, rule_id="DV-01")
        record = Infusion.objects.get(subject=flagged)
    before = looked_at(person_client, flagged, flag, record)
    assert all(before.values()), before
    approve(person_client, "AR-01")
    assert all(looked_at(person_client, flagged, flag, record).values())  # the second is still open
    approve(person_client, "AR-02")
    after = looked_at(person_client, flagged, flag, record)
    assert not any(after.values()), after
    assert set(approvals()) == set(READINGS_OF_DV_01)


@pytest.mark.django_db
def test_the_printed_casebook_says_it_and_keeps_its_hash(flagged: Any, person_client: Any, li: Any) -> None:
    def filed() -> Any:
        with audit.snapshot(li):
            return read(flagged)

    before = filed()
    paper = squeezed(" ".join(on_paper(before, "en")))
    assert "provisionalreadingAR-01,AR-02" in paper and "registry;" in paper
    approve(person_client, *(one.id for one in READINGS))
    assert "provisionalreading" not in squeezed(" ".join(on_paper(filed(), "en")))
    assert filed().digest == before.digest, "an approval changes no record"
    assert all(not flag.provisional for flag in book_of(filed()).deviations)


@pytest.mark.django_db
def test_the_api_names_the_readings_that_are_open(flagged: Any, person_client: Any, make_token: Any) -> None:
    api = Api(make_token("coordinator_li"))

    def of(address: str, **wanted: str) -> list[dict[str, Any]]:
        return [one for one in exact(api.get(address)) if all(one[k] == v for k, v in wanted.items())]

    def told() -> tuple[Any, ...]:
        rows = of(f"deviations/?subject={flagged.subjid}&limit=1000")
        first = next(one for one in rows if one["rule"] == "DV-01")
        enrolled = next(
            one for one in rows if one["rule"] == "DV-02" and "I-01" in one["message"]["en"].split(" at ")[0]
        )
        (verdict,) = of(
            f"eligibility/?subject={flagged.subjid}&criterion=I-01&limit=100", milestone="PRE_INFUSION"
        )
        (rule,) = of("rules/", id="DV-01")
        single = exact(api.get(f"deviations/{first['id']}/"))["provisional"]
        return (
            *(first["provisional"], single, enrolled["provisional"], verdict["provisional"]),
            rule["provisional"],
        )

    assert told() == (
        *(READINGS_OF_DV_01, READINGS_OF_DV_01, ["AR-01", "AR-02", "AR-03"], ["AR-01", "AR-02", "AR-03"]),
        READINGS_OF_DV_01,
    )
    approve(person_client, "AR-01", "AR-03")
    assert told() == (["AR-02"],) * 5
    csv = api.get(f"deviations/?subject={flagged.subjid}&format=csv")
    lines = b"".join(csv.streaming_content).decode().splitlines()
    assert ",provisional," in lines[0] and any("AR-02" in line for line in lines[1:])


@pytest.mark.django_db
def test_derived_values_that_rest_on_a_reading_say_so(
    flagged: Any, person_client: Any, make_token: Any
) -> None:
    api = Api(make_token("coordinator_li"))
    window = next(
        one
        for one in exact(api.get(f"subjects/{flagged.subjid}/derived/"))["derivations"]
        if one["name"] == "dlt_window"
    )
    assert window["provisional"] == ["AR-27"] and window["readings"] == ["AR-27"]
    rows = exact(api.get(f"derivations/?subject={flagged.subjid}&name=dlt_window"))
    assert [one["provisional"] for one in rows] == [["AR-27"]]
    page = person_client("coordinator_li").get(f"/subjects/{flagged.subjid}/derived").content.decode()
    assert 'href="/ambiguities#AR-27"' in page
    assert exact(api.get("summary/response/"))["provisional"] == ["AR-25"]
    approve(person_client, "AR-27")
    rows = exact(api.get(f"derivations/?subject={flagged.subjid}&name=dlt_window"))
    assert [one["provisional"] for one in rows] == [[]]


@pytest.mark.django_db
def test_everything_is_provisional_until_somebody_looks() -> None:
    assert set(provisional()) == set(RESTING)
    assert all(provisional()[name] == [one.id for one in readings_of(name)] for name in RESTING)
