"""The vocabulary of derivations: a small pure function over a casebook, with its method, its source and its inputs.

@derivation("bsa", en="Body surface area", zh="体表面积", group="DOSE", method="MOSTELLER1987", basis=Basis.GUIDELINE,
            cites="Mosteller 1987", reads=(Lymphodepletion,), says=(Says("bsa_m2", "Body surface", "体表面积", "m2"),))
def body_surface_of_each_dose(book, protocol):
    yield Derived(...)
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from hashlib import sha256
from json.encoder import encode_basestring as quoted
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from subjects.crf import CRF
from trial.item import Basis
from trial.many import ENCODE, Written
from trial.protocol import Protocol
from trial.rules import Fact
from trial.text import T

GROUPS: Mapping[str, tuple[str, str]] = {
    "SUBJECT": ("Subject", "受试者"),
    "DOSE": ("Doses", "剂量"),
    "TOXICITY": ("CRS and ICANS", "CRS与ICANS"),
    "LABORATORY": ("Laboratory", "实验室检查"),
    "RESPONSE": ("Response", "疗效"),
    "SURVIVAL": ("Time to event", "至事件时间"),
    "KINETICS": ("Cellular kinetics, cytokines, B cells", "细胞动力学、细胞因子与B细胞"),
}


class Input(NamedTuple):
    """One answer that a derivation rests on, and the version of its record that was read."""

    form: str
    record: UUID
    field: str
    value: str
    version: int

    @property
    def fact(self) -> Fact:
        """The same as a rule's fact."""
        return Fact(self.form, self.record, self.field, self.value)


@dataclass(frozen=True)
class Derived:
    """One derived value. `key` tells it from others of its name: a record's id, an assay and specimen, or "".

    value    by the names its derivation says: numbers as exact decimals, days and moments as such; None is "not told"
    on       the day it stands for
    form, record   the record it is about, if it is about one
    differs  what it was compared with says something else: this is asked about
    """

    key: str
    value: Mapping[str, Any]
    inputs: tuple[Input, ...]
    on: date | None = None
    form: str = ""
    record: UUID | None = None
    differs: bool = False


Work = Callable[[Any, Protocol], Iterable[Derived]]


@dataclass(frozen=True)
class Says:
    """One value of a derivation: its name, its words, its unit."""

    name: str
    en: str
    zh: str
    unit: str = ""


@dataclass(frozen=True)
class Derivation:
    """How something is derived, and where that stands."""

    name: str
    en: str
    zh: str
    group: str
    method: str
    basis: Basis
    cites: str
    reads: tuple[type[CRF], ...]
    says: tuple[Says, ...]
    work: Work

    @property
    def title(self) -> str:
        """What is derived, in the active language."""
        return T(self.en, self.zh)

    @property
    def text(self) -> str:
        """How it is derived, from the function's docstring."""
        return " ".join((self.work.__doc__ or "").split())

    def __call__(self, book: Any, protocol: Protocol) -> list[Derived]:
        """Everything of this name for one casebook under one protocol version."""
        return list(self.work(book, protocol))


def derivation(
    name: str,
    *,
    en: str,
    zh: str,
    group: str,
    method: str,
    basis: Basis,
    cites: str,
    reads: tuple[type[CRF], ...],
    says: tuple[Says, ...],
) -> Callable[[Work], Derivation]:
    """Make a derivation of a function; the function's docstring tells how it is done."""
    return lambda work: Derivation(name, en, zh, group, method, basis, cites, reads, says, work)


class Plain(dict[str, Any]):
    """A value that is already as JSON keeps it."""

    @cached_property
    def text(self) -> str:
        """The same as JSON text, written once."""
        return ENCODE(self)


class Seen(tuple[Input, ...]):
    """Inputs whose hash is known already."""

    mark: str = ""


def text_of(value: Mapping[str, Any]) -> str:
    """A plain value as JSON text, as the digests are made of it; parts that are written already are not written again."""
    if not any(type(one) is Plain for one in value.values()):
        return ENCODE(value)
    parts = [
        f"{ENCODE(name)}:{one.text if type(one) is Plain else ENCODE(one)}" for name, one in value.items()
    ]
    return "{" + ",".join(parts) + "}"


def hash_of(inputs: Sequence[Input]) -> str:
    """SHA-256 over the answers: form, record, field and value, in their order; the versions apart."""
    if isinstance(inputs, Seen):
        return inputs.mark
    said: list[str] = []
    last, place = None, ""
    for form, record, field, value, _ in inputs:
        if record is not last:
            last, place = record, f"{form}\x1f{record}\x1f"
        said.append(f"{place}{field}\x1f{value}")
    return sha256("\x1e".join(said).encode()).hexdigest()


def inputs(form: type[CRF], row: Any, *fields: str) -> tuple[Input, ...]:
    """These answers of one row, empty ones left out; the name of a link stands without its "_id"."""
    key, name_of, version = row.pk, form.form, row.version
    found = []
    for name, value in zip(fields, _values(fields)(row), strict=True):
        text = value if type(value) is str else told(value)
        if text:
            found.append(Input(name_of, key, name.removesuffix("_id"), text, version))
    return tuple(found)


@lru_cache(maxsize=1024)
def _values(fields: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads these answers of a row at once."""
    if len(fields) > 1:
        return attrgetter(*fields)
    return lambda row: tuple(getattr(row, name) for name in fields)


def written(inputs: Sequence[Input]) -> Written:
    """Inputs as the JSON text that is kept of them."""
    said: list[str] = []
    last, before, after = None, "", ""
    for form, record, field, value, version in inputs:
        if record is not last:
            last, before = record, f'{{"form":"{form}","record":"{record}","field":"'
            after = f',"version":{version}}}'
        said.append(f'{before}{field}","value":{quoted(value)}{after}')
    return Written(f"[{','.join(said)}]")


def told(value: Any) -> str:
    """An answer as text; "" when there is none. Days and moments in ISO 8601, numbers exactly as stored."""
    if value is None:
        return ""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is Decimal:
        return f"{value:f}"
    if value == []:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def plain(value: Any) -> Any:
    """A value as JSON keeps it: numbers as exact text, days and moments in ISO 8601, moments in UTC."""
    kind = type(value)
    if value is None or kind in (str, int, bool, Plain):
        return value
    if kind is Decimal:
        return _shortest(value)
    if kind is dict:
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return [plain(one) for one in value] if isinstance(value, list | tuple) else str(value)


def _shortest(value: Decimal) -> str:
    """A number without trailing zeros and without an exponent: however it was stored, it reads the same."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
