"""Files that come in: every row ends with an outcome, nothing is guessed, nothing is entered twice."""

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from entry.door import retract_record, set_lock
from exchange import jobs
from exchange.incoming_files import limits, tables, workbook
from exchange.incoming_files.hints import of_label, with_hint
from exchange.incoming_files.options import Options
from exchange.incoming_files.profiles import names, profile_named
from exchange.incoming_files.refusals import FileRefused, of_problem
from exchange.incoming_files.register import file_of, report, safe_name, take_in
from exchange.incoming_files.row_refusals import same_number
from exchange.incoming_files.subject_map import parse_map
from exchange.incoming_files.work import start, work
from exchange.job_kinds import KINDS
from review.models import Query
from safety.forms import FORMS
from tests.entering import correct, enter
from tests.pages import stored
from trial import audit
from trial.edit_checks import _out_of_range
from trial.integrity import history_model
from trial.item import items
from trial.refused import normalise
from visits.models import Chemistry, Ecog, Haematology, PdCytokine, PkSample, VitalSigns

VITALS = "subject,visit,vs_dt,timepoint,temp_c,sbp,dbp,pulse"
EXPECTED_FAILURES = {"wrong_columns", "no_rows"}
LAB = "subject,visit,datetime,test,value,unit"


@pytest.fixture
def send(tmp_path: Path, li: Any, site: Any) -> Callable[..., Any]:
    """Sends a file and says what came of it: the register's row and the outcome of every line."""

    def sent(content: str | bytes, profile: str, wish: str = "COMMIT", by: Any = None, **options: Any) -> Any:
        path = tmp_path / "sent"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        who = by or li
        file = take_in(
            path, options.pop("name", "sent.csv"), profile, Options(**options), site, by=who, wish=wish
        )
        done = work(file.pk, who, wish)
        assert done.state != "FAILED" or done.failure["code"] in EXPECTED_FAILURES, done.failure
        rows = {one["line"]: one for one in report(who, done)} if done.state != "FAILED" else {}
        assert (
            sum(done.counts.get(k, 0) for k in ("created", "unchanged", "corrected", "refused", "held"))
            == done.rows
        )
        assert len(rows) == done.rows
        return done, rows

    return sent


def outcomes(rows: dict[int, Any]) -> dict[int, str]:
    return {line: one["outcome"] for line, one in rows.items()}


def codes(rows: dict[int, Any], line: int) -> list[str]:
    return [one["code"] for one in rows[line].get("problems", ())]


def book(rows: list[list[Any]], **change: Any) -> bytes:
    """A workbook with one sheet."""
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    if "merge" in change:
        made.active.merge_cells(change["merge"])
    for name in change.get("hidden", ()):
        made.create_sheet(name).sheet_state = "hidden"
    for name in change.get("more", ()):
        made.create_sheet(name)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


