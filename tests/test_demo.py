"""The demonstration study: it breaks what docs/demo.md says and nothing else, and is the same every time."""

import io
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import call_command
from django.core.management.base import CommandError

from entry.demo.people import CAST, PASS_PHRASE, site_code, subject_number
from entry.demo.shapes import SHAPES
from review.models import Query
from safety.forms import FORMS
from safety.models import Deviation
from safety.rules import RULES
from subjects.crf import Subject
from tests.conftest import _forget_subjects, acting_as, owner_connection
from trial import audit, sites
from trial.people import system_actor, today_somewhere

PAGE = Path(project.BASE_DIR) / "docs" / "demo.md"
ROW = re.compile(r"^\| (01-\d{3}) \| [^|]+ \| [^|]+ \| ([^|]+) \|", re.M)


@pytest.fixture
def empty_study(transactional_db: None) -> Iterator[None]:
    """No subjects, and the worker's rights; afterwards only the people and sites of the demonstration are left."""
    _forget_subjects(None)
    with acting_as("worker"):
        yield
    _forget_subjects(None)
    with owner_connection() as db:
        db.execute("TRUNCATE visits_referencerange, visits_historicalreferencerange")
    sites.forget()


def demo(*options: str) -> str:
    """What the command says."""
    said = io.StringIO()
    call_command("demo", *options, stdout=said, stderr=io.StringIO())
    return said.getvalue()


def promised() -> dict[str, set[tuple[str, str]]]:
    """Subject → (rule, status) as docs/demo.md lists them."""
    rows = ROW.findall(PAGE.read_text())
    return {subject: set(re.findall(r"(DV-\d+) (\w+)", broken)) for subject, broken in rows}


def test_the_page_lists_every_subject_and_every_rule() -> None:
    listed = promised()
    assert sorted(listed) == [subject_number(n) for n in range(1, len(SHAPES) + 1)]
    assert {rule for broken in listed.values() for rule, _ in broken} == set(RULES)
    assert sum(1 for broken in listed.values() if not broken) >= 2


@pytest.mark.slow
def test_the_engine_finds_what_the_page_lists_and_nothing_else(empty_study: None) -> None:
    demo()
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    with audit.reading(system_actor()):
        for subject, rule, status in Deviation.objects.values_list("subject__subjid", "rule_id", "status"):
            found[subject].add((rule, status.lower()))
        asked = set(Query.objects.values_list("source", "status"))
        open_of_clean = Query.objects.filter(subject__subjid__in=("01-001", "01-004")).count()
        levels = set(_form("dose_allocation")._default_manager.values_list("level", flat=True))
        struck_out = [form.form for form in FORMS if form._default_manager.filter(retracted=True).exists()]
        partly_known = (
            _form("prior_transplant")._default_manager.filter(sct_date__regex=r"^\d{4}-\d{2}$").count()
        )
        empty = [form.form for form in FORMS if not form._default_manager.exists()]
    assert {subject: broken for subject, broken in promised().items() if broken} == dict(found)
    assert open_of_clean == 0
    assert asked == {
        (source, status) for source in ("AUTO", "MONITOR") for status in ("OPEN", "ANSWERED", "CLOSED")
    }
    assert levels == {"DL1", "DL2", "DL3"} and struck_out == ["vital_signs"] and partly_known == 1
    assert empty == [], "every form of the study is shown"
    assert "nothing to do" in demo("--if-empty")
    with pytest.raises(CommandError, match="already"):
        demo()


def _form(name: str) -> Any:
    return next(form for form in FORMS if form.form == name)


@pytest.mark.slow
def test_two_runs_give_the_same_answers_and_another_seed_does_not(empty_study: None) -> None:
    day = str(today_somewhere())
    first = _hash(demo("--subjects", "2", "--anchor", day))
    _forget_subjects(None)
    assert _hash(demo("--subjects", "2", "--anchor", day)) == first
    _forget_subjects(None)
    assert _hash(demo("--subjects", "1", "--anchor", day, "--seed", "7")) != first


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
