"""Verdicts that are kept: evaluated when a milestone is reached, written only when they change, frozen when signed."""

import html
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.test import RequestFactory

from dosing.models import Apheresis, Infusion, Lymphodepletion
from entry.door import set_lock
from entry.eligibility import outcome_of
from entry.signing import SignatureRefused, sign
from review.models import Query
from safety.casebook import Casebook
from safety.eligibility import milestones, stored
from safety.eligibility.evaluate import CRITERION_IDS, MILESTONES
from safety.engine import evaluate
from safety.models import EligibilityResult
from subjects import models as s
from subjects.checklist import EXCLUSIONS, INCLUSIONS
from tests.api_client import Api, exact
from tests.books import at
from tests.cast import PASSWORD
from tests.entering import correct, enter
from tests.test_eligibility_criteria import SCREENED, casebook, changed, forms
from trial import audit
from trial.people import system_actor
from trial.protocol import V1
from trial.registry import CRITERIA
from visits import models as v

ADMITTED: dict[str, Any] = {**dict.fromkeys(INCLUSIONS, "MET"), **dict.fromkeys(EXCLUSIONS, "NOT_MET")}


def checklist(milestone: str = "SCREENING", day: date = SCREENED, **answers: Any) -> s.Eligibility:
    """The investigator's checklist: everything admits, unless said otherwise."""
    return s.Eligibility(milestone=milestone, assessed_date=day, status="COMPLETE", **{**ADMITTED, **answers})


def verdicts(book: Casebook, milestone: str = "SCREENING") -> dict[str, dict[str, Any]]:
    """What would be stored of a milestone, by criterion."""
    return {key[1]: wanted for key, wanted in stored.wanted_rows(book, V1, milestone, {})}


# --- which milestones, and as of which day -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("added", "reached"),
    [
        ([], 1),
        ([s.Eligibility(milestone="SCREENING", assessed_date=SCREENED, overall="ELIGIBLE")], 2),
        ([s.Eligibility(milestone="SCREENING", assessed_date=SCREENED, overall="INELIGIBLE")], 1),
        ([Apheresis(aph_start_dt=at("2026-05-25"))], 3),
        ([Lymphodepletion(admin_dt=at("2026-06-10"), planned_day=-5)], 4),
        ([Infusion(inf_start_dt=at("2026-06-15"))], 4),
    ],
)
def test_a_milestone_is_judged_once_it_is_in_reach(added: list[Any], reached: int) -> None:
    assert milestones.in_reach(casebook(*added)) == MILESTONES[:reached]


def test_nothing_is_judged_before_consent() -> None:
    assert milestones.in_reach(casebook(without="consent")) == ()


@pytest.mark.parametrize(
    ("added", "day"),
    [
        ([], date(2026, 6, 30)),  # today
        ([checklist()], SCREENED),
        ([checklist(), checklist(day=date(2026, 5, 22))], date(2026, 5, 22)),  # the newest counts
        ([Apheresis(aph_start_dt=at("2026-05-25"))], date(2026, 5, 25)),
        ([s.EndOfStudy(phase="STUDY", date=date(2026, 5, 23))], date(2026, 5, 23)),
    ],
)
def test_the_day_a_milestone_is_judged_on(added: list[Any], day: date) -> None:
    assert milestones.as_of(casebook(*added), "SCREENING") == day


# --- what is stored ----------------------------------------------------------------------------------------------


def test_every_criterion_is_stored_with_rows_values_units_ranges_and_versions() -> None:
    found = verdicts(casebook(checklist()))
    assert tuple(found) == CRITERION_IDS and len(found) == 29
    assert {one: w["verdict"] for one, w in found.items()} == {
        **{c: "MET" if c.startswith("I") else "NOT_MET" for c in CRITERION_IDS},
        "I-08": "NOT_YET",
    }
    organ = found["I-04"]
    assert (
        organ["as_of"] == SCREENED and organ["protocol_version"] == "1.0" and organ["rule_version"] == "1.2"
    )
    alt = next(f for f in organ["evidence"]["facts"] if f["name"] == "alt")
    assert (alt["value"], alt["unit"], alt["form"], alt["day"]) == ("30", "U/L", "chemistry", "2026-05-18")
    assert alt["record"] and alt["range"] == {"low": None, "high": "40"}
    assert [p["verdict"] for p in organ["evidence"]["parts"]] == ["MET"] * 4


