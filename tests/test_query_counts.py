"""How many SQL statements the main pages and calls take: as many as the committed baseline says, and as many with
twelve subjects as with one.

A page that needs more fails here. When more is meant, or less was reached, write the baseline anew and commit it:

    EDC_WRITE_QUERY_COUNTS=1 make test PYTEST_ARGS="tests/test_query_counts.py"
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from entry.places import form_url
from review.queries import raise_query
from safety.engine import evaluate
from subjects.models import Demographics, InformedConsent, PriorTransplant
from tests.entering import correct, enter
from trial.people import system_actor
from visits.models import Ecog, Haematology, VitalSigns

BASELINE = Path(__file__).with_name("query_counts.json")
WRITE = os.environ.get("EDC_WRITE_QUERY_COUNTS") == "1"
FEW, MANY = 1, 12
_CONTROL = re.compile(r"^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b")
VITALS = {
    "vs_dt": "2026-01-05 08:00",
    "timepoint": "VISIT",
    "temp_c": "36.8",
    "temp_route": "AXILLARY",
    "pulse": "71",
}

pytestmark = [pytest.mark.django_db]


@dataclass
class Study:
    """Subjects, and who looks at them."""

    li: Any
    wu: Any
    page: Client
    admin: Client
    api: Client
    new_subject: Callable[..., Any]
    subjects: list[Any]
    record: Any = None

    def grow(self, size: int) -> None:
        """Enter subjects until there are `size`, each with consent, transplant, ECOG, vital signs, a query, flags."""
        while len(self.subjects) < size:
            self.subjects.append(self._one())

    def _one(self) -> Any:
        subject = self.new_subject()
        enter(
            subject,
            InformedConsent,
            self.li,
            consent_type="INITIAL",
            consent_dt="2026-01-05 09:00",
            icf_version="9.9",
        )
        enter(subject, Demographics, self.li, birth_date="1990-05", sex="M")
        enter(subject, PriorTransplant, self.li, sct_date="2025-11", sct_type="ALLO")
        record = enter(
            subject, Ecog, self.li, "SCR", status="COMPLETE", ecog_date="2026-01-05", ecog="3"
        ).record
        enter(subject, VitalSigns, self.li, "SCR", **VITALS)
        raise_query(record, "ecog", "Is this right?", by=self.wu)
        evaluate(subject.pk, by=system_actor())
        return subject


@pytest.fixture
def study(li: Any, wu: Any, person_client: Any, make_token: Any, new_subject: Any) -> Study:
    token = make_token("coordinator_li")
    return Study(
        li=li,
        wu=wu,
        page=person_client("coordinator_li"),
        admin=person_client("monitor_wu"),
        api=Client(headers={"authorization": f"Bearer {token}"}),
        new_subject=new_subject,
        subjects=[],
    )


def _get(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)


def _save_new(study: Study) -> None:
    enter(study.subjects[0], VitalSigns, study.li, "D0", **VITALS)


def _save_correction(study: Study) -> None:
    correct(study.record, study.li, temp_c="37.1")


def _evaluate(study: Study) -> None:
    evaluate(study.subjects[0].pk, by=system_actor())


def _api_create(study: Study) -> None:
    body = {
        "subject": study.subjects[0].subjid,
        "visit": "D1",
        "vs_dt": "2026-01-05T00:00:00Z",
        "temp_c": "36.8",
    }
    answer = study.api.post("/api/v1/forms/vital_signs/", body, content_type="application/json")
    assert answer.status_code == 201, answer.content


def _own(study: Study, model: Any, visit: str) -> str:
    return form_url(study.subjects[0].subjid, model, visit)


DEEDS: dict[str, Callable[[Study], None]] = {
    "save, new record": _save_new,
    "save, correction": _save_correction,
    "evaluation, nothing changed": _evaluate,
    "page, subject matrix": lambda s: _get(s.page, "/subjects"),
    "page, one subject": lambda s: _get(s.page, f"/subjects/{s.subjects[0].subjid}"),
    "page, casebook": lambda s: _get(s.page, f"/subjects/{s.subjects[0].subjid}/casebook"),
    "page, casebook with audit": lambda s: _get(s.page, f"/subjects/{s.subjects[0].subjid}/casebook?audit=1"),
    "page, empty form": lambda s: _get(s.page, _own(s, Haematology, "SCR")),
    "page, form with its record": lambda s: _get(s.page, _own(s, Ecog, "SCR")),
    "page, eligibility": lambda s: _get(s.page, f"/subjects/{s.subjects[0].subjid}/eligibility"),
    "page, grid": lambda s: _get(s.page, f"/subjects/{s.subjects[0].subjid}/grid/vital_signs"),
    "page, panel": lambda s: _get(s.page, f"/subjects/{s.subjects[0].subjid}/panel/haematology"),
    "page, deviations": lambda s: _get(s.page, "/deviations"),
    "page, today": lambda s: _get(s.page, "/today"),
    "api, worklist": lambda s: _get(s.api, "/api/v1/worklist/"),
    "page, queries": lambda s: _get(s.page, "/queries"),
    "page, files in": lambda s: _get(s.page, "/imports"),
    "page, laboratories": lambda s: _get(s.page, "/laboratories"),
    "api, records of a form": lambda s: _get(s.api, "/api/v1/forms/vital_signs/"),
    "api, one record": lambda s: _get(s.api, f"/api/v1/forms/vital_signs/{s.record.pk}/"),
    "api, deviations": lambda s: _get(s.api, "/api/v1/deviations/"),
    "api, new record": _api_create,
    "admin, index": lambda s: _get(s.admin, "/admin/"),
    "admin, records of a form": lambda s: _get(s.admin, "/admin/visits/vitalsigns/"),
    "admin, one record": lambda s: _get(s.admin, f"/admin/visits/vitalsigns/{s.record.pk}/change/"),
}


def _count(deed: Callable[[Study], None], study: Study) -> int:
    """SQL statements of a deed, the transaction's own apart. Done once before, so that nothing is counted that a
    process does only once."""
    for _ in range(2):
        study.record = enter(study.subjects[0], VitalSigns, study.li, "D2", **VITALS).record
        with CaptureQueriesContext(connection) as captured:
            deed(study)
    return sum(1 for query in captured.captured_queries if not _CONTROL.match(query["sql"]))


@pytest.mark.parametrize("name", DEEDS)
def test_the_number_of_statements_does_not_grow(name: str, study: Study) -> None:
    study.grow(FEW)
    few = _count(DEEDS[name], study)
    study.grow(MANY)
    many = _count(DEEDS[name], study)
    known: dict[str, int] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if WRITE:
        BASELINE.write_text(json.dumps(dict(sorted({**known, name: few}.items())), indent=1) + "\n")
        known[name] = few
    assert many == few, f"{name}: {few} statements with {FEW} subject, {many} with {MANY}"
    assert few <= known.get(name, 0), (
        f"{name}: {few} statements; the baseline allows {known.get(name)} (see this file's docstring)"
    )


def test_the_baseline_names_exactly_what_is_counted() -> None:
    if not WRITE:
        assert set(json.loads(BASELINE.read_text())) == set(DEEDS)
