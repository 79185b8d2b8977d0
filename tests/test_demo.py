"""The demonstration study: it breaks what docs/demo.md says and nothing else, is the same every time, and copies well."""

import io
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from dosing.models import SrcReview
from entry.demo.clock import Clock
from entry.demo.committee import MEETINGS, SIGNERS
from entry.demo.describe import described, planted, shown
from entry.demo.digest import digest
from entry.demo.load import assemble, replicate, settle
from entry.demo.people import CAST, PASS_PHRASE, site_code, subject_number
from entry.demo.shapes import SHAPES
from entry.management.commands.demo import PAGE
from review.models import Query
from review.queries import COMPUTED
from safety.binding import binding
from safety.casebook import casebooks
from safety.derived.words import CODED
from safety.engine import READS, find
from safety.forms import FORM, FORMS
from safety.invariants import broken
from safety.models import Derivation, Deviation, EligibilityResult
from safety.narrow import findings
from safety.rules import RULES
from subjects.crf import Subject
from subjects.models import Signature
from tests.approvals import put_back
from tests.conftest import _forget_subjects, acting_as, become, owner_connection
from trial import audit, ledger, sites
from trial.dates import local_day, utc_now
from trial.edit_checks import calculate, impossible, unlikely
from trial.item import items
from trial.people import system_actor, today_somewhere
from trial.protocol import V1

CLEAN = ("01-001", "01-006", "01-007", "01-017", "01-021")
COPIES = 40
pytestmark = pytest.mark.timeout(900)  # the whole study is entered in the first test that asks for it