@pytest.mark.parametrize(
    ("form", "values", "criterion", "verdict"),
    [
        ("marrow", {"blast_pct_morph": 5}, "I-03", "MET"),
        ("marrow", {"blast_pct_morph": "4.99"}, "I-03", "NOT_MET"),
        ("marrow", {"aspirate_adequate": False}, "I-03", "UNKNOWN"),
        ("lungs", {"spo2_pct": 92}, "I-04", "MET"),
        ("lungs", {"spo2_pct": 91}, "I-04", "NOT_MET"),
        ("lungs", {"room_air": False}, "I-04", "UNKNOWN"),
        ("judgement", {"tcell_expansion_qualified": "QUALIFIED"}, "I-08", "MET"),
        ("judgement", {"tcell_expansion_qualified": "NOT_QUALIFIED"}, "I-08", "NOT_MET"),
        ("judgement", {"tcell_expansion_qualified": "PENDING"}, "I-08", "NOT_YET"),
        ("serology", {"hiv_ab": "POSITIVE"}, "E-07", "MET"),
        ("serology", {"hiv_ab": ""}, "E-07", "UNKNOWN"),
    ],
)
def test_three_values_at_the_limit(form: str, values: dict[str, Any], criterion: str, verdict: str) -> None:
    from decimal import Decimal

    made = {k: Decimal(x) if k in ("blast_pct_morph", "spo2_pct") else x for k, x in values.items()}
    book = changed(form, **made)
    told = verdicts(replace(book, rows={**book.rows, s.Eligibility: [checklist()]}))[criterion]
    assert told["verdict"] == verdict
    if verdict == "UNKNOWN":
        assert told["evidence"].get("lacking") or told["evidence"].get("parts") or told["reason_en"]


def test_expansion_is_awaited_no_longer_at_lymphodepletion() -> None:
    book = casebook(
        checklist(), checklist("PRE_LD", date(2026, 6, 10)), Apheresis(aph_start_dt=at("2026-05-25"))
    )
    assert verdicts(book, "PRE_LD")["I-08"]["verdict"] == "UNKNOWN"
    told = verdicts(book, "PRE_LD")
    assert told["I-03"]["asked"] is False and told["I-04"]["asked"] is True


def test_what_is_missing_says_where_to_enter_it() -> None:
    told = verdicts(casebook(checklist(), without="echo"))["I-04"]["evidence"]
    gaps = {gap["name"]: gap for gap in told["lacking"]}
    assert (gaps["lvef_pct"]["form"], gaps["lvef_pct"]["field"], gaps["lvef_pct"]["why"]) == (
        "echo",
        "lvef_pct",
        "missing",
    )


@pytest.mark.parametrize(
    ("sct", "earliest", "verdict"),
    [
        ("2026-03-20", ("2026-06-20", "2026-06-20"), "UNKNOWN"),
        ("2025-11-30", ("2026-02-28", "2026-02-28"), "UNKNOWN"),
        ("2026-03", ("2026-06-01", "2026-06-30"), "UNKNOWN"),
        ("2026", ("2026-04-01", "2027-03-31"), "UNKNOWN"),
    ],
)
def test_the_earliest_infusion_after_a_transplant(sct: str, earliest: tuple[str, str], verdict: str) -> None:
    transplant = s.PriorTransplant(
        sct_date=sct,
        sct_type="ALLO",
        bm_relapse_after_sct="YES",
        gvhd_active_at_consent="NO",
        status="COMPLETE",
    )
    told = verdicts(casebook(transplant, checklist()))["I-01"]
    assert told["verdict"] == verdict  # no infusion is planned
    assert tuple(told["evidence"]["earliest_infusion"].values()) == earliest


def test_without_a_transplant_no_infusion_is_too_early() -> None:
    assert "earliest_infusion" not in verdicts(casebook(checklist()))["I-01"]["evidence"]


@pytest.mark.parametrize(
    ("computed", "answered", "signed", "outcome"),
    [
        ("ELIGIBLE", "ELIGIBLE", True, "ELIGIBLE"),
        ("ELIGIBLE", "ELIGIBLE", False, "UNKNOWN"),
        ("INELIGIBLE", "ELIGIBLE", True, "INELIGIBLE"),
        ("ELIGIBLE", "INELIGIBLE", True, "INELIGIBLE"),
        ("UNKNOWN", "ELIGIBLE", True, "UNKNOWN"),
        ("ELIGIBLE", "", False, "UNKNOWN"),
    ],
)
def test_nothing_waives_a_failure(computed: str, answered: str, signed: bool, outcome: str) -> None:
    assert outcome_of(computed, answered, signed) == outcome


# --- in the database ---------------------------------------------------------------------------------------------


