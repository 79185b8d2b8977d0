"""Every form of the study can be entered by a file under its own item names, once, by those who may enter it."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dosing.committee import SrcReview
from entry.door import Forbidden
from exchange.incoming_files.options import Options
from exchange.incoming_files.register import report, take_in
from exchange.incoming_files.work import work
from safety.forms import FORMS, STUDY_FORMS
from tests.pages import stored
from tests.smallest import answers
from trial import audit
from trial.answers import read
from trial.edit_checks import calculate, impossible
from trial.integrity import history_model

pytestmark = pytest.mark.req("R-35")
EVERY = (*FORMS, *STUDY_FORMS)
SENT_AGAIN = (*FORMS[::8], *STUDY_FORMS)


def as_file(form: Any, subjid: str, **more: str) -> bytes:
    """One record of a form as a CSV."""
    place = {"subject": subjid, "visit": "D1"} if form in FORMS else {}
    row = {**place, **answers(form), **more}
    out = io.StringIO()
    writer = csv.DictWriter(out, row)
    writer.writeheader()
    writer.writerow(row)
    return out.getvalue().encode()


@pytest.fixture
def send(tmp_path: Path, site: Any) -> Any:
    """Sends a file of one form and gives its register row and the outcome of its only row."""

    def sent(form: Any, content: bytes, by: Any, wish: str = "COMMIT", **options: Any) -> Any:
        path = tmp_path / "sent.csv"
        path.write_bytes(content)
        file = take_in(path, "sent.csv", f"form:{form.form}", Options(**options), site, by=by, wish=wish)
        done = work(file.pk, by, wish)
        assert done.state != "FAILED", (form.form, done.failure)
        (row,) = report(by, done)
        return done, row

    return sent


@pytest.mark.django_db
def test_every_form_is_entered_by_file_and_found_again(send: Any, subject: Any, li: Any, qian: Any) -> None:
    """The record holds what the file says, its history names the file, and the same file enters nothing more (some forms stand for all)."""
    refused = []
    for form in EVERY:
        by, content = (li if form in FORMS else qian), as_file(form, subject.subjid)
        done, row = send(form, content, by)
        if row["outcome"] != "created":
            refused.append((form.form, [(p.get("column"), p["en"]) for p in row["problems"]]))
            continue
        with audit.reading(by):
            record = form._default_manager.get(pk=row["record"])
            (first,) = history_model(form).objects.filter(id=row["record"])
        assert first.history_change_reason == f"import sent.csv sha256 {done.sha256}"
        assert getattr(record, form.dated_by or "status"), form.form
        if form in SENT_AGAIN:
            _, again = send(form, content, by)
            assert (again["outcome"], again["record"]) == ("unchanged", row["record"]), form.form
    assert refused == []


@pytest.mark.django_db
def test_a_review_changes_by_file_only_as_a_correction(send: Any, qian: Any) -> None:
    _, row = send(SrcReview, as_file(SrcReview, "", n_evaluable="3"), qian)
    other = as_file(SrcReview, "", n_evaluable="6")
    _, clash = send(SrcReview, other, qian)
    assert [p["code"] for p in clash["problems"]] == ["conflict"]
    _, told = send(SrcReview, other, qian, correct=True)
    assert (told["outcome"], told["record"]) == ("corrected", row["record"])
    now = stored(qian, SrcReview, pk=row["record"])
    assert (now.n_evaluable, now.version) == (6, 2)
    _, told = send(SrcReview, as_file(SrcReview, "", n_evaluable="0", n_dlt="1"), qian, correct=True)
    assert [p["code"] for p in told["problems"]] == ["more_than_all"]
    _, told = send(SrcReview, as_file(SrcReview, "", subjects_reviewed="everybody"), qian, correct=True)
    assert told["outcome"] == "refused"


@pytest.mark.django_db
def test_who_enters_subjects_does_not_enter_for_the_study_and_the_other_way_round(
    send: Any, subject: Any, li: Any, qian: Any, wu: Any
) -> None:
    for by, form in ((li, SrcReview), (qian, FORMS[0]), (wu, SrcReview), (wu, FORMS[0])):
        with pytest.raises(Forbidden):
            send(form, as_file(form, subject.subjid), by)


@pytest.mark.parametrize("form", EVERY, ids=lambda form: form.form)
def test_the_smallest_record_is_possible(form: Any) -> None:
    """The helper makes records that the form's own checks allow, so that the test above tries the files alone."""
    reading, record = read(form, answers(form), "Asia/Shanghai"), form()
    assert not reading.problems
    for name, value in reading.values.items():
        setattr(record, form._meta.get_field(name).attname, value)
    calculate(record)
    now = datetime(2026, 6, 1, tzinfo=UTC)
    assert [p.field for p in impossible(record, "Asia/Shanghai", now.date(), now)] == []
