"""The casebook: on the page and on paper stands everything that is kept of a subject, and the same in both."""

import re
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings

from dosing.models import Infusion
from entry.casebook import Filed, read
from entry.casebook_parts import Book
from entry.casebook_shown import book_of, every_answer
from entry.door import retract_record, set_lock
from exchange import jobs
from exchange.job_kinds import KINDS
from exchange.printing import casebook as printed
from exchange.printing.breaking import lines_of
from exchange.printing.fonts import printable
from exchange.printing.tongues import LANGUAGES, Tongue
from review.queries import raise_query
from safety.engine import evaluate
from subjects.models import Death, InformedConsent, MedicalHistory, PriorTransplant, Signature
from subjects.signature import content_digest
from tests.api_client import Api, codes, problem
from tests.conftest import acting_as
from tests.entering import correct, enter
from tests.pages import stored
from tests.printed import pages_of, running_text, squeezed
from trial import audit, ledger
from trial.dates import utc_now
from trial.people import system_actor
from visits.models import Ecog, Haematology, Visit, VitalSigns


@pytest.fixture
def told(subject: Any, li: Any, wu: Any, investigator_kang: Any, actor: Any) -> Any:
    """A subject with one of everything: a correction, a query, a deviation, a signature, a retracted row, signs."""
    enter(
        subject, InformedConsent, li, consent_type="INITIAL", consent_dt="2026-01-05 09:00", icf_version="9.9"
    )
    enter(subject, PriorTransplant, li, sct_date="2025-11", sct_type="ALLO")
    ecog = enter(subject, Ecog, li, "SCR", status="COMPLETE", ecog_date="2026-01-05", ecog="3").record
    raise_query(ecog, "ecog", "Is this right? 请核实", by=wu)
    vitals = enter(
        subject, VitalSigns, li, "SCR", vs_dt="2026-01-05 08:00", temp_c="３６．８", pulse="71"
    ).record
    correct(vitals, li, reason="read the chart again", temp_c="37.4")
    enter(subject, Haematology, li, "SCR", lb_dt="2026-01-05 08:10", wbc="<0.1", missing={"plt": "NOT_DONE"})
    first = enter(subject, MedicalHistory, li, term="肺炎 pneumonia ≥ 10⁶ µg α 😀").record
    gone = enter(subject, MedicalHistory, li, term="entered for another subject").record
    retract_record(gone, by=li, reason="wrong subject", seen=gone.version)
    with audit.transaction(actor(investigator_kang), "signed"):
        Signature(
            subject=subject,
            site=subject.site,
            form="ecog",
            record_id=ecog.pk,
            record_version=ecog.version,
            digest=content_digest(ecog),
            meaning="REVIEW",
            person=investigator_kang,
            name=investigator_kang.full_name,
            role="investigator",
            signed_at=utc_now(),
        ).save(force_insert=True)
    evaluate(subject.pk, by=system_actor())
    assert first.pk
    return subject


def filed_of(subject: Any, by: Any, audited: bool = False) -> Filed:
    with audit.snapshot(by):
        return read(subject, audit=audited)


def on_paper(filed: Filed, language: str = "both") -> list[str]:
    out = BytesIO()
    printed.draw(filed, Tongue(language), out)
    return pages_of(out.getvalue())


def answers(book: Book) -> list[str]:
    """Everything that a casebook says about its answers."""
    said = []
    for answer in every_answer(book):
        said += [answer.label, answer.value, answer.unit, answer.typed]
        said += [q.text for q in answer.queries] + [d.message for d in answer.deviations]
        said += [words for s in answer.trail for words in (s.when, s.who, s.why, s.old, s.new)]
    return [words for words in said if words]


@pytest.mark.django_db
def test_the_page_shows_every_value_state_and_signature(told: Any, person_client: Any, li: Any) -> None:
    page = person_client("coordinator_li")
    page.cookies["edc_language"] = "en"
    shown = page.get(f"/subjects/{told.subjid}/casebook").content.decode()
    for words in ("3 ", "37.4", "“３６．８”", "&lt;0.1", "no answer", "Is this right? 请核实", "DV-", "Complete", "Draft",
                  "Signed", "I have reviewed this record", "<s>entered for another subject</s>", "2025-11"):  # fmt: skip
        assert words in shown or words == "“３６．８”", words
    assert filed_of(told, li).digest in shown
    ids = set(re.findall(r'id="([^"]+)"', shown))
    targets = set(re.findall(r'href="#([^"]+)"', shown)) - {"main"}
    assert targets and targets <= ids, targets - ids