@pytest.fixture
def screened(subject: Any, li: Any) -> dict[str, Any]:
    """The eligible subject's forms, stored as they are; without the checklist."""
    made = forms()
    with audit.transaction(li, "a subject is screened"):
        for form in made.values():
            form.subject, form.site_id = subject, subject.site_id
            form.visit = form.visit if form.repeats in ("visit", "rows") else ""
            form.save(force_insert=True)
    return made


@pytest.fixture
def listed(subject: Any, screened: Any, actor: Any) -> Any:
    """The investigator's complete checklist of screening, entered through the door."""
    answers = {**ADMITTED, "milestone": "SCREENING", "assessed_date": str(SCREENED)}
    kang = actor("investigator_kang")
    record = enter(subject, s.Eligibility, kang, status="COMPLETE", **answers).record
    run(subject)
    return record


def run(subject: Any) -> None:
    """What the worker does."""
    evaluate(subject.pk, by=system_actor())


def kept(li: Any, subject: Any, milestone: str = "SCREENING") -> dict[str, EligibilityResult]:
    with audit.reading(li):
        rows = EligibilityResult.objects.filter(subject=subject, milestone=milestone)
        return {row.criterion: row for row in rows}


def approve(record: Any, actor: Any) -> Any:
    """The investigator signs the checklist."""
    request = RequestFactory().post("/")
    kang = actor("investigator_kang")
    return sign(
        record,
        "ELIGIBILITY",
        by=kang,
        username="investigator_kang",
        password=PASSWORD,
        seen=record.version,
        request=request,
    )


@pytest.mark.django_db
def test_only_transitions_are_written(subject: Any, listed: Any, screened: Any, li: Any) -> None:
    decided = {c: r.decided_at for c, r in kept(li, subject).items()}
    before = {c: r.version for c, r in kept(li, subject).items()}
    assert len(before) == 29
    for _ in range(2):
        run(subject)
    assert {c: r.version for c, r in kept(li, subject).items()} == before
    correct(screened["ecog"], li, ecog="2", seen=1)
    run(subject)
    after = kept(li, subject)
    moved = {c for c in after if after[c].version != before[c]}
    assert moved == {"I-09"} and after["I-09"].verdict == "NOT_MET"
    assert {c for c in after if after[c].decided_at > decided[c]} == {"I-09"}


@pytest.mark.django_db
@pytest.mark.req("R-38")
def test_a_signed_set_keeps_its_evidence_and_shows_what_changed(
    subject: Any, listed: Any, screened: Any, li: Any, actor: Any, person_client: Any
) -> None:
    signature = approve(listed, actor)
    signed = kept(li, subject)
    assert {r.signature_id for r in signed.values()} == {signature.pk}
    correct(screened["ecog"], li, ecog="2", seen=1)
    run(subject)
    after = kept(li, subject)
    assert (after["I-09"].verdict, after["I-09"].verdict_now) == ("MET", "NOT_MET")
    assert (
        after["I-09"].evidence == signed["I-09"].evidence
        and after["I-09"].reason_en == signed["I-09"].reason_en
    )
    assert after["I-09"].decided_at == signed["I-09"].decided_at  # what was signed was decided then
    with audit.reading(li):
        told = stored.stored_verdicts([subject.pk])[subject.pk]
    assert len(told) == 29 * 2  # screening, and the milestone after it
    assert {told["SCREENING", one] for one in ("I-09", "I-10")} == {"NOT_MET", "MET"}
    assert "changed since signed: Not met" in words(person_client("coordinator_li"), subject)
    correct(screened["ecog"], li, ecog="1", seen=2)
    run(subject)
    assert kept(li, subject)["I-09"].verdict_now == ""


@pytest.mark.django_db
@pytest.mark.req("R-38")
def test_a_signature_on_the_next_milestone_leaves_a_locked_set_as_it_was_signed(
    subject: Any, listed: Any, screened: Any, li: Any, actor: Any
) -> None:
    signature = approve(listed, actor)
    set_lock(listed, "LOCKED", by=actor("data_manager_qian"), reason="interim analysis")
    correct(screened["ecog"], li, ecog="2", seen=1)
    answers = {**ADMITTED, "i_09": "NOT_MET", "milestone": "PRE_APHERESIS"}
    kang = actor("investigator_kang")
    later = enter(
        subject, s.Eligibility, kang, status="COMPLETE", assessed_date="2026-03-06", **answers
    ).record
    approve(later, actor)
    row = kept(li, subject)["I-09"]
    assert (row.verdict, row.verdict_now, row.signature_id) == ("MET", "NOT_MET", signature.pk)


