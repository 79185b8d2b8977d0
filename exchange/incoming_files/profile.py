"""What a mapping profile is: headings, tests, codes, conversions. The profiles themselves stand in `profiles`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from subjects.crf import CRF, StudyForm
from trial.text import T

Names = tuple[str, ...]


Form = type[CRF] | type[StudyForm]


SUBJECT: Names = ("subject", "subjid", "usubjid", "受试者", "受试者编号", "筛选号")


VISIT: Names = ("visit", "visit code", "访视", "访视代码")


WHEN: Names = ("datetime", "date time", "collected", "collection date", "采样时间", "日期时间")


@dataclass(frozen=True)
class Conversion:
    """value × factor + offset in the unit `to`, kept at `places` decimals; the text of the file stays beside it."""

    unit: str
    to: str
    factor: Decimal
    offset: Decimal = Decimal(0)
    places: int = 1

    def apply(self, value: Decimal) -> Decimal:
        """The number in our unit."""
        return (value * self.factor + self.offset).quantize(Decimal(1).scaleb(-self.places))


@dataclass(frozen=True)
class Test:
    """One test of a long file: the form and the item (or analyte) it fills."""

    form: type[CRF]
    item: str


@dataclass(frozen=True)
class Profile:
    """How a kind of file is read. Headings are compared without regard to case; each has its aliases.

    columns   item → headings (wide); `tests` test word → Test (long), with the headings of test, value, unit, limits
    shared    items of the record itself that any row may bring (timepoint, laboratory)
    codes     item, "visit" or "test" → word in the file → our code
    constants item → text, for what the file does not say
    own_key   headings that tell two records of one subject, visit and time apart, kept in no item
    needs     headings that must be there; ignored: known headings that hold nothing for us
    time      the time of day for files that hold only days; days: how days are written
    """

    name: str
    en: str
    zh: str
    form: Form | None = None
    layout: Literal["wide", "long"] = "wide"
    subject: Names = SUBJECT
    visit: Names = VISIT
    when: Names = WHEN
    columns: Mapping[str, Names] = field(default_factory=dict)
    test: Names = ()
    value: Names = ()
    unit: Names = ()
    low: Names = ()
    high: Names = ()
    tests: Mapping[str, Test] = field(default_factory=dict)
    shared: Mapping[str, Names] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    convert: Mapping[str, Conversion] = field(default_factory=dict)
    own_key: Names = ()
    ignored: Names = ()
    time: str = ""
    days: Literal["iso", "d-mon-y"] = "iso"
    zone: str = ""
    note: tuple[str, str] = ("", "")

    @property
    def label(self) -> str:
        """The profile's name in the active language."""
        return T(self.en, self.zh)

    @property
    def needs(self) -> tuple[Names, ...]:
        """The headings without which a file is not of this profile."""
        if self.layout == "long":
            return (self.subject, self.visit, self.when, self.test, self.value)
        if not self.subject:
            return ()
        own = (self.visit,) if self.form is not None and self.form.repeats in ("visit", "rows") else ()
        return (self.subject, *own)


# What tells two rows of one form, subject and visit apart, besides the date: so a row is found again when it is sent again.
KEYS: dict[str, tuple[str, ...]] = {
    "vital_signs": ("timepoint",),
    "pk_sample": ("nominal_day", "specimen", "assay"),
    "pd_cytokine": ("nominal_day",),
    "src_review": ("level",),
}


INCH = Conversion("in", "cm", Decimal("2.54"))


POUND = Conversion("lb", "kg", Decimal("0.45359237"))


FAHRENHEIT = Conversion("degF", "degC", Decimal(5) / Decimal(9), Decimal(-160) / Decimal(9))


CONVERSIONS = (INCH, POUND, FAHRENHEIT)
