"""Stopping rules: which events hold enrolment, what a hold refuses and what it never refuses, and how it is lifted."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.test import RequestFactory

from dosing.models import Apheresis, DoseAllocation, Infusion, Manufacturing
from entry.door import Rejected
from entry.holding import review
from entry.signing import SignatureRefused, sign
from entry.verdicts import Stale
from safety import banner
from safety.adverse_events import AdverseEvent
from safety.engine import evaluate
from safety.holds import EnrolmentHold, HoldReview, standing
from safety.models import Deviation
from safety.rules import RULES
from safety.stopping import READS, causes, may_stop, severe
from safety.trialbook import TrialBook
from subjects.models import Death, Eligibility, Signature
from tests.api_client import Api, exact, problem
from tests.books import at, book
from tests.cast import PASSWORD, entitle
from tests.entering import correct, enter
from tests.test_eligibility_criteria import SCREENED, forms
from tests.test_eligibility_stored import ADMITTED, approve
from trial import audit
from trial.access import Forbidden
from trial.dates import utc_now
from trial.models import Assignment, Person
from trial.people import actor_for, system_actor
from trial.protocol import V1
from visits.models import CrsAssessment, IcansAssessment, SurvivalLtfu

INFUSED = Infusion(inf_start_dt=at("2026-03-16"))
RELATED = {"outcome": "FATAL", "rel_sscart19": "POSSIBLE", "end_dt": "2026-04-15"}
EVENTS: list[tuple[list[Any], list[str]]] = [
    ([Death(death_date="2026-04-15", related_to_sscart19="POSSIBLE")], ["DEATH"]),
    ([Death(death_date="2026-04-16", related_to_sscart19="POSSIBLE")], []),
    ([Death(death_date="2026-04", related_to_sscart19="RELATED")], ["DEATH"]),  # it may have been in time
    ([Death(death_date="2026-05", related_to_sscart19="RELATED")], []),
    ([Death(death_date="2026-04-15", related_to_sscart19="UNLIKELY")], []),
    ([AdverseEvent(**RELATED)], ["DEATH"]),
    ([AdverseEvent(**RELATED | {"rel_sscart19": "UNRELATED", "rel_ld": "PROBABLE"})], ["DEATH"]),
    ([AdverseEvent(**RELATED | {"rel_sscart19": "UNRELATED"})], []),
    ([AdverseEvent(**RELATED | {"outcome": "", "max_grade": 5})], ["DEATH"]),
    ([AdverseEvent(**RELATED), Death(death_date="2026-04-15", related_to_sscart19="RELATED")], ["DEATH"]),
    ([Manufacturing(rcl="POSITIVE")], ["RCL"]),
    ([Manufacturing(rcl="PENDING")], []),
    ([SurvivalLtfu(rcl_test="POSITIVE")], ["RCL"]),
    ([SurvivalLtfu(new_malignancy="YES")], ["MALIGNANCY"]),
    ([AdverseEvent(category="SECOND_MALIGNANCY"), SurvivalLtfu(new_malignancy="YES")], ["MALIGNANCY"]),
]


@pytest.mark.parametrize(("forms", "expected"), EVENTS)
def test_an_event_holds_enrolment_once(forms: list[Any], expected: list[str]) -> None:
    assert [cause.code for cause in causes(book(INFUSED, *forms), V1)] == expected


DEAD = {"death_date": "2026-04-15", "related_to_sscart19": "POSSIBLE"}


@pytest.mark.parametrize(
    ("form", "code", "key", "field", "value"),
    [
        (Death(**DEAD), "DEATH", "", "death_date", "2026-04-15"),
        (AdverseEvent(**RELATED), "DEATH", "", "outcome", "FATAL"),
        (Manufacturing(rcl="POSITIVE"), "RCL", "manufacturing", "rcl", "POSITIVE"),
        (SurvivalLtfu(rcl_test="POSITIVE"), "RCL", "survival_ltfu", "rcl_test", "POSITIVE"),
        (SurvivalLtfu(new_malignancy="YES"), "MALIGNANCY", "survival_ltfu", "new_malignancy", "YES"),
        (
            AdverseEvent(category="SECOND_MALIGNANCY", term="T-cell lymphoma"),
            "MALIGNANCY",
            "adverse_event",
            "term",
            "T-cell lymphoma",
        ),
    ],
)
def test_a_hold_names_the_answer_it_rests_on(form: Any, code: str, key: str, field: str, value: str) -> None:
    told = book(INFUSED, form)
    (cause,) = causes(told, V1)
    (fact,) = cause.facts
    assert (cause.code, fact.form, fact.record) == (code, form.form, form.pk)
    assert (fact.field, fact.value) == (field, value)
    assert cause.key == (f"{key}:{form.pk}" if key else f"subject:{told.subject_id}")
    assert may_stop(told, V1)


def test_nothing_that_stops_enrolment_without_an_event() -> None:
    contact = SurvivalLtfu(rcl_test="NEGATIVE", new_malignancy="NO")
    mild = AdverseEvent(category="INFECTION", max_grade=4, rel_sscart19="RELATED", outcome="RECOVERED")
    told = book(INFUSED, contact, mild, CrsAssessment(investigator_grade=None), Manufacturing(rcl="NEGATIVE"))
    assert not list(causes(told, V1)) and not severe(told, V1) and not may_stop(told, V1)


@pytest.mark.parametrize(
    ("infused", "died", "holds"),
    [
        (["2026-03-16"], "2026-03-15", False),  # before any infusion
        (["2026-03-16"], "2026-03-16", True),
        (["2026-03-16"], "2026-03", True),  # it may have been on or after the day
        (["2026-03-16"], "2026-02", False),
        (["2026-03-16"], "", True),  # not known at all: it may have been in time
        (["2026-03-16", "2026-04-20"], "2026-05-20", True),  # thirty days after the second
        (["2026-03-16", "2026-04-20"], "2026-05-21", False),
    ],
)
def test_a_death_counts_for_thirty_days_after_any_infusion(
    infused: list[str], died: str, holds: bool
) -> None:
    given = [Infusion(inf_start_dt=at(day)) for day in infused]
    told = book(*given, Death(death_date=died, related_to_sscart19="RELATED"))
    assert bool(list(causes(told, V1))) is holds


def test_a_fatal_event_without_an_end_counts_from_its_start() -> None:
    ongoing = RELATED | {"end_dt": "", "start_dt": "2026-04-15"}
    late = RELATED | {"end_dt": "2026-04-16", "start_dt": "2026-04-15"}
    assert list(causes(book(INFUSED, AdverseEvent(**ongoing)), V1))
    assert not list(causes(book(INFUSED, AdverseEvent(**late)), V1))


def test_severe_toxicity_names_the_first_assessment_of_grade_four() -> None:
    crs = [CrsAssessment(investigator_grade=grade) for grade in (None, 3, 4, 5)]
    icans = IcansAssessment(investigator_grade=4)
    event = AdverseEvent(category="CRS", max_grade=5)
    found = severe(book(INFUSED, *crs, icans, event), V1)
    told = {kind: (f.form, f.record, f.field, f.value) for kind, f in found.items()}
    assert told == {
        "CRS": ("crs_assessment", crs[2].pk, "investigator_grade", "4"),
        "ICANS": ("icans_assessment", icans.pk, "investigator_grade", "4"),
    }
    alone = severe(book(INFUSED, AdverseEvent(category="CRS"), event), V1)["CRS"]
    assert (alone.form, alone.record, alone.field, alone.value) == (
        "adverse_event",
        event.pk,
        "max_grade",
        "5",
    )
    assert may_stop(book(INFUSED, icans), V1)


def test_what_stops_enrolment_is_found_with_no_more_than_the_forms_that_are_read() -> None:
    """`Casebook.of` raises on a form that was not read."""
    bare = replace(book(), rows={form: [] for form in (Infusion, *READS)})
    assert not list(causes(bare, V1)) and not severe(bare, V1)


def test_a_death_without_an_infusion_holds_nothing() -> None:
    assert not list(causes(book(Death(death_date="2026-04-15", related_to_sscart19="RELATED")), V1))


def test_grade_four_counts_for_crs_and_icans_each_once() -> None:
    rows = [CrsAssessment(investigator_grade=grade) for grade in (3, 4, 4)]
    event = AdverseEvent(category="ICANS", max_grade=4)
    assert set(severe(book(INFUSED, *rows, event), V1)) == {"CRS", "ICANS"}
    assert not severe(book(INFUSED, *rows[:1], AdverseEvent(category="ICANS", max_grade=3)), V1)


@pytest.mark.parametrize(
    ("since", "until", "flagged"),
    [("2026-03-15", None, True), ("2026-03-15", "2026-03-16", False), ("2026-03-17", None, False)],
)
def test_who_is_infused_while_a_hold_stands_is_flagged(since: str, until: str | None, flagged: bool) -> None:
    held = TrialBook(holds=((at(since, "09:00"), at(until, "09:00") if until else None),))
    allocated = DoseAllocation(level="DL1")
    found = RULES["DV-47"](book(INFUSED, allocated, trial=held), V1)
    assert any("hold" in one.key for one in found) is flagged


@pytest.fixture
def gu(db: None) -> Iterator[Any]:
    """The sponsor's medical monitor, acting."""
    from django.contrib.auth.hashers import make_password

    person = Person.objects.filter(username="medical_monitor_gu").first()
    if person is not None:  # people outlive the tests that commit
        yield actor_for(person)
        return
    with audit.transaction(system_actor(), "a medical monitor joins"):
        person = Person(
            username="medical_monitor_gu",
            full_name="Gu",
            email="gu@example.invalid",
            password=make_password(PASSWORD),
        )
        person.save(force_insert=True)
        Assignment(person=person, role="medical_monitor", valid_from=date(2020, 1, 1)).save(force_insert=True)
        entitle(person)
    yield actor_for(person)