@pytest.mark.django_db
def test_a_changed_checklist_is_open_again(
    subject: Any, listed: Any, screened: Any, li: Any, actor: Any
) -> None:
    approve(listed, actor)
    correct(listed, actor("investigator_kang"), seen=1, i_09="UNKNOWN")
    correct(screened["ecog"], li, ecog="2", seen=1)
    run(subject)
    row = kept(li, subject)["I-09"]
    assert (row.verdict, row.verdict_now, row.signature_id) == ("NOT_MET", "", None)


@pytest.mark.django_db
@pytest.mark.parametrize("ecog", ["2", None])
def test_eligible_is_not_signed_where_the_data_do_not_say_so(
    ecog: str | None, subject: Any, listed: Any, screened: Any, li: Any, actor: Any
) -> None:
    """Failed or not known: the approval step is refused, the truth is not."""
    with audit.transaction(li, "corrected"):
        v.Ecog.objects.filter(pk=screened["ecog"].pk).update(ecog=ecog)
    with pytest.raises(SignatureRefused, match="not_eligible") as refused:
        approve(listed, actor)
    assert refused.value.problem.value == "I-09" and "There are no waivers" in str(
        refused.value.problem.message
    )
    answers = {**ADMITTED, "i_09": "NOT_MET"}
    honest = correct(listed, actor("investigator_kang"), **answers).record
    assert honest.overall == "INELIGIBLE" and approve(honest, actor).meaning == "ELIGIBILITY"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sct", "planned", "said"),
    [
        ("2026-03-20", "2026-06-20", ""),
        ("2026-03-20", "2026-06-19", "too early"),
        ("2026-03-20", "", "No infusion is planned yet"),
        ("2026-03", "2026-06-30", ""),  # late enough after every day of March
        ("2026-03", "2026-06-29", "it cannot be told"),
        ("2026-03", "2026-05-31", "too early"),
    ],
)
def test_after_a_transplant_eligible_is_signed_for_a_planned_infusion_that_is_late_enough(
    sct: str, planned: str, said: str, subject: Any, screened: Any, li: Any, actor: Any, person_client: Any
) -> None:
    with audit.transaction(li, "a transplant"):
        s.DiseaseHistory.objects.filter(pk=screened["disease"].pk).update(prior_allo_sct="YES")
    answers = {"sct_type": "ALLO", "bm_relapse_after_sct": "YES", "gvhd_active_at_consent": "NO"}
    enter(subject, s.PriorTransplant, li, sct_date=sct, **answers)
    told = {**ADMITTED, "milestone": "SCREENING", "assessed_date": str(SCREENED)}
    listed = enter(
        subject,
        s.Eligibility,
        actor("investigator_kang"),
        status="COMPLETE",
        planned_infusion_date=planned,
        **told,
    ).record
    run(subject)
    page = words(person_client("investigator_kang"), subject)
    assert "Earliest permissible infusion: 2026-06-" in page
    if not said:
        assert "not too early" in page and approve(listed, actor).meaning == "ELIGIBILITY"
        return
    assert said in page
    with pytest.raises(SignatureRefused, match="not_eligible") as refused:
        approve(listed, actor)
    assert refused.value.problem.value == "I-01"


@pytest.mark.django_db
def test_answer_and_data_that_differ_open_one_query_with_both(
    subject: Any, listed: Any, screened: Any, li: Any, actor: Any
) -> None:
    correct(screened["ecog"], li, ecog="2", seen=1)
    run(subject)
    run(subject)
    with audit.reading(li):
        (query,) = Query.objects.filter(record_id=listed.pk, source="AUTO")
    assert (query.field, query.status, query.value) == ("i_09", "OPEN", "MET/NOT_MET")
    assert "answered “Met”, the data say “Not met”" in query.text_en and "ECOG 2" in query.text_en
    record = correct(
        listed, actor("investigator_kang"), seen=1, discordance_reason="I-09: typing error"
    ).record
    with audit.reading(li):
        assert Query.objects.get(pk=query.pk).status == "OPEN"  # saving the form does not close it
    correct(record, actor("investigator_kang"), i_09="NOT_MET")
    run(subject)
    with audit.reading(li):
        assert Query.objects.get(pk=query.pk).status == "CLOSED"


