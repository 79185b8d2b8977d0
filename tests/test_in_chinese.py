"""What rules, criteria and numbers say, in both languages."""

import re

import pytest

from safety import in_chinese
from safety.eligibility.evaluate import JUDGES
from safety.forms import FORMS, STUDY_FORMS
from safety.rules import RULES
from trial.item import items
from trial.protocol import PROTOCOLS, numbers
from trial.protocol_names import NAMES
from trial.protocol_notes import NOTES, TAILS, note_of
from trial.registry import CRITERIA
from trial.text import both

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_rule_every_criterion_and_every_registered_text_has_its_chinese_and_no_other() -> None:
    assert set(in_chinese.RULES) == set(RULES)
    assert set(in_chinese.READINGS) == set(JUDGES)
    assert set(in_chinese.REGISTERED) == {one.id for one in CRITERIA}


def test_every_number_of_every_version_has_a_name_in_both_languages() -> None:
    assert {name for protocol in PROTOCOLS.values() for name, _ in numbers(protocol)} == set(NAMES)
    for name, (en, zh) in NAMES.items():
        assert en and not CHINESE.search(en), name
        assert CHINESE.search(zh), name
    assert len({en for en, _ in NAMES.values()}) == len({zh for _, zh in NAMES.values()}) == len(NAMES)


def test_every_note_of_every_number_has_its_chinese_and_there_is_no_other() -> None:
    notes = {one.note for protocol in PROTOCOLS.values() for _, one in numbers(protocol)}
    for note in notes - {""}:
        said = both(note_of(note))
        assert said["en"] == note and not WORDS.search(said["zh"].replace("trial/jurisdiction.py", "")), note
    bare = set()
    for note in notes:
        for tail in TAILS:
            note = note.removesuffix(tail).rstrip()
        bare.add(note)
    assert bare - {""} == set(NOTES) and note_of("") == ""


@pytest.mark.parametrize("id_", sorted(in_chinese.RULES))
def test_a_number_in_a_rules_english_text_stands_in_the_chinese_one(id_: str) -> None:
    """Words may differ, limits may not: `three` is 三, but 1.6, 141.44 and 91 stay what they are."""

    def figures(text: str) -> set[str]:
        return set(re.findall(r"\d+\.\d+|(?<![A-Za-z\d-])\d{2,}", text))

    assert figures(RULES[id_].text) <= figures(in_chinese.RULES[id_])


WORDS = re.compile(r"[a-z]{3,} [a-z]{2,}")


def test_no_label_note_section_or_choice_of_any_form_is_english_only() -> None:
    """Abbreviations, units and drug names stay as they are; two words in a row are a sentence that somebody forgot."""
    forgotten = []
    for form in (*FORMS, *STUDY_FORMS):
        told = {"": form._meta.verbose_name}
        for name, one in items(form).items():
            told |= {name: one.label, f"{name} note": one.note, f"{name} section": one.section}
            told |= {
                f"{name}={code}": one.codes.label(code) for code in (one.codes.codes if one.codes else ())
            }
        forgotten += [
            f"{form.form} {name}: {words['zh']}"
            for name, text in told.items()
            if text and not CHINESE.search((words := both(text))["zh"]) and WORDS.search(words["zh"])
        ]
    assert not forgotten, "\n".join(forgotten)