@pytest.fixture
def hold(subject: Any, li: Any) -> Any:
    """A hold by a death of the subject two weeks after its infusion."""
    enter(subject, Infusion, li, inf_start_dt="2026-03-16 10:00")
    enter(subject, Death, li, death_date="2026-03-30", related_to_sscart19="POSSIBLE")
    evaluate(subject.pk, by=system_actor())
    evaluate(subject.pk, by=system_actor())
    banner.forget()
    return standing().get()


Decide = Callable[..., EnrolmentHold]


@pytest.fixture
def decide(gu: Any, hold: Any) -> Decide:
    """The medical monitor reviews the hold."""

    def make(decision: str, by: Any = gu, seen: int = hold.version, **told: str) -> EnrolmentHold:
        named = {
            "username": "medical_monitor_gu",
            "password": PASSWORD,
            "rationale": "Reviewed with the board.",
        }
        request = RequestFactory().post("/holds")
        return review(hold.pk, decision, by=by, seen=seen, request=request, **named | told)

    return make


def test_a_hold_refuses_approvals_and_records_what_happens(
    hold: Any, new_subject: Any, li: Any, person_client: Any
) -> None:
    other = new_subject()
    with pytest.raises(Rejected) as refused:
        enter(other, DoseAllocation, li, level="DL1")
    assert [p.code for p in refused.value.problems] == ["enrolment_hold"]
    enter(other, Infusion, li, inf_start_dt="2026-11-01 10:00")
    with audit.transaction(system_actor(), "the event was found long ago"):
        EnrolmentHold.objects.update(raised_at=at("2026-04-01"))
    evaluate(other.pk, by=system_actor())
    with audit.reading(li):
        flag = Deviation.objects.get(subject_id=other.pk, rule_id="DV-47", key__contains="hold")
        assert flag.status == "OPEN"
    for person, sees in (("coordinator_li", True), ("coordinator_elsewhere", False)):
        page = person_client(person)
        text = page.get("/holds", headers={"accept-language": "en"}).content.decode()
        assert (
            text.count("Enrolment is on hold") == 1 and (f"/subjects/{hold.subject.subjid}" in text) is sees
        )
        assert (
            "Enrolment is on hold"
            in page.get("/subjects", headers={"accept-language": "en"}).content.decode()
        )