@pytest.fixture(scope="module")
def empty_study(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """No subjects, and the worker's rights; afterwards only the people and sites of the demonstration are left."""
    with django_db_blocker.unblock():
        _forget_subjects(None)
        with put_back():
            with acting_as("worker"):
                yield
            _forget_subjects(None)
        with owner_connection() as db:
            db.execute(
                "TRUNCATE visits_referencerange, visits_historicalreferencerange, visits_laboratory, visits_historicallaboratory CASCADE"
            )
        sites.forget()


@pytest.fixture(scope="module")
def told(empty_study: None) -> str:
    """The whole demonstration, entered; what the command said."""
    return demo()


def demo(*options: str) -> str:
    """What the command says."""
    said = io.StringIO()
    call_command("demo", *options, stdout=said, stderr=io.StringIO())
    return said.getvalue()


def test_the_page_is_printed_from_the_stories() -> None:
    assert PAGE.read_text() == described(PAGE.read_text()), "run: manage.py demo --describe"
    assert all(subject_number(n) in PAGE.read_text() for n in range(1, len(SHAPES) + 1))


def test_every_rule_is_shown_and_several_subjects_break_none() -> None:
    assert sorted(set(RULES) - set(shown())) == []
    clean = {subject_number(n) for n, shape in enumerate(SHAPES, 1) if shape.level and not planted(shape)}
    assert clean >= set(CLEAN)


def test_eighteen_are_infused_and_staggered_over_three_levels() -> None:
    """Fourteen days from the first to the second of a level, seven from each to the next, a review before each step; but
    where a story says otherwise."""
    for level in ("DL1", "DL2", "DL3"):
        shapes = [shape for shape in SHAPES if shape.level == level]
        assert len(shapes) == V1.level_max_subjects.value
        for number, (before, after) in enumerate(pairwise(shapes)):
            least = V1.stagger_first_days.value if number == 0 else V1.stagger_next_days.value
            assert (0 < before.ago - after.ago < least) is ("DV-46" in after.breaks)
            assert before.ago - after.ago >= least or "DV-46" in after.breaks
        opened = any(shapes[0].ago < m.ago and m.decided == "ESCALATE" for m in MEETINGS)
        assert opened is (level != "DL1" and "DV-48" not in shapes[0].breaks)
    for meeting in MEETINGS:
        assert max(1, *(SHAPES[n - 1].ago for n in meeting.reviewed)) > meeting.ago
        assert min(SHAPES[n - 1].ago for n in meeting.reviewed) - V1.dlt_window_days.value >= meeting.ago


@pytest.mark.slow
def test_the_engine_finds_what_the_stories_plant_and_nothing_else(told: str) -> None:
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    with audit.reading(system_actor()):
        for subject, rule, status in Deviation.objects.values_list("subject__subjid", "rule_id", "status"):
            found[subject].add((rule, status.lower()))
    wanted = {subject_number(n): set(planted(shape)) for n, shape in enumerate(SHAPES, 1)}
    differences = {
        subject: {
            "not found": sorted(wanted[subject] - found[subject]),
            "not planted": sorted(found[subject] - wanted[subject]),
        }
        for subject in wanted
        if wanted[subject] != found[subject]
    }
    assert differences == {}


@pytest.mark.slow
def test_chinese_texts_name_answers_in_chinese(told: str) -> None:
    """What findings, verdicts and automatic questions say in Chinese holds no code that has a Chinese label."""
    lists = [one.codes for form in FORMS for one in items(form).values() if one.codes is not None]
    codes = {code for known in lists for code, _, zh in known.rows if len(code) > 2 and code not in zh}
    codes -= {
        "CRS",
        "GVHD",
        "ICANS",
        "ECOG",
        "IHC",
        "TKI",
        "DL1",
        "DL2",
        "DL3",
    }  # what clinicians write in Chinese too
    said: dict[str, str] = {}
    with audit.reading(system_actor()):
        for model, field in ((Deviation, "message_zh"), (EligibilityResult, "reason_zh"), (Query, "text_zh")):
            for text in model.objects.values_list(field, flat=True):
                said |= {word: text for word in re.findall(r"[A-Z][A-Z_0-9]+", text) if word in codes}
    assert said == {}


@pytest.mark.slow
def test_every_derived_code_has_words(told: str) -> None:
    with audit.reading(system_actor()):
        rows = list(Derivation.objects.values_list("name", "value"))
    given = {
        (name, key, code)
        for name, value in rows
        for key, codes in value.items()
        if (name, key) in CODED
        for code in (codes if isinstance(codes, list) else [codes])
        if code
    }
    assert {one for one in given if one[2] not in {row[0] for row in CODED[one[:2]].rows}} == set()
    assert len(given) > 30


@pytest.mark.slow
def test_a_rule_alone_finds_the_same_with_only_the_answers_it_asks_for(told: str) -> None:
    for rule in (RULES["DV-01"], RULES["DV-51"]):
        narrowly = set(findings(rule, by=system_actor()))
        with audit.reading(system_actor()):
            ids = list(Subject.objects.values_list("pk", flat=True))
            wholly = {
                (book.subject_id, finding)
                for book in casebooks(ids, READS, judged=True)
                for _, finding in find(book, binding(book), [rule]).values()
            }
        assert narrowly == wholly != set()


@pytest.mark.slow
def test_everything_a_study_knows_is_shown(told: str) -> None:
    with audit.reading(system_actor()):
        asked = set(Query.objects.values_list("source", "status"))
        again = Query.objects.filter(talk__contains=[{"status": "ANSWERED"}], status="OPEN")
        reopened = set(again.values_list("source", flat=True))
        open_of_clean = Query.objects.filter(subject__subjid__in=CLEAN).exclude(status="CLOSED").count()
        levels = list(FORM["dose_allocation"]._default_manager.values_list("level", flat=True))
        struck_out = [form.form for form in FORMS if form._default_manager.filter(retracted=True).exists()]
        partly_known = (
            FORM["prior_transplant"]._default_manager.filter(sct_date__regex=r"^\d{4}-\d{2}$").count()
        )
        empty = [form.form for form in FORMS if not form._default_manager.exists()]
        locked = set(FORM["demographics"]._default_manager.values_list("lock_state", flat=True))
        toxic = FORM["dlt_assessment"]._default_manager.filter(any_dlt="YES").count()
        milestones = set(Signature.objects.filter(form="eligibility").values_list("meaning", "role"))
        reviews = SrcReview.objects.count()
        seats = Signature.objects.filter(form="src_review").count()
    assert open_of_clean == 0
    assert asked == {
        (source, status) for source in ("AUTO", "MONITOR") for status in ("OPEN", "ANSWERED", "CLOSED")
    }
    assert reopened == {"AUTO", "MONITOR"}
    assert {level: levels.count(level) for level in set(levels)} == {"DL1": 6, "DL2": 6, "DL3": 6}
    assert struck_out == ["vital_signs"] and partly_known == 1
    assert empty == [], "every form of the study is shown"
    assert locked == {"OPEN", "LOCKED"} and toxic == 1 and milestones == {("ELIGIBILITY", "investigator")}
    assert reviews == len(MEETINGS) and seats == len(MEETINGS) * len(SIGNERS)
    assert "nothing to do" in demo("--if-empty")
    with pytest.raises(CommandError, match="already"):
        demo()


@pytest.mark.slow
def test_copies_are_what_the_door_would_have_accepted(told: str) -> None:
    """Forty copies: nothing impossible in any record, every doubt is asked about, every signature fits, all holds."""
    system = system_actor()
    there, _ = assemble(len(SHAPES), system)
    replicate(len(SHAPES), len(SHAPES) + COPIES, there, 19, system, Clock())
    settle(system)
    copied = [subject_number(n) for n in range(len(SHAPES) + 1, len(SHAPES) + COPIES + 1)]
    with audit.reading(system):
        zones = {one.pk: one.time_zone for one in there.values()}
        doubted = set()
        standing: dict[Any, Any] = {}
        for form in FORMS:
            for record in form._default_manager.filter(subject__subjid__in=copied).select_related("subject"):
                now, zone = utc_now(), zones[record.site_id]
                before = {
                    name: getattr(record, name) for name, meaning in items(form).items() if meaning.calc
                }
                calculate(record)
                assert before == {name: getattr(record, name) for name in before}, (form.form, record.visit)
                problems = impossible(record, zone, local_day(now, zone), now)
                assert problems == [], (record.subject.subjid, form.form, record.visit, problems)
                if not record.retracted:
                    doubted |= {(record.pk, doubt.field, doubt.check) for doubt in unlikely(record)}
                standing[record.pk] = record
        asked = Query.objects.filter(subject__subjid__in=copied, source="AUTO").exclude(
            check_id__startswith=COMPUTED
        )
        assert doubted == set(
            asked.exclude(talk__contains=[{"text": "answer corrected"}]).values_list(
                "record_id", "field", "check_id"
            )
        )
        signatures = list(Signature.objects.filter(subject__subjid__in=copied))
        assert len(signatures) > COPIES and all(one.stands_for(standing[one.record_id]) for one in signatures)
        assert Deviation.objects.filter(subject__subjid__in=copied).exists()
    assert list(broken()) == []
    become("owner")
    assert list(ledger.verify()) == []
    become("worker")


def test_production_copies_nothing(settings: Any) -> None:
    settings.ENV = "production"
    with pytest.raises(PermissionError, match="demonstration only"):
        replicate(1, 2, {}, 19, None, Clock())  # type: ignore[arg-type]


@pytest.mark.slow
def test_two_runs_give_the_same_answers_and_another_seed_does_not(empty_study: None) -> None:
    """Told subjects and copies alike."""
    day = str(today_somewhere() - timedelta(days=1))
    hashes = []
    for options in (("--subjects", "2"), ("--subjects", "2"), ("--subjects", "1", "--seed", "7")):
        _forget_subjects(None)
        hashes.append(_hash(demo(*options, "--anchor", day)))
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.slow
def test_two_copied_sets_are_equal_and_so_is_all_that_follows_from_them(empty_study: None) -> None:
    """Two told subjects and ten copies, made twice: the same answers, verdicts, derived values, flags, holds."""
    day = str(today_somewhere() - timedelta(days=1))
    system = system_actor()
    sets = []
    for _ in range(2):
        _forget_subjects(None)
        demo("--subjects", "2", "--anchor", day)
        there, _ = assemble(12, system)
        replicate(2, 12, there, 7, system, Clock())
        settle(system)
        with audit.reading(system):
            sets.append((digest(system), *(_stored(model, columns) for model, columns in STORED)))
    assert sets[0] == sets[1] and all(sets[0])
    with audit.reading(system):
        of_each = set(Derivation.objects.values_list("subject__subjid", flat=True))
        assert of_each == {subject_number(number) for number in range(1, 13)}
        assert Derivation.history.filter(history_type="+").count() == Derivation.objects.count()


STORED: tuple[tuple[Any, str], ...] = (
    (EligibilityResult, "milestone criterion verdict verdict_now reason_en reason_zh protocol_version"),
    (Derivation, "name form on method differs stands"),
    (Deviation, "rule_id status severity form field message_en message_zh"),
)


def _stored(model: Any, columns: str) -> list[tuple[Any, ...]]:
    """What is stored of everybody, without the identifiers, which are others in every set."""
    return sorted(map(str, model.objects.values_list("subject__subjid", *columns.split())))


def _hash(said: str) -> str:
    found = re.search(r"content hash: ([0-9a-f]{64})", said)
    assert found, said
    return found[1]


def test_production_refuses(db: None, settings: Any) -> None:
    settings.ENV = "production"
    with pytest.raises(CommandError, match="refused because EDC_ENV is production"):
        demo("--accounts")
    with audit.reading(system_actor()):
        assert not Subject.objects.exists()


def test_the_accounts_are_listed_with_their_pass_phrase(db: None) -> None:
    said = demo("--accounts")
    assert all(part.username in said for part in CAST) and PASS_PHRASE in said and "主要研究者" in said
    assert len(PASS_PHRASE) >= 12


def test_a_day_that_has_not_come_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="must lie between"):
        demo("--anchor", "2999-01-01")


def test_further_sites_take_what_one_site_cannot_number() -> None:
    assert [site_code(n) for n in (1, 999, 1000, 1998, 1999, 2000)] == ["01", "01", "03", "03", "04", "04"]
    assert [subject_number(n) for n in (1, 999, 1000, 2000)] == ["01-001", "01-999", "03-001", "04-002"]
