"""The printed catalogue in docs/: what a clinician reviews is what the system runs."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from exchange.printed import differing, printed, rules_csv
from safety.eligibility.evaluate import CRITERION_IDS
from safety.rules import RULES

DOCS = Path(settings.BASE_DIR) / "docs"


def test_the_printed_files_are_what_the_system_runs() -> None:
    assert differing(DOCS) == [], "run manage.py catalogue"


@pytest.mark.req("R-73")
def test_every_criterion_and_every_rule_is_printed_with_its_source() -> None:
    rows = list(csv.DictReader(io.StringIO(rules_csv())))
    assert {row["id"] for row in rows} >= {*CRITERION_IDS, *RULES}
    assert [row["id"] for row in rows if not (row["cites"] and row["basis"] and row["text"])] == []


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    for name, text in printed().items():
        (tmp_path / name).write_bytes(text.encode())
    assert differing(tmp_path) == []
    (tmp_path / "rules.csv").write_bytes(rules_csv().replace("18", "17", 1).encode())
    with pytest.raises(CommandError, match=r"rules\.csv"):
        call_command("catalogue", "--check", folder=tmp_path)
    call_command("catalogue", folder=tmp_path, stdout=io.StringIO())
    assert differing(tmp_path) == []


def test_running_it_again_has_nothing_to_do(tmp_path: Path) -> None:
    said: Any = io.StringIO()
    call_command("catalogue", folder=tmp_path, stdout=said)
    call_command("catalogue", folder=tmp_path, stdout=said)
    assert "nothing to do" in said.getvalue()