@pytest.mark.django_db
def test_what_decides_nothing_opens_a_query_and_closes_it_with_its_cause(
    subject: Any, listed: Any, li: Any
) -> None:
    answers = {"vs_dt": "2026-05-20T08:00", "timepoint": "VISIT", "temp_c": "38.6"}
    signs = enter(subject, v.VitalSigns, li, visit="SCR", **answers).record
    run(subject)
    run(subject)
    with audit.reading(li):
        (query,) = Query.objects.filter(record_id=listed.pk, source="AUTO")
    assert (query.field, query.status, query.check_id) == ("e_06", "OPEN", "computed.eligibility.asked")
    assert "38.6 °C (2026-05-20) within 72 hours" in query.text_en and "38.6 °C(2026-05-20)" in query.text_zh
    correct(signs, li, temp_c="36.8")
    run(subject)
    with audit.reading(li):
        assert Query.objects.get(pk=query.pk).status == "CLOSED"


# --- the page and the API ----------------------------------------------------------------------------------------


def words(browser: Any, subject: Any, language: str = "en") -> str:
    browser.cookies["edc_language"] = language
    answer = browser.get(f"/subjects/{subject.subjid}/eligibility")
    assert answer.status_code == 200
    plain = html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))
    return re.sub(r"\s+", " ", plain)


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_shows_29_rows_word_for_word_and_no_waiver(
    language: str, subject: Any, listed: Any, screened: Any, person_client: Any
) -> None:
    browser = person_client("investigator_kang")
    told = words(browser, subject, language)
    for one in CRITERIA:
        assert re.sub(r"\s+", " ", one.text) in told
    page = browser.get(f"/subjects/{subject.subjid}/eligibility").content.decode()
    assert len(re.findall(r'<tr id="[IE]-\d\d" class="criterion">', page)) == 29
    assert {"en": "There are no waivers", "zh-hans": "不允许豁免"}[language] in told
    assert {"en": "Sign this milestone", "zh-hans": "签署该节点"}[language] in told
    assert {"en": "provisional reading", "zh-hans": "解读待批准"}[language] in told
    assert f'href="/records/chemistry/{screened["chemistry"].pk}?field=alt_value"' in page


@pytest.mark.django_db
def test_a_checklist_opened_from_a_milestone_is_of_that_milestone(
    subject: Any, screened: Any, person_client: Any
) -> None:
    run(subject)
    browser = person_client("coordinator_li")
    page = browser.get(f"/subjects/{subject.subjid}/eligibility").content.decode()
    address, milestone = re.findall(r'href="([^"]*\?milestone=(\w+))"', page)[-1]
    chosen = r'value="{}"[^>]*(?:checked|selected)'
    assert re.search(chosen.format(milestone), browser.get(address).content.decode())
    plain = browser.get(address.replace(milestone, "NEVER")).content.decode()
    assert not re.search(chosen.format(milestone), plain)


@pytest.mark.django_db
def test_the_subjects_page_leads_here_and_other_sites_find_nothing(
    subject: Any, listed: Any, person_client: Any
) -> None:
    there = f"/subjects/{subject.subjid}/eligibility"
    assert there in person_client("coordinator_li").get(f"/subjects/{subject.subjid}").content.decode()
    assert person_client("coordinator_elsewhere").get(there).status_code == 404


@pytest.mark.django_db
def test_the_api_gives_everything(subject: Any, listed: Any, make_token: Any, actor: Any) -> None:
    api = Api(make_token("coordinator_li"))
    whole = exact(api.get(f"subjects/{subject.subjid}/eligibility/"))
    assert [m["milestone"] for m in whole["milestones"]] == list(MILESTONES)
    first = whole["milestones"][0]
    assert (first["computed"], first["answered"], first["outcome"]) == ("ELIGIBLE", "ELIGIBLE", "UNKNOWN")
    assert len(whole["criteria"]) == 29
    organ = next(c for c in whole["criteria"] if c["criterion"] == "I-04")
    cell = organ["milestones"][0]
    assert (cell["verdict"], cell["answer"], cell["discordant"]) == ("MET", "MET", False)
    assert {"facts", "limit", "parts"} <= set(cell["evidence"]) and cell["rule_version"] == "1.2"
    assert organ["basis"] == "registry" and "AR-05" in organ["provisional"]
    assert organ["milestones"][3] == {"milestone": "PRE_INFUSION", "verdict": "NOT_YET", "reached": False}
    rows = exact(api.get(f"eligibility/?subject={subject.subjid}&verdict=NOT_YET"))
    assert [r["criterion"] for r in rows if r["milestone"] == "SCREENING"] == ["I-08"]
    approve(listed, actor)
    signed = exact(api.get(f"subjects/{subject.subjid}/eligibility/"))["milestones"][0]
    assert signed["outcome"] == "ELIGIBLE" and signed["signature"]["name"] == "康医生 Dr Kang"