# the table: encodings, separators, workbooks; no database


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "UTF-8."),
        ("utf-8-sig", "byte order mark"),
        ("gbk", "GBK"),
        ("gb18030", "GBK"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_encoding_and_the_separator_are_found_and_said(
    tmp_path: Path, encoding: str, said: str, separator: str
) -> None:
    path = tmp_path / "x"
    rows = [["受试者", "结果"], ["01-001", "阴性"]] * 20
    path.write_bytes("\r\n".join(separator.join(row) for row in rows).encode(encoding))
    table = tables.open_table(path)
    assert table.heading == ["受试者", "结果"]
    assert next(iter(table)) == (2, ["01-001", "阴性"])
    assert said in table.notes[0]["en"] and table.notes[0]["zh"]


def test_newlines_and_quotes_inside_a_cell_stay_in_it_and_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text('a,b\n"one\ntwo ""quoted""",2\n\n3,4\n')
    table = tables.open_table(path)
    assert list(table) == [(2, ['one\ntwo "quoted"', "2"]), (5, ["3", "4"])]
    assert table.blank == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a,b\n1,\x00\n", "nul"),
        (b"a,a\n1,2\n", "bad_heading"),
        (b"a,,b\n1,2,3\n", "bad_heading"),
        (b"a,b\n\x81\xff\xff,2\n", "encoding"),
        (b'a,b\n"1,2\n', "broken_csv"),
        (b"PK\x03\x04 no zip at all", "not_a_workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_excel"),
        (b",".join(b"c%d" % i for i in range(1100)) + b"\n", "too_many_columns"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_reason(
    tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(FileRefused) as refused:
        list(tables.open_table(path))
    assert refused.value.code == code
    assert refused.value.document()["en"] != refused.value.document()["zh"]


def test_more_than_the_limit_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 10)
    path = tmp_path / "x"
    path.write_bytes(b"a,b\n1,2,3,4,5\n")
    with pytest.raises(FileRefused, match="too_large") as refused:
        tables.open_table(path)
    assert refused.value.limit and "10" in refused.value.document()["en"]


def test_a_zip_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 30_000_000)
    assert path.stat().st_size < 100_000
    with pytest.raises(FileRefused, match="zip_bomb"):
        tables.open_table(path)


def test_a_workbook_of_very_many_parts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "parts.xlsx"
    with zipfile.ZipFile(path, "w") as packed:
        for number in range(limits.MOST_PARTS + 1):
            packed.writestr(f"x{number}", b"")
    with pytest.raises(FileRefused, match="zip_bomb"):
        tables.open_table(path)


def test_entities_in_a_workbook_are_not_expanded(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    source = zipfile.ZipFile(io.BytesIO(book([["a"], ["text"]])))
    with zipfile.ZipFile(path, "w") as packed:
        for part in source.infolist():
            data = source.read(part)
            if part.filename.endswith("sheet1.xml"):
                data = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + data.split(b"?>", 1)[-1]
            packed.writestr(part, data)
    with pytest.raises(FileRefused, match="not_a_workbook"):
        list(tables.open_table(path))


def test_dates_and_numbers_of_a_workbook_are_read_as_they_are_meant(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(book([["a", "b", "c", "d"], [datetime(2026, 1, 5, 8, 30), 0.1 + 0.2, True, 12]]))
    assert list(tables.open_table(path)) == [(2, ["2026-01-05 08:30:00", "0.3", "true", "12"])]


def test_a_formula_of_a_workbook_is_marked_and_never_evaluated(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(book([["a"], ["=1+1"]]))
    (_, (cell,)) = next(iter(tables.open_table(path)))
    assert cell == workbook.FORMULA + "=1+1"


@pytest.mark.parametrize(
    ("change", "code"), [({"merge": "A1:B1"}, "merged_cells"), ({"more": ["Two"]}, "which_sheet")]
)
def test_a_workbook_that_is_not_clear_is_refused(tmp_path: Path, change: Any, code: str) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(book([["a", "b"], ["1", "2"]], **change))
    with pytest.raises(FileRefused, match=code):
        tables.open_table(path)


def _with_sheet(data: bytes, *changes: tuple[str, str]) -> bytes:
    """The workbook with other words in its first sheet's XML; each must be there."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as packed, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in packed.namelist():
            text = packed.read(name)
            if name == "xl/worksheets/sheet1.xml":
                for old, new in changes:
                    assert old.encode() in text, text
                    text = text.replace(old.encode(), new.encode())
            made.writestr(name, text)
    return out.getvalue()


def test_a_workbook_that_understates_its_size_loses_no_row(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    given = book([["a", "b"], ["1", "2"], ["3", None]])
    path.write_bytes(_with_sheet(given, ('<dimension ref="A1:B3"', '<dimension ref="A1"')))
    table = tables.open_table(path)
    assert table.heading == ["a", "b"] and list(table) == [(2, ["1", "2"]), (3, ["3", ""])]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("</sheetData>", ""), "not_a_workbook"),
        (("<v>7</v>", "<v>seven</v>"), "not_a_workbook"),
        (('r="A2"', 'r="?2"'), "not_a_workbook"),
        (('<row r="2"', '<row r="2000000000"'), "too_many_rows"),
    ],
)
def test_a_sheet_that_breaks_off_or_has_no_end_is_refused(tmp_path: Path, change: Any, code: str) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(_with_sheet(book([["a"], [7]]), change))
    with pytest.raises(FileRefused, match=code):
        list(tables.open_table(path))


def test_hidden_sheets_are_not_read_and_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(book([["a"], ["1"]], hidden=["Secret"]))
    table = tables.open_table(path)
    assert "Secret" in table.notes[0]["en"] and list(table) == [(2, ["1"])]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\lab.csv", "lab.csv"),
        ("a\x00b.csv", "ab.csv"),
        ("化验.csv", "化验.csv"),
        ("..", "file"),
        ("<script>.csv", "_script_.csv"),
    ],
)
def test_a_file_name_is_a_name_and_no_path(given: str, kept: str) -> None:
    assert safe_name(given) == kept


def test_every_form_has_a_profile_and_every_profile_names_real_items() -> None:
    assert {f"form:{model.form}" for model in FORMS} <= set(names())
    for name in names():
        profile = profile_named(name)
        for test in profile.tests.values():
            assert test.item in test.form.analytes or hasattr(test.form, test.item)
        if profile.form is not None:
            for item in profile.columns:
                assert item.startswith("missing.") or hasattr(profile.form, item), (name, item)


def test_an_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(FileRefused) as refused:
        profile_named("lab_lang")
    assert "lab_long" in refused.value.document()["en"]


@pytest.mark.parametrize(
    "text", ["a,b,c\n", "x,01-001\nx,01-002\n", "x,01-001\n,01-002\n", "x," + "0" * 150_000]
)
def test_a_subject_map_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(FileRefused, match="subject_map"):
        parse_map(text)


def test_a_subject_map_may_have_a_heading() -> None:
    assert parse_map("PATNUM,subject\n701-1015,01-001\n") == {"701-1015": "01-001"}


# the rows: outcomes through the door


@pytest.mark.django_db
@pytest.mark.req("R-35")
def test_the_same_file_twice_creates_nothing_twice(send: Any, subject: Any, li: Any) -> None:
    row = f"{subject.subjid},D1,2026-01-05"
    file = f"{VITALS}\n{row} 08:00,VISIT,36.8,120,80,70\n{row} 12:00,VISIT,37.1,118,76,72\n"
    first, rows = send(file, "form:vital_signs")
    assert (first.state, outcomes(rows)) == ("DONE", {2: "created", 3: "created"})
    _, rows = send(file, "form:vital_signs")
    assert outcomes(rows) == {2: "unchanged", 3: "unchanged"}
    with audit.reading(li):
        assert VitalSigns.objects.filter(subject=subject).count() == 2
        assert history_model(VitalSigns).objects.filter(subject_id=subject.pk).count() == 2


@pytest.mark.django_db
def test_a_record_entered_by_hand_is_the_same_record(send: Any, subject: Any, li: Any) -> None:
    enter(subject, VitalSigns, li, "D1", vs_dt="2026-01-05 08:00", timepoint="VISIT", temp_c="36.8")
    _, rows = send(
        f"subject,visit,vs_dt,timepoint,temp_c\n{subject.subjid},D1,2026-01-05T08:00,VISIT,36.8\n",
        "form:vital_signs",
    )
    assert outcomes(rows) == {2: "unchanged"}


@pytest.mark.django_db
def test_a_changed_value_is_a_conflict_unless_a_correction_is_asked_for(
    send: Any, subject: Any, li: Any
) -> None:
    row = f"{VITALS}\n{subject.subjid},D1,2026-01-05 08:00,VISIT,%s,120,80,70\n"
    _, rows = send(row % "36.8", "form:vital_signs")
    clash, told = send(row % "36.9", "form:vital_signs")
    assert (clash.state, codes(told, 2)) == ("REFUSED", ["conflict"])
    assert (told[2]["problems"][0]["column"], told[2]["problems"][0]["limit"]) == ("temp_c", "36.8")
    done, told = send(row % "36.9", "form:vital_signs", correct=True)
    assert outcomes(told) == {2: "corrected"}
    with audit.reading(li):
        newest = history_model(VitalSigns).objects.get(id=rows[2]["record"], version=2)
    assert newest.history_change_reason == f"import sent.csv sha256 {done.sha256}"
    assert (str(newest.temp_c), newest.history_user_id) == ("36.9", li.person_id)


def vitals(subject: Any, size: int, temperature: str = "36.8", sbp: str = "120") -> str:
    """A file of `size` measurements of one subject, an hour apart."""
    rows = [
        f"{subject.subjid},D1,2026-01-{5 + n // 24:02d} {n % 24:02d}:00,VISIT,{temperature},{sbp},80,70"
        for n in range(size)
    ]
    return "\n".join([VITALS, *rows])


@pytest.mark.django_db
def test_corrections_take_no_more_statements_for_a_hundred_records_than_for_ten(
    send: Any, new_subject: Any, li: Any
) -> None:
    def count(size: int) -> tuple[int, int]:
        subject = new_subject()
        made, _ = send(vitals(subject, size), "form:vital_signs")
        with CaptureQueriesContext(connection) as captured:
            done, rows = send(vitals(subject, size, "41.6"), "form:vital_signs", correct=True)
        assert (made.counts["created"], done.counts["corrected"], done.counts["queries"]) == (
            size,
            size,
            size,
        )
        with audit.reading(li):
            assert history_model(VitalSigns).objects.filter(subject_id=subject.pk, version=2).count() == size
            assert Query.objects.filter(subject=subject, status="OPEN").count() == size
        again, rows = send(vitals(subject, size, "41.6"), "form:vital_signs", correct=True)
        assert set(outcomes(rows).values()) == {"unchanged"} and again.counts["corrected"] == 0
        with audit.reading(li):
            assert set(VitalSigns.objects.filter(subject=subject).values_list("version", flat=True)) == {2}
        return len(captured.captured_queries), size

    (few, _), (many, _) = count(10), count(100)
    assert many <= few


@pytest.mark.django_db
def test_a_file_of_corrections_does_to_each_record_what_the_form_page_would(
    send: Any, new_subject: Any, li: Any
) -> None:
    """Created with a doubt, corrected without one, doubted again: the query is one and turns; marks and the text stay."""
    by_file, by_hand = new_subject(), new_subject()
    send(vitals(by_file, 3, "41.6"), "form:vital_signs")
    hours = [f"2026-01-05 {n:02d}:00" for n in range(3)]
    answers = {"timepoint": "VISIT", "temp_c": "41.6", "sbp": "120", "dbp": "80", "pulse": "70"}
    records = [enter(by_hand, VitalSigns, li, "D1", vs_dt=hour, **answers).record for hour in hours]
    for temperature in ("36.9", "41.7", "３６．７"):
        send(vitals(by_file, 3, temperature, "121"), "form:vital_signs", correct=True)
        records = [correct(record, li, temp_c=temperature, sbp="121").record for record in records]

    def told(subject: Any) -> tuple[list[Any], list[Any], list[Any]]:
        with audit.reading(li):
            rows = list(VitalSigns.objects.filter(subject=subject).order_by("vs_dt"))
            asked = Query.objects.filter(subject=subject).order_by("record_id", "check_id")
            past = (
                history_model(VitalSigns).objects.filter(subject_id=subject.pk).order_by("vs_dt", "version")
            )
            return (
                [(r.version, r.temp_c, r.sbp, r.typed, r.missing, r.status, r.vs_dt) for r in rows],
                [(q.check_id, q.status, q.value, [one["text"] for one in q.talk]) for q in asked],
                [(h.version, h.temp_c, h.sbp, h.history_type, h.history_user_id) for h in past],
            )

    assert told(by_file) == told(by_hand)


@pytest.mark.django_db
def test_one_refused_row_refuses_the_file_or_only_itself(send: Any, subject: Any, li: Any) -> None:
    file = (
        f"subject,visit,ecog_date,ecog\n{subject.subjid},D0,2026-01-05,1\n{subject.subjid},D28,2026-01-05,7\n"
    )
    all_, rows = send(file, "form:ecog")
    assert (all_.state, outcomes(rows)) == ("REFUSED", {2: "held", 3: "refused"})
    assert "record" not in rows[2] and all_.counts["queries"] == 0
    with audit.reading(li):
        assert not Ecog.objects.filter(subject=subject).exists()
    good, rows = send(file, "form:ecog", policy="GOOD")
    assert (good.state, outcomes(rows)) == ("DONE", {2: "created", 3: "refused"})
    assert codes(rows, 3) == ["impossible"]


@pytest.mark.django_db
def test_a_dry_run_writes_nothing(send: Any, subject: Any, li: Any) -> None:
    file, rows = send(
        f"subject,visit,ecog_date,ecog\n{subject.subjid},D0,2026-01-05,1\n", "form:ecog", "CHECK"
    )
    assert (file.state, outcomes(rows)) == ("CHECKED", {2: "created"})
    with audit.reading(li):
        assert not Ecog.objects.filter(subject=subject).exists()


@pytest.mark.django_db
def test_a_long_laboratory_file_makes_one_panel_of_its_rows(send: Any, subject: Any, li: Any) -> None:
    s = subject.subjid
    file = (
        f"{LAB},low,high\n{s},D1,2026-01-05 08:00,WBC,４．５,10^9/L,3.5,9.5\n{s},D1,2026-01-05 08:00,血小板,<10,10^9/L,,\n"
        f"{s},D1,2026-01-05 08:00,ALT,30,U/L,9,50\n"
    )
    _, rows = send(file, "lab_long")
    assert outcomes(rows) == {2: "created", 3: "created", 4: "created"}
    count = stored(li, Haematology, subject=subject)
    assert (count.wbc_value, count.wbc_lln, count.wbc_uln) == (Decimal("4.5"), Decimal("3.5"), Decimal("9.5"))
    assert (count.plt_qual, count.plt_value, count.typed["wbc_value"]) == ("<", 10, "４．５")
    assert stored(li, Chemistry, subject=subject).alt_value == 30
    assert rows[2]["record"] == rows[3]["record"] != rows[4]["record"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("test", "value", "unit", "code", "fix"),
    [
        ("PLT", "150000", "10^9/L", "unit_mistake", "/mm3, /uL"),
        ("PLT", "150000000", "/uL", "unit_mistake", "150 10^9/L"),
        ("HGB", "120000000", "g/L", "unit_mistake", "120 g/L"),
        ("CREA", "1.2", "stone", "unknown_code", ""),
        ("PTL", "150", "10^9/L", "unknown_test", "plt"),
        ("PLT", "abc", "10^9/L", "not_a_number", ""),
        ("PLT", "", "10^9/L", "no_value", ""),
        ("PLT", "=cmd|' /C calc'!A0", "10^9/L", "formula", ""),
        ("PLT", "@SUM(A1)", "10^9/L", "formula", ""),
    ],
)
def test_a_cell_that_cannot_be_is_refused_with_its_likely_fix(
    send: Any, subject: Any, test: str, value: str, unit: str, code: str, fix: str
) -> None:
    file, rows = send(f'{LAB}\n{subject.subjid},D1,2026-01-05 08:00,{test},"{value}",{unit}\n', "lab_long")
    assert file.state == "REFUSED" and codes(rows, 2) == [code], rows
    problem = rows[2]["problems"][0]
    assert problem.get("fix", "") == fix and problem["zh"] and problem["column"]


@pytest.mark.parametrize(
    ("item", "text", "fix"),
    [
        ("temp_c", "36.8", "36.8 degC"),
        ("temp_c", "38", "38 degC"),
        ("temp_c", "985", "98.5 degF"),
        ("temp_c", "9.85", "98.5 degF"),
        ("temp_c", "368", "36.8 degC"),
        ("temp_c", "5000", ""),
        ("height_cm", "700", "70 in"),
        ("height_cm", "178", "178 cm"),
        ("weight_kg", "1500", "150 lb"),
    ],
)
def test_the_fix_of_a_converted_number_is_the_unit_before_the_point(item: str, text: str, fix: str) -> None:
    """Degrees Celsius that were read as Fahrenheit become 2.7, which a point shifted makes 27: nobody meant that."""
    profile = profile_named("vs_raw")
    converted = profile.convert[item].apply(Decimal(text))
    problem = next(iter(_out_of_range(item, items(VitalSigns)[item], converted)), None)
    assert problem is not None, converted
    told = with_hint(of_problem(problem, "TEMP"), item, VitalSigns, text, "", profile)
    assert told.fix == fix and told.code == ("unit_mistake" if fix else "impossible")
    assert fix.split(" ")[0] in told.zh and told.en.count("?") == bool(fix)


@pytest.mark.parametrize(
    ("value", "unit", "fix", "says"),
    [
        ("36.8", "F", "36.8 degC", "fits degC"),
        ("98.6", "°F", "37.0 degC", "It is 37.0 degC"),
        ("98.6", "degF", "37.0 degC", "It is 37.0 degC"),
        ("310", "K", "degC", "Convert the value"),
        ("warm", "F", "degC", "Convert the value"),
    ],
)
def test_a_temperature_under_another_units_label(value: str, unit: str, fix: str, says: str) -> None:
    found = of_label(VitalSigns, "temp_c", value, normalise(unit).casefold())
    assert found[0] == fix and says in found[1] and found[2]


@pytest.mark.django_db
def test_an_unknown_visit_is_refused_with_the_nearest_and_an_unknown_subject_without(
    send: Any, subject: Any, new_subject: Any, other_site: Any, actor: Any
) -> None:
    elsewhere = new_subject(by=actor("coordinator_elsewhere"), at=other_site)
    file = (
        f"subject,visit,ecog_date,ecog\n{subject.subjid}9,D0,2026-01-05,1\n{subject.subjid},D00,2026-01-05,1\n"
        f"{elsewhere.subjid},D0,2026-01-05,1\n,D0,2026-01-05,1\n"
    )
    _, rows = send(file, "form:ecog")
    assert [codes(rows, line) for line in (2, 3, 4, 5)] == [
        ["unknown_subject"],
        ["unknown_visit"],
        ["unknown_subject"],
        ["required"],
    ]
    assert "fix" not in rows[2]["problems"][0] and "subject map" in rows[2]["problems"][0]["en"]
    assert rows[3]["problems"][0]["fix"] == "D0"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("０１－０１５", "01-015"),
        ("01 015", "01-015"),
        ("01015", "01-015"),
        ("1-15", "01-015"),
        ("1-015", "01-015"),
        ("701-1015", ""),
        ("701-015", ""),
        ("01-016", ""),
        ("01-0159", ""),
        ("10-015", ""),
        ("", ""),
    ],
)
def test_only_another_way_of_writing_the_same_subject_is_suggested(written: str, meant: str) -> None:
    assert same_number(written, ["01-015", "01-115", "02-015"]) == meant


@pytest.mark.django_db
def test_doubled_rows_count_once_and_contradicting_ones_are_both_refused(send: Any, subject: Any) -> None:
    row = f"{subject.subjid},D1,2026-01-05 08:00,WBC,%s,10^9/L"
    _, rows = send("\n".join([LAB, row % "4.5", row % "4.5"]), "lab_long")
    assert outcomes(rows) == {2: "created", 3: "unchanged"} and rows[3]["same_as"] == 2
    row = row.replace("D1", "D2")
    _, rows = send(
        "\n".join([LAB, row % "4.5", row % "4.6", row.replace("WBC", "HGB") % "120"]),
        "lab_long",
        policy="GOOD",
    )
    assert outcomes(rows)[2] == outcomes(rows)[3] == "refused"
    assert codes(rows, 2) == ["contradiction_in_file"] and "3" in rows[2]["problems"][0]["en"]


@pytest.mark.django_db
def test_a_row_that_cannot_be_read_contradicts_nobody(send: Any, subject: Any) -> None:
    row = f"{subject.subjid},D3,%s 08:00,%s,%s,10^9/L"
    good, sibling = row % ("2026-01-05", "WBC", "4.5"), row % ("2026-01-05", "PLT", "90")
    _, rows = send(
        "\n".join([LAB, good, sibling, row % ("2026-02-30", "ANC", "2.1")]), "lab_long", policy="GOOD"
    )
    assert outcomes(rows) == {2: "created", 3: "created", 4: "refused"}
    assert codes(rows, 4) == ["no_such_day"]
    other = row.replace("D3", "D4")
    lines = [
        LAB,
        other % ("2026-01-06", "WBC", "4.5"),
        other % ("2026-01-06", "PLT", "90"),
        other % ("2026-01-07", "ANC", "2"),
    ]
    _, rows = send("\n".join(lines), "lab_long", policy="GOOD")
    assert [codes(rows, line) for line in (2, 3, 4)] == [["contradiction_in_file"]] * 3
    said = [rows[line]["problems"][0]["en"] for line in (2, 4)]
    assert (
        "line 4 says" in said[0] and "line 2, 3 says" in said[1]
    )  # of others that differ, not of those that agree
    assert all("UNSCHED" in one and "two times" not in one for one in said)


@pytest.mark.django_db
@pytest.mark.req("R-12")
def test_a_later_file_fills_what_was_empty_and_overwrites_nothing(send: Any, subject: Any, li: Any) -> None:
    row = f"{subject.subjid},D5,2026-01-05 08:00,%s,%s,10^9/L"
    _, first = send("\n".join([LAB, row % ("WBC", "4.5")]), "lab_long")
    later = "\n".join([LAB, row % ("PLT", "90"), row % ("WBC", "4.5")])
    _, rows = send(later, "lab_long", name="later.csv")
    assert outcomes(rows) == {2: "created", 3: "unchanged"} and rows[2]["record"] == first[2]["record"]
    with audit.reading(li):
        record = Haematology.objects.get(pk=first[2]["record"])
        reason = history_model(Haematology).objects.get(id=record.pk, version=2).history_change_reason
    assert (record.wbc_value, record.plt_value, record.version) == (Decimal("4.5"), 90, 2)
    assert "later.csv" in reason
    _, rows = send(later, "lab_long", name="later.csv")
    assert set(outcomes(rows).values()) == {"unchanged"}
    both = "\n".join([LAB, row % ("ANC", "2.1"), row % ("WBC", "4.6")])
    _, rows = send(both, "lab_long", policy="GOOD")
    assert outcomes(rows) == {2: "created", 3: "refused"} and codes(rows, 3) == ["conflict"]
    _, rows = send(
        "\n".join([LAB, row % ("HGB", "12"), row % ("WBC", "4.6")]).replace("12,10^9/L", "120,g/L"),
        "lab_long",
        correct=True,
    )
    assert outcomes(rows) == {2: "created", 3: "corrected"}


@pytest.mark.django_db
def test_the_columns_that_are_missing_and_found_are_named(send: Any) -> None:
    file, _ = send("subjekt,visit,datetime,tset,value,unit\n1,2,3,4,5,6\n", "lab_long")
    assert (file.state, file.failure["code"]) == ("FAILED", "wrong_columns")
    for word in ("missing “subject”", "“subjekt”", "missing “test”", "“tset”", "Found: subjekt, visit"):
        assert word in file.failure["en"]


@pytest.mark.django_db
def test_a_row_with_too_many_or_too_few_cells_is_refused(send: Any, subject: Any) -> None:
    s = subject.subjid
    _, rows = send(f"subject,visit,ecog_date,ecog\n{s},D0,2026-01-05,1,1\n{s},D0\n", "form:ecog")
    assert codes(rows, 2) == codes(rows, 3) == ["wrong_width"]


@pytest.mark.django_db
def test_an_unlikely_value_is_entered_and_asked_about(send: Any, subject: Any, li: Any) -> None:
    _, rows = send(f"{LAB}\n{subject.subjid},D1,2026-01-05 08:00,WBC,150,10^9/L\n", "lab_long")
    assert rows[2]["queries"] == 1
    with audit.reading(li):
        (query,) = Query.objects.filter(record_id=rows[2]["record"])
    assert (query.check_id, query.source, query.status) == ("soft.wbc", "AUTO", "OPEN")


@pytest.mark.django_db
def test_locked_and_retracted_records_take_nothing(send: Any, subject: Any, li: Any, actor: Any) -> None:
    _, rows = send(f"subject,visit,ecog_date,ecog\n{subject.subjid},D0,2026-01-05,1\n", "form:ecog")
    record = stored(li, Ecog, pk=rows[2]["record"])
    set_lock(record, "LOCKED", by=actor("data_manager_qian"), reason="end of cleaning")
    _, rows = send(
        f"subject,visit,ecog_date,ecog\n{subject.subjid},D0,2026-01-05,2\n", "form:ecog", correct=True
    )
    assert codes(rows, 2) == ["locked"]
    set_lock(record, "OPEN", by=actor("data_manager_qian"), reason="wrong subject")
    record = stored(li, Ecog, pk=record.pk)
    retract_record(record, by=li, reason="wrong subject", seen=record.version)
    _, rows = send(f"subject,visit,ecog_date,ecog\n{subject.subjid},D0,2026-01-05,1\n", "form:ecog")
    assert codes(rows, 2) == ["retracted"]


@pytest.mark.django_db
def test_pk_and_cytokines_come_by_file(send: Any, subject: Any, li: Any) -> None:
    s = subject.subjid
    file = f"subject,visit,datetime,day,specimen,assay,result,copies,lloq\n{s},D7,2026-01-12 08:00,7,PB,QPCR,1500,1500,50\n"
    assert outcomes(send(file, "pk")[1]) == {2: "created"}
    assert stored(li, PkSample, subject=subject).copies_per_ug == 1500
    file = f"{LAB},day\n{s},D7,2026-01-12 08:00,IL-6,250,pg/mL,7\n{s},D7,2026-01-12 08:00,TNF-α,12,pg/mL,7\n"
    assert outcomes(send(file, "cytokines_long")[1]) == {2: "created", 3: "created"}
    assert stored(li, PdCytokine, subject=subject).il6_si == 250


@pytest.mark.django_db
def test_vital_signs_come_one_row_per_measurement_and_other_units_are_refused(
    send: Any, subject: Any, li: Any
) -> None:
    s = subject.subjid
    head = "subject,visit,datetime,test,value,unit\n"
    rows = f"{s},D1,2026-01-05 08:00,TEMP,36.8,℃\n{s},D1,2026-01-05 08:00,SYSBP,120,mmHg\n{s},D1,2026-01-05 08:00,PULSE,70,/min\n"
    assert set(outcomes(send(head + rows, "vitals_long")[1]).values()) == {"created"}
    assert stored(li, VitalSigns, subject=subject).sbp == 120
    _, told = send(f"{head}{s},D2,2026-01-06 08:00,TEMP,98.6,F\n", "vitals_long")
    assert codes(told, 2) == ["other_unit"]


@pytest.mark.django_db
def test_missing_marks_and_status_come_by_file(send: Any, subject: Any, li: Any) -> None:
    _, rows = send(
        f"subject,visit,ecog_date,ecog,missing.ecog,status\n{subject.subjid},D0,2026-01-05,,NOT_DONE,COMPLETE\n",
        "form:ecog",
    )
    record = stored(li, Ecog, pk=rows[2]["record"])
    assert (record.missing, record.status) == ({"ecog": "NOT_DONE"}, "COMPLETE")


@pytest.mark.django_db
def test_a_workbook_is_entered_like_a_text_file(send: Any, subject: Any) -> None:
    file = book([["subject", "visit", "ecog_date", "ecog"], [subject.subjid, "D0", datetime(2026, 1, 5), 1]])
    assert outcomes(send(file, "form:ecog", name="x.xlsx")[1]) == {2: "created"}


@pytest.mark.django_db
def test_a_header_without_rows_is_said(send: Any) -> None:
    file, _ = send("subject,visit,ecog_date,ecog\n", "form:ecog")
    assert (file.state, file.failure["code"]) == ("FAILED", "no_rows")


@pytest.mark.django_db
def test_who_may_not_enter_may_not_import(send: Any, wu: Any, actor: Any) -> None:
    from entry.door import Forbidden

    for by in (wu, actor("data_manager_qian")):
        with pytest.raises(Forbidden):
            send("subject,visit,ecog_date,ecog\n", "form:ecog", by=by)


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-24")
def test_a_large_file_is_a_job_that_acts_as_its_sender_within_the_senders_sites(
    tmp_path: Path,
    li: Any,
    site: Any,
    subject: Any,
    other_site: Any,
    actor: Any,
    new_subject: Any,
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(limits, "AT_ONCE_BYTES", 0)
    elsewhere = new_subject(by=actor("coordinator_elsewhere"), at=other_site)
    path = tmp_path / "x.csv"
    path.write_text(
        f"subject,visit,ecog_date,ecog\n{subject.subjid},D0,2026-01-05,1\n{elsewhere.subjid},D0,2026-01-05,1\n"
    )
    file = take_in(path, "x.csv", "form:ecog", Options(policy="GOOD"), site, by=li)
    job = start(file, li, "COMMIT")
    assert job is not None and file_of(li, file.pk).state == "SENT"
    assert jobs.drain(KINDS) == 1
    done = file_of(li, file.pk)
    assert (done.state, done.counts["created"], done.counts["refused"]) == ("DONE", 1, 1)
    with audit.reading(li):
        row = history_model(Ecog).objects.get(subject_id=subject.pk)
    assert (row.history_user_id, row.actor_role) == (li.person_id, "coordinator")
    assert jobs.one(li, job.pk).state == "DONE"


@pytest.mark.django_db
def test_the_command_checks_commits_and_tells_by_its_exit_code(
    tmp_path: Path, subject: Any, li: Any, capsys: Any
) -> None:
    path = tmp_path / "lab.csv"
    path.write_text(f"subject,visit,ecog_date,ecog\n{subject.subjid},D0,2026-01-05,1\n")
    who = ["--profile", "form:ecog", "--by", "coordinator_li"]
    call_command("import_file", str(path), *who)
    with audit.reading(li):
        assert not Ecog.objects.filter(subject=subject).exists()
    call_command("import_file", str(path), *who, "--commit", "--report", str(tmp_path / "report.csv"))
    assert "1 created" in capsys.readouterr().out
    assert "created" in (tmp_path / "report.csv").read_text(encoding="utf-8-sig")


@pytest.mark.django_db
def test_no_report_for_people_holds_a_formula(tmp_path: Path, subject: Any, li: Any) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"subject,visit,ecog_date,ecog\n{subject.subjid},D0,2026-01-05,+SUM(A1)\n")
    who = ["--profile", "form:ecog", "--by", "coordinator_li", "--report", str(tmp_path / "report.csv")]
    with pytest.raises(SystemExit):
        call_command("import_file", str(path), *who)
    written = (tmp_path / "report.csv").read_text(encoding="utf-8-sig")
    assert ",'+SUM(A1)," in written and ",+SUM(A1)," not in written
    path.write_text(f"subject,visit,ecog_date,ecog\n{subject.subjid},D0,2026-01-05,9\n")
    with pytest.raises(SystemExit) as ended:
        call_command("import_file", str(path), *who)
    assert ended.value.code == 4
    with pytest.raises(CommandError) as usage:
        call_command("import_file", str(path), "--profile", "nothing", "--by", "coordinator_li")
    assert usage.value.returncode == 2
