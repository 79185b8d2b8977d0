"""The printed catalogue: the dictionary, derived values, the rules and the protocol's numbers as CSV that a clinician can review.

All are made from the definitions themselves, stand in `docs/` and are compared by a test, so they cannot drift.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from exchange.catalogue import dictionary_csv
from safety import in_chinese
from safety.derived.every import DERIVATIONS
from safety.eligibility.evaluate import JUDGES
from safety.rules import RULES
from trial.ambiguity import readings_of
from trial.protocol import PROTOCOLS, V1, numbers
from trial.protocol_names import NAMES
from trial.registry import criterion

RULE_COLUMNS = (
    *("id", "kind", "title_en", "title_zh", "text", "text_zh", "cites", "basis", "severity", "category"),
    *("parameters", "limit_en", "limit_zh", "reads", "clocked", "readings"),
)
DERIVATION_COLUMNS = (
    *("name", "group", "title_en", "title_zh", "value", "en", "zh", "unit"),
    *("text", "method", "basis", "cites", "reads", "readings"),
)
NUMBER_COLUMNS = ("version", "name", "en", "zh", "value", "basis", "cite", "note")


def printed() -> dict[str, str]:
    """File name to content, as they belong into `docs/`."""
    return {
        "dictionary.csv": dictionary_csv(),
        "derivations.csv": derivations_csv(),
        "rules.csv": rules_csv(),
        "protocol.csv": protocol_csv(),
    }


def differing(folder: Path) -> list[str]:
    """The files of a folder that are missing or not as they would be printed now."""
    return [name for name, text in printed().items() if _text(folder / name) != text]


def _text(path: Path) -> str:
    return path.read_bytes().decode() if path.exists() else ""


def rules_csv() -> str:
    """The 29 criteria with their parts, then every deviation rule."""
    return _csv(RULE_COLUMNS, [*_criteria(), *_deviations()])


def _criteria() -> Iterable[Sequence[Any]]:
    for id_, judge in JUDGES.items():
        limit = judge.limit(V1)
        kind = "inclusion" if id_.startswith("I") else "exclusion"
        said, translated = (criterion(id_).text, in_chinese.REGISTERED[id_]) if len(id_) == 4 else ("", "")
        yield (id_, kind, said, translated, judge.text, in_chinese.READINGS[id_],
               f"Registry {id_[:4]}", str(judge.basis), "", "ELIGIBILITY",
               _parameters(id_), *limit, "", False, _readings(id_))  # fmt: skip


def _deviations() -> Iterable[Sequence[Any]]:
    for rule in sorted(RULES.values(), key=lambda one: one.id):
        reads = ";".join(sorted({str(getattr(form, "form", form.__name__)) for form in rule.reads}))
        yield (rule.id, "deviation", rule.en, rule.zh, rule.text, in_chinese.RULES[rule.id],
               rule.cites, str(rule.basis), str(rule.severity),
               rule.category, _parameters(rule.id), "", "", reads, rule.clocked, _readings(rule.id))  # fmt: skip


def _readings(what: str) -> str:
    """The readings of the registry record it rests on: provisional, until somebody approves them at /ambiguities."""
    return ";".join(one.id for one in readings_of(what))


def _parameters(id_: str) -> str:
    """The protocol's numbers that name this rule or criterion as theirs, with their values in version 1.0."""
    mine = [
        (name, one)
        for name, one in numbers(V1)
        if id_ in one.cite.replace("(", " ").replace(",", " ").split()
    ]
    return ";".join(f"{name}={_said(one.value)}" for name, one in mine)


def protocol_csv() -> str:
    """Every number of every protocol version with its source."""
    rows = [
        (version, name, *NAMES[name], _said(one.value), str(one.basis), one.cite, one.note)
        for version, protocol in PROTOCOLS.items()
        for name, one in numbers(protocol)
    ]
    return _csv(NUMBER_COLUMNS, rows)


def derivations_csv() -> str:
    """Every value that is derived, with its unit, how it is done, and where that stands."""
    return _csv(
        DERIVATION_COLUMNS,
        [
            (
                *(how.name, how.group, how.en, how.zh, says.name, says.en, says.zh, says.unit),
                *(
                    how.text,
                    how.method,
                    str(how.basis),
                    how.cites,
                    ";".join(sorted(f.form for f in how.reads)),
                    _readings(how.name),
                ),
            )
            for how in DERIVATIONS.values()
            for says in how.says
        ],
    )


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return "|".join(_said(one) for one in value)
    if hasattr(value, "items"):
        return "|".join(f"{key}:{_said(one)}" for key, one in value.items())
    return str(value)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