@pytest.mark.django_db
@pytest.mark.req("R-12")
def test_with_audit_every_value_tells_who_when_why_and_from_what(told: Any, li: Any) -> None:
    with_trail, without = book_of(filed_of(told, li, audited=True)), book_of(filed_of(told, li))
    temperature = next(a for a in every_answer(with_trail) if a.name == "temp_c")
    assert [(s.version, s.old, s.new, s.why) for s in temperature.trail if s.label == temperature.label] == [
        (1, "—", "36.8", ""),
        (2, "36.8", "37.4", "read the chart again"),
    ]
    assert temperature.trail[0].who == li.name
    assert not any(answer.trail for answer in every_answer(without))
    assert with_trail.digest == without.digest, "the digest is of the data, however they are shown"
    values = [a for a in every_answer(with_trail) if not a.calculated and a.value != "—"]
    assert [a.name for a in values if not a.trail] == []


@pytest.mark.django_db
def test_chapters_stand_in_the_order_of_the_protocol(told: Any, li: Any) -> None:
    enter(told, Infusion, li, inf_start_dt="2026-03-01 09:00")
    enter(told, Visit, li, "D0", actual_date="2026-03-01")
    enter(told, Death, li, death_date="2026-03-30")
    chapters = book_of(filed_of(told, li)).chapters
    keys = [one.key for one in chapters]
    assert keys[0] == "entry" and keys[-1] == "end"
    assert keys.index("cells") == keys.index("v-D0") - 1
    known = {sheet.form: one.key for one in chapters for sheet in one.sheets}
    assert (known["informed_consent"], known["infusion"], known["death"]) == ("entry", "cells", "end")


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-61")
@pytest.mark.req("R-36")
def test_on_paper_stands_what_the_page_says(told: Any, li: Any) -> None:
    with acting_as("worker"):
        ledger.seal()
    filed = filed_of(told, li, audited=True)
    for language in LANGUAGES:
        _compare(filed, language)


def _compare(filed: Filed, language: str) -> None:
    pages = on_paper(filed, language)
    whole = running_text(pages)
    for book in Tongue(language).each(lambda: book_of(filed)):
        absent = [
            words for words in answers(book) if not all(squeezed(part) in whole for part in lines(words))
        ]
        assert not absent, absent[:10]
        for sheet in (sheet for chapter in book.chapters for sheet in chapter.sheets):
            for signed in sheet.signatures:
                assert all(squeezed(w) in whole for w in (signed.name, signed.when)), signed
    assert filed.seal is not None
    for number, page in enumerate(pages, 1):
        assert filed.digest in squeezed(page), "the version hash stands on every page"
        assert bytes(filed.seal.hash).hex() in squeezed(page), "and the ledger's last checkpoint"
        numbered = {"en": f"page{number}of{len(pages)}"}.get(language, f"第{number}页,共{len(pages)}页")
        assert numbered in squeezed(page)
        assert filed.subject.subjid in page
    assert ("体温" in whole) is (language != "en") and ("Temperature" in whole) is (language != "zh")


def lines(words: str) -> list[str]:
    """A text in the pieces that stay together on paper: characters that no font has are printed as numbers."""
    return [printable(piece) for piece in words.split()]


@pytest.mark.django_db
def test_the_same_data_give_the_same_hash_and_one_change_another(told: Any, li: Any) -> None:
    one, again = filed_of(told, li), filed_of(told, li, audited=True)
    assert one.digest == again.digest
    again.as_of = one.as_of
    first, second = BytesIO(), BytesIO()
    printed.draw(one, Tongue("both"), first)
    one.linked = dict(one.linked)
    printed.draw(one, Tongue("both"), second)
    assert first.getvalue() == second.getvalue(), "of one reading, the same bytes"
    record = next(iter(one.rows[Ecog]))
    correct(record, li, ecog="2")
    assert filed_of(told, li).digest != one.digest