@pytest.fixture
def enrolled(new_subject: Any, li: Any, actor: Any) -> Any:
    """A checklist that says eligible, by the data as well, signed before any hold."""
    record = screened(new_subject(), li, actor)
    approve(record, actor)
    return record


@pytest.fixture
def unsigned(new_subject: Any, li: Any, actor: Any) -> Any:
    """The same of another subject, not signed yet when the hold is raised."""
    return screened(new_subject(), li, actor)


def screened(other: Any, li: Any, actor: Any) -> Any:
    """The complete checklist of a subject who satisfies every criterion."""
    with audit.transaction(li, "a subject is screened"):
        for form in forms().values():
            form.subject, form.site_id = other, other.site_id
            form.visit = form.visit if form.repeats in ("visit", "rows") else ""
            form.save(force_insert=True)
    answers = {**ADMITTED, "milestone": "SCREENING", "assessed_date": str(SCREENED)}
    return enter(other, Eligibility, actor("investigator_kang"), status="COMPLETE", **answers).record


def test_a_hold_lets_a_corrected_checklist_of_an_enrolled_subject_be_signed_again(
    enrolled: Any, unsigned: Any, hold: Any, actor: Any, li: Any
) -> None:
    """It stops new enrolments; the correction of an old checklist is none."""
    again = correct(enrolled, actor("investigator_kang"), discordance_reason="none: wording mended").record
    assert approve(again, actor).meaning == "ELIGIBILITY"
    with pytest.raises(SignatureRefused, match="enrolment_hold"):
        approve(unsigned, actor)
    enter(unsigned.subject, Apheresis, li, aph_start_dt="2026-05-25 09:00")  # it was let in before, unsigned
    assert approve(unsigned, actor).meaning == "ELIGIBILITY"


