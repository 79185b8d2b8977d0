"""`Analyte`: one laboratory result as typed columns, stated in one line.

    creatinine = Analyte("creatinine", en="Creatinine", zh="肌酐", hard=(5, 3000), soft=(30, 300), required=True)

adds `creatinine_value`, `_qual` (`<` `>` `<=` `>=`), `_unit`, `_si` (calculated, canonical unit), `_lln` / `_uln`
(the range in force, kept with the result in the unit that was entered) and `_cs` (clinical significance).
It adds stock fields the way Django's own composite fields do; hard and soft ranges hold for the canonical unit.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any

from django.db import models

from trial.codes import CodeList
from trial.fields import Number
from trial.item import Limit, _range, item
from trial.units import FACTORS, canonical, convert

QUALIFIER = CodeList(
    "CL_QUAL",
    (
        ("<", "less than", "小于"),
        ("<=", "at most", "小于等于"),
        (">", "more than", "大于"),
        (">=", "at least", "大于等于"),
    ),
)
SIGNIFICANCE = CodeList(
    "CL_CS",
    (
        ("NORMAL", "Normal", "正常"),
        ("NCS", "Abnormal, not clinically significant", "异常无临床意义"),
        ("CS", "Abnormal, clinically significant", "异常有临床意义"),
    ),
)


@dataclass(frozen=True)
class Measured:
    """A result as a rule reads it: canonical value, how it was bounded, and the reference range in that unit."""

    value: Decimal
    qualifier: str
    unit: str
    typed_value: Decimal
    typed_unit: str
    low: Decimal | None
    high: Decimal | None


class Analyte:
    """Declares the columns of one laboratory result on the model it stands in. `quantity` is a key of units.FACTORS."""

    def __init__(
        self,
        quantity: str,
        *,
        en: str,
        zh: str,
        hard: tuple[Limit | None, Limit | None] | None = None,
        soft: tuple[Limit | None, Limit | None] | None = None,
        **meaning: Any,
    ) -> None:
        self.quantity, self.en, self.zh, self.meaning = quantity, en, zh, meaning
        self.hard, self.soft = _range(hard), _range(soft)
        self.units = CodeList(f"CL_UNIT_{quantity.upper()}", tuple((u, u, u) for u in FACTORS[quantity]))
        self.parts = self._parts()

    def _parts(self) -> dict[str, Any]:
        def numeric() -> Any:
            return Number(max_digits=16, decimal_places=8, null=True, blank=True)

        def coded() -> Any:
            return models.CharField(max_length=12, blank=True, default="")

        return {
            "value": numeric(),
            "qual": coded(),
            "unit": coded(),
            "si": numeric(),
            "lln": numeric(),
            "uln": numeric(),
            "cs": coded(),
        }

    def contribute_to_class(self, cls: Any, name: str) -> None:
        """Add the columns; the value's item is the result itself, the others are parts of it."""
        self.name = name
        of = {"part_of": name, "section": self.meaning.get("section", "")}
        unit = canonical(self.quantity)
        said: dict[str, dict[str, Any]] = {
            "value": {"en": self.en, "zh": self.zh, "unit": unit, **self.meaning},
            "qual": {"en": f"{self.en}: qualifier", "zh": f"{self.zh}:限定符", "codes": QUALIFIER, **of},
            "unit": {"en": f"{self.en}: unit", "zh": f"{self.zh}:单位", "codes": self.units, **of},
            "si": {
                "en": f"{self.en} ({unit})",
                "zh": f"{self.zh}({unit})",
                "unit": unit,
                "calc": self.normalised,
                **of,
            },
            "lln": {"en": f"{self.en}: lower limit of normal", "zh": f"{self.zh}:参考下限", **of},
            "uln": {"en": f"{self.en}: upper limit of normal", "zh": f"{self.zh}:参考上限", **of},
            "cs": {
                "en": f"{self.en}: significance",
                "zh": f"{self.zh}:临床意义",
                "codes": SIGNIFICANCE,
                **of,
            },
        }
        for part, column in self.parts.items():
            cls.add_to_class(f"{name}_{part}", item(column, **said[part]))
        cls.analytes = {**getattr(cls, "analytes", {}), name: self}

    def normalised(self, record: Any) -> Decimal | None:
        """The value in the canonical unit, or None when there is none or its unit is unknown."""
        value = getattr(record, f"{self.name}_value")
        if value is None:
            return None
        unit = getattr(record, f"{self.name}_unit") or canonical(self.quantity)
        return convert(self.quantity, value, unit) if unit in FACTORS[self.quantity] else None


def measured(row: Any, quantity: str, name: str) -> Measured | None:
    """The result `name` of a laboratory row, limits brought to the canonical unit; None when there is none."""
    si, typed, qualifier, unit, low, high = _parts_of(name)(row)
    if si is None or typed is None:
        return None
    unit = unit or canonical(quantity)
    low, high = (None if limit is None else convert(quantity, limit, unit) for limit in (low, high))
    return Measured(si, qualifier, canonical(quantity), typed, unit, low, high)


@cache
def _parts_of(name: str) -> Any:
    """Reads the columns of one result at once."""
    return attrgetter(*(f"{name}_{part}" for part in ("si", "value", "qual", "unit", "lln", "uln")))
