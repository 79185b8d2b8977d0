"""Synthetic subjects, written set-wise by the owner in attributed transactions: the triggers do their work.

Every value follows from the subject's number, so two runs hold the same study. Nobody here is or was a person.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models

from bench.place import Raw
from dosing.models import Apheresis, DoseAllocation, Infusion, Lymphodepletion, Manufacturing
from subjects.crf import Subject
from subjects.models import Demographics, DiseaseHistory, Eligibility, InformedConsent, PriorTransplant
from trial import audit, people
from trial.access import Actor
from trial.models import IcfVersion, Person, Site, SiteProtocol
from visits.models import BoneMarrow, Ecog, Visit, VitalSigns

SETTING_UP = Actor(0, "system_admin", (), "benchmark")
VISITS = "SCR APH LD-5 LD-4 LD-3 D0 D1 D2 D3 D4 D7 D10 D14 D21 D28".split()
VITALS = "D0 D1 D2 D3 D7".split()
CONSENT = "(date '2023-01-01' + g % 700)"
DAY0 = f"({CONSENT} + 40 + g % 5)"
CHUNK = 250
"""Subjects in one transaction: the history trigger holds one advisory lock for each of them until the commit."""


def people_and_sites() -> dict[str, Person]:
    """A second site; a coordinator at each; a downstream system and a monitor for both."""
    with audit.transaction(SETTING_UP, "benchmark"):
        second = Site(
            code="02",
            name="Second",
            name_zh="第二",
            irb_approval_date=date(2021, 3, 1),
            activation_date=date(2021, 4, 1),
        )
        second.save(force_insert=True)
        IcfVersion(
            site=second,
            label="1.0",
            version_date=date(2021, 2, 15),
            irb_approval_date=date(2021, 3, 1),
            protocol_version="1.0",
        ).save(force_insert=True)
        SiteProtocol(site=second, protocol_version="1.0", approved_on=date(2021, 3, 1)).save(
            force_insert=True
        )
    first = Site.objects.get(code="01")
    parts: tuple[tuple[str, str, Site | None], ...] = (
        ("coordinator", "coordinator", first),
        ("elsewhere", "coordinator", second),
        ("downstream", "downstream", None),
        ("monitor", "monitor", None),
    )
    made = {}
    for name, role, site in parts:
        made[name] = people.add(
            f"bench_{name}", name.title(), f"{name}@bench.invalid", None, by=SETTING_UP, language="en"
        )
        people.delegate(made[name], role, site, date(2020, 1, 1), by=SETTING_UP)
    return made


def enter(db: Raw, first: int, last: int, *, history: bool = True) -> None:
    """Enter the subjects numbered `first` to `last` with everything the rules read; without history if wished."""
    person = db.execute("SELECT id FROM trial_person WHERE username = 'bench_coordinator'").fetchone()
    assert person is not None
    statements = [_insert(model, k, rows, given) for model, k, rows, given in _forms(person[0])]
    if not history:
        _without_history(db)
    for start in range(first, last + 1, CHUNK):
        with db.transaction():
            db.execute(
                "SELECT set_config('edc.actor', %s, true), set_config('edc.role', 'system', true)",
                [str(person[0])],
            )
            for statement in statements:
                db.execute(statement, {"low": start, "high": min(last, start + CHUNK - 1)})
    db.execute("DELETE FROM trial_outbox")  # what set-up owes shall not be done while something is measured
    for table in ("trial_outbox", "trial_ledgerentry", *(m._meta.db_table for m, *_ in _forms(0))):
        db.execute(f"VACUUM ANALYZE {table}")


def _without_history(db: Raw) -> None:
    """Switch off, as the owner, the triggers that write history, ledger and outbox in this throw-away database."""
    for model, *_ in _forms(0):
        table = model._meta.db_table
        triggers = db.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE '%%b_history%%'",
            [table],
        )
        for (name,) in triggers.fetchall():
            db.execute(f'ALTER TABLE {table} DISABLE TRIGGER "{name}"')


def _key(k: int, n: str = "0") -> str:
    """The id of row `n` of kind `k` of subject g: ordered by subject like a version 7 identifier by time."""
    random = f"substr(md5('{k}/' || g || '/' || {n}), 1, 12)"
    return f"(lpad(to_hex(1700000000000 + g::bigint), 12, '0') || '7' || lpad(to_hex({k} * 100 + {n}), 3, '0') || '8000' || {random})::uuid"


Given = dict[str, str]


def _forms(person: int) -> list[tuple[type[models.Model], int, int, Given]]:
    """Model, kind, rows per subject, and the SQL of every answer that is given; n counts the rows from 0."""
    day0_at = f"({DAY0} + time '02:00') AT TIME ZONE 'UTC'"
    ago = f"({DAY0} - (50 + g % 110))::text"
    visit_day = f"{DAY0} + (ARRAY[-39,-30,-5,-4,-3,0,1,2,3,4,7,10,14,21,28])[n + 1] + (g % 17 = 0)::int * 3"
    return [
        (Subject, 0, 1, {"site_id": "(SELECT id FROM trial_site WHERE code = CASE g % 2 WHEN 1 THEN '01' ELSE '02' END)",
                         "subjid": "CASE g % 2 WHEN 1 THEN '01' ELSE '02' END || '-' || lpad(g::text, 5, '0')"}),
        (InformedConsent, 1, 1, {"consent_type": "'INITIAL'", "icf_version": "'1.0'", "icf_version_date": "date '2021-02-15'",
                                 "consent_dt": f"({CONSENT} + time '01:30') AT TIME ZONE 'UTC'", "signed_by_subject": "true",
                                 "copy_given": "true", "obtained_by_id": str(person)}),
        (Demographics, 2, 1, {"birth_date": "(1957 + g % 50)::text || '-05-12'", "sex": "CASE g % 3 WHEN 0 THEN 'F' ELSE 'M' END"}),
        (DiseaseHistory, 3, 1, {"prior_allo_sct": "CASE WHEN g % 4 < 3 THEN 'YES' ELSE 'NO' END"}),
        (PriorTransplant, 4, 2, {
            "sct_date": f"CASE g % 11 WHEN 0 THEN '' WHEN 1 THEN substr({ago}, 1, 4) WHEN 2 THEN substr({ago}, 1, 7) ELSE {ago} END",
            "sct_type": "CASE WHEN n = 1 THEN 'AUTO' WHEN g % 13 = 0 THEN '' ELSE 'ALLO' END", "sequence": "n + 1"}),
        (Eligibility, 5, 1, {"milestone": "'SCREENING'", "assessed_date": f"{CONSENT} + 9", "overall": "'ELIGIBLE'"}),
        (Apheresis, 6, 1, {"aph_start_dt": f"({CONSENT} + 10 + time '03:00') AT TIME ZONE 'UTC'"}),
        (Manufacturing, 7, 1, {"release_decision": "CASE WHEN g % 29 = 0 THEN 'REJECTED' ELSE 'RELEASED' END"}),
        (Lymphodepletion, 8, 5, {
            "drug": "CASE WHEN n < 3 THEN 'FLUDARABINE' ELSE 'CYCLOPHOSPHAMIDE' END", "planned_day": "-5 + n % 3",
            "admin_dt": f"({DAY0} - 5 + n % 3 + time '02:00') AT TIME ZONE 'UTC'", "planned_mg": "50",
            "actual_mg": "50 + (g % 23 = 0)::int * 9", "sequence": "n + 1"}),
        (DoseAllocation, 9, 1, {"level": "'DL1'", "planned_per_kg": "1000000", "allocated_dt": f"{day0_at} - interval '6 day'"}),
        (Infusion, 10, 1, {"part_no": "1", "batch_id": _key(7), "bag_ids": "'B1'", "bedside_id_check": "g % 31 > 0",
                           "inf_start_dt": day0_at, "actual_per_kg": "1000000 + (g % 19 = 0)::int * 400000"}),
        (Visit, 11, len(VISITS), {"visit": _one_of(VISITS), "actual_date": visit_day}),
        (VitalSigns, 12, len(VITALS), {
            "visit": _one_of(VITALS), "vs_dt": f"{day0_at} + n * interval '1 day'", "timepoint": "'VISIT'",
            "temp_c": "36.5 + (g + n) % 20 / 10.0", "temp_route": "'AXILLARY'", "sbp": "110 + g % 20", "dbp": "70 + g % 10",
            "pulse": "70 + g % 30", "resp_rate": "16", "spo2_pct": "98.0", "room_air": "true", "weight_kg": "60.5 + g % 10"}),
        (Ecog, 13, 1, {"visit": "'SCR'", "ecog_date": f"{CONSENT} + 5", "ecog": "(g % 37 = 0)::int + g % 2"}),
        (BoneMarrow, 14, 1, {"visit": "'SCR'", "bm_dt": f"({CONSENT} + 4 + time '03:00') AT TIME ZONE 'UTC'",
                             "blast_pct_morph": "CASE WHEN g % 41 = 0 THEN 3 ELSE 40 END"}),
    ]  # fmt: skip


def _one_of(codes: list[str]) -> str:
    return f"(ARRAY[{', '.join(repr(code) for code in codes)}])[n + 1]"


def _insert(model: type[models.Model], k: int, rows: int, given: Given) -> str:
    """INSERT … SELECT over the subjects and n; what is not given gets the model's default."""
    given = {"id": _key(k, "n"), "status": "'COMPLETE'", "subject_id": _key(0), **given}
    columns: list[Any] = list(model._meta.local_concrete_fields)
    values = [given.get(column.column) or _default(column) for column in columns]
    unknown = set(given) - {column.column for column in columns} - {"status", "subject_id"}
    assert not unknown, f"{model.__name__} has no {unknown}"
    names = ", ".join(f'"{column.column}"' for column in columns)
    source = f"generate_series(%(low)s::int, %(high)s::int) g, generate_series(0, {rows - 1}) n"
    return f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(values)} FROM {source} ORDER BY g, n".replace(
        "% ", "%% "
    )


def _default(column: Any) -> str:
    value = column.get_default()
    if value is None or column.column in ("site_id", "version"):
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "'{}'::jsonb"
    if isinstance(value, list):
        return "'{}'"
    return str(value) if isinstance(value, int) else f"'{value}'"