def test_who_was_eligible_only_by_a_checklist_that_said_otherwise_is_not_enrolled(
    unsigned: Any, hold: Any, actor: Any
) -> None:
    """A signed "not eligible", turned into "eligible" while the hold stands, is a new enrolment."""
    with audit.transaction(system_actor(), "the hold is raised later"):
        EnrolmentHold.objects.update(lifted_at=at("2026-06-01"))
    honest = correct(unsigned, actor("investigator_kang"), i_09="NOT_MET").record
    approve(honest, actor)
    with audit.transaction(system_actor(), "and stands again"):
        EnrolmentHold.objects.update(lifted_at=None, raised_at=utc_now())
    mended = correct(honest, actor("investigator_kang"), i_09="MET").record
    with pytest.raises(SignatureRefused, match="enrolment_hold"):
        approve(mended, actor)


def test_a_hold_lets_the_dose_of_a_subject_infused_before_be_recorded_and_signed(
    hold: Any, subject: Any, new_subject: Any, li: Any, actor: Any, gu: Any
) -> None:
    """The subject whose death raised the hold was dosed long before; its allocation was not entered yet."""
    allocation = enter(subject, DoseAllocation, li, status="COMPLETE", level="DL1").record
    sign_as_monitor(allocation, gu)
    again = correct(allocation, li, allocated_dt="2026-03-15 09:00").record
    assert sign_as_monitor(again, gu).meaning == "ALLOCATION"
    with pytest.raises(Rejected):
        enter(new_subject(), DoseAllocation, li, level="DL1")


def sign_as_monitor(record: Any, gu: Any) -> Signature:
    return sign(
        record,
        "ALLOCATION",
        by=gu,
        username="medical_monitor_gu",
        password=PASSWORD,
        seen=record.version,
        request=RequestFactory().post("/"),
    )