@pytest.mark.django_db
@pytest.mark.req("R-60")
@pytest.mark.req("R-61")
@pytest.mark.parametrize("person", ["investigator_kang", "coordinator_li", "monitor_wu", "auditor_zhou"])
def test_who_may_read_may_take_a_complete_copy(
    told: Any, make_token: Any, person: str, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(settings, "FILES_DIR", str(tmp_path / "files"))
    api = Api(make_token(person))
    asked = api.post("jobs/", {"kind": "casebook", "parameters": {"subject": told.subjid, "audit": True}})
    assert asked.status_code == 202, asked.content
    assert jobs.drain(KINDS) == 1
    job = api.get(asked["Location"]).json()
    assert job["state"] == "DONE", job
    body = b"".join(api.get(job["file"]["address"]).streaming_content)
    pages = pages_of(body)
    assert len(pages) == job["result"]["pages"]
    assert all(job["result"]["content_sha256"] in squeezed(page) for page in pages)
    assert "readthechartagain" in running_text(pages), "the reasons of changes are in the copy"
    assert "Isthisright?请核实" in running_text(pages), "and the queries"
    assert job["file"]["name"].endswith("-both-audit.pdf")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "required"),
        ({"subject": "01-001", "language": "fr"}, "not_in_list"),
        ({"subject": "01-001", "language": ["zh"]}, "not_in_list"),
        ({"subject": "01-001", "audit": "perhaps"}, "not_in_list"),
        ({"subject": "01-001", "audit": {}}, "not_in_list"),
        ({"subject": "01-001", "colour": "red"}, "not_in_list"),
    ],
)
def test_a_wish_that_cannot_be_read_is_refused(make_token: Any, parameters: Any, code: str) -> None:
    answer = Api(make_token("coordinator_li")).post("jobs/", {"kind": "casebook", "parameters": parameters})
    assert codes(problem(answer, 400, "rejected")) == {code}


@pytest.mark.django_db
@pytest.mark.req("R-45")
def test_a_subject_of_another_site_is_not_there(told: Any, make_token: Any, person_client: Any) -> None:
    wish = {"kind": "casebook", "parameters": {"subject": told.subjid}}
    problem(Api(make_token("coordinator_elsewhere")).post("jobs/", wish), 404)
    assert person_client("coordinator_elsewhere").get(f"/subjects/{told.subjid}/casebook").status_code == 404


def test_text_breaks_between_words_and_between_chinese_characters() -> None:
    def width(character: str) -> float:
        return 1.0

    assert lines_of("one two three", 7, width) == ["one two", "three"]
    assert lines_of("血小板计数。", 5, width) == ["血小板计数。"], "a full stop does not begin a line"
    assert lines_of("abcdefgh", 3, width) == ["abc", "def", "gh"]
    assert lines_of("", 3, width) == [""]


def test_a_character_without_a_glyph_is_printed_as_its_number() -> None:
    assert printable("肺炎 ≥ 10⁶ µg α") == "肺炎 ≥ 10⁶ µg α"
    assert printable("😀") == "‹U+1F600›"


def test_every_character_of_gb_2312_can_be_printed() -> None:
    pairs = (bytes([high, low]) for high in range(0xA1, 0xF8) for low in range(0xA1, 0xFF))
    known = [pair.decode("gb2312", errors="ignore") for pair in pairs]
    assert sum(map(bool, known)) == 7445
    assert [c for c in known if c and printable(c) != c] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-25")
def test_a_signature_stands_in_the_casebook_as_on_its_record(told: Any, li: Any, actor: Any) -> None:
    for state, stands in (("LOCKED", True), ("OPEN", False), ("LOCKED", False)):
        record = stored(li, Ecog, subject=told)
        set_lock(record, state, by=actor("data_manager_qian"), reason="interim analysis")
        book = book_of(filed_of(told, li))  # made after the reading is over, as page and printout do
        shown = [one.stands for c in book.chapters for sheet in c.sheets for one in sheet.signatures]
        assert shown == [stands], state
