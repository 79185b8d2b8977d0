"""Derived codes in words: every code has its label in both languages, and what is no code stays as it is."""

from typing import Any

import pytest
from django.utils.translation import override

from entry.derived import shown
from safety.derive.survival import Reason
from safety.derived.every import DERIVATIONS
from safety.derived.words import CODED, FLAG, REASON, in_words


def test_every_coded_value_is_one_that_its_derivation_says() -> None:
    assert [key for key in CODED if key[1] not in {one.name for one in DERIVATIONS[key[0]].says}] == []


def test_every_end_of_a_time_has_words() -> None:
    assert {code for code, _, _ in REASON.rows} == set(Reason)
    assert {code for code, _, _ in FLAG.rows} == {"ALL_BLQ", "INSUFFICIENT_SAMPLING", "TRUNCATED"}


@pytest.mark.parametrize(
    ("derivation", "name", "value", "en", "zh"),
    [
        ("subject_status", "status", "LTFU", "In long-term follow-up", "长期随访中"),
        ("analysis_sets", "sets", ["SAFETY", "PK"], "Safety; Cell kinetics", "安全性集; 细胞动力学集"),
        ("analysis_sets", "sets", [], "–", "–"),
        ("os", "reason", "NO_EVENT", "No event so far", "至今无事件"),
        ("mrd", "category", "UNKNOWN", "Unknown", "未知"),
        ("pk", "assay", "QPCR", "Quantitative PCR", "定量PCR"),
        ("pk", "flag", "", "–", "–"),
        ("pk", "flag", None, "–", "–"),
        ("dose_total", "level", "DL1", "DL1", "DL1"),  # a name of its own
        ("crs_grade", "grade", 2, "2", "2"),
    ],
)
def test_a_derived_code_is_shown_by_its_label(
    derivation: str, name: str, value: Any, en: str, zh: str
) -> None:
    for language, words in (("en", en), ("zh-hans", zh)):
        with override(language):
            assert shown(in_words(derivation, name, value), "Asia/Shanghai") == words