def test_only_a_signed_review_lifts_a_hold(
    hold: Any, decide: Decide, li: Any, subject: Any, new_subject: Any
) -> None:
    for told, error in (
        ({"by": li}, Forbidden),
        ({"password": "wrong"}, SignatureRefused),
        ({"rationale": " "}, Rejected),
        ({"seen": 7}, Stale),
    ):
        with pytest.raises(error):
            decide("LIFT", **told)
    with pytest.raises(Rejected):
        decide("PERHAPS")
    assert decide("KEEP").lifted_at is None and standing().exists()
    assert decide("LIFT").lifted_at is not None and not standing().exists()
    with pytest.raises(Stale):
        decide("LIFT")
    with audit.reading(system_actor()):
        assert Signature.objects.filter(form="enrolment_hold", meaning="HOLD").count() == 2
        assert [row.history_type for row in EnrolmentHold.history.order_by("history_id")] == ["+", "~"]
    enter(new_subject(), DoseAllocation, li, level="DL1")
    evaluate(subject.pk, by=system_actor())
    assert not standing().exists()  # the same event raises no second hold
    enter(subject, AdverseEvent, li, category="SECOND_MALIGNANCY", term="T-cell lymphoma")
    evaluate(subject.pk, by=system_actor())
    assert standing().get().cause == "MALIGNANCY"


def test_two_events_of_grade_four_at_a_level_hold_enrolment(new_subject: Any, li: Any) -> None:
    held = 0
    for level, day, grade in (
        ("DL2", "2026-02-01", "4"),
        ("DL1", "2026-03-01", "4"),
        ("DL1", "2026-03-20", "3"),
        ("DL1", "2026-04-01", "4"),  # the second at its level
        ("DL1", "2026-05-01", "5"),  # and every one after it
    ):
        one = new_subject()
        enter(
            one, Infusion, li, inf_start_dt=f"{day} 10:00"
        )  # infused before, so a hold refuses no allocation
        enter(one, DoseAllocation, li, level=level)
        event = enter(one, AdverseEvent, li, category="CRS", max_grade=grade, term="CRS").record
        for _ in range(2):
            evaluate(one.pk, by=system_actor())
        held += day in ("2026-04-01", "2026-05-01")
        assert standing().count() == held
        if held:
            hold = standing().get(subject=one)
            assert (hold.cause, hold.key) == ("SEVERE", f"DL1:{one.pk}:CRS")
            assert hold.protocol_version == "1.0" and hold.evidence == {
                "facts": [{"form": "adverse_event", "record": str(event.pk), "field": "max_grade"}]
            }


def test_the_api_tells_holds_and_takes_no_review_from_a_site(hold: Any, make_token: Any) -> None:
    api, elsewhere = Api(make_token("investigator_kang")), Api(make_token("coordinator_elsewhere"))
    (told,) = exact(api.get("holds/"))
    assert (told["cause"], told["lifted_at"], bool(told["evidence"])) == ("DEATH", None, True)
    assert exact(elsewhere.get("holds/"))[0]["subject"] is None
    body = {"decision": "LIFT", "rationale": "x", "username": "investigator_kang", "password": PASSWORD}
    problem(api.post(f"holds/{told['id']}/review/", body, If_Match='"1"'), 403)
    problem(elsewhere.post(f"holds/{told['id']}/review/", body, If_Match='"1"'), 403)


def test_a_review_made_at_one_site_is_read_with_its_signature_at_every_site_and_written_at_none_else(
    hold: Any, decide: Any, make_token: Any, person_client: Any
) -> None:
    decide("KEEP")
    (told,) = exact(Api(make_token("coordinator_elsewhere")).get("holds/"))
    assert [(one["decision"], one["rationale"]) for one in told["reviews"]] == [
        ("KEEP", "Reviewed with the board.")
    ]
    assert told["subject"] is None and told["evidence"] is None
    client = person_client("coordinator_elsewhere")
    page = client.get("/holds").content.decode()
    assert "Reviewed with the board." in page and "Gu (" in page
    zhao = actor_for(Person.objects.get(username="coordinator_elsewhere"))
    assert zhao is not None
    with audit.reading(zhao):
        seen, signed = HoldReview.objects.get(), Signature.objects.get()
        assert seen.site_id not in zhao.sites and signed.form == "enrolment_hold"
        assert (HoldReview.history.count(), Signature.history.count()) == (1, 1)
    with audit.transaction(zhao, "another site's review"):
        assert HoldReview.objects.update(rationale="changed") == 0
    with audit.reading(system_actor()):
        assert HoldReview.objects.get().rationale == "Reviewed with the board."
