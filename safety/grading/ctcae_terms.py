"""The table of CTCAE 5.0 laboratory terms: the printed text of each grade beside the cuts it is read as.

`bands` maps a grade to cuts; any one of them makes the grade, and the highest grade wins. The printed text is that of
the NCI (27 November 2017), shortened to the canonical unit of the study.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from trial.item import Basis

VERSION = "CTCAE5.0"
BASIS = Basis.GUIDELINE
CITATION = "NCI, Common Terminology Criteria for Adverse Events 5.0, 27 November 2017"


class Versus(StrEnum):
    """What a limit is a multiple of."""

    FIXED = "fixed"
    LLN = "lln"
    ULN = "uln"
    BASELINE = "baseline"


class When(StrEnum):
    """Under which condition a cut counts."""

    ALWAYS = "always"
    BASELINE_NORMAL = "baseline normal"
    BASELINE_ABNORMAL = "baseline abnormal"
    LOW = "below the lower limit of normal"
    SYMPTOMATIC = "symptomatic"
    ASYMPTOMATIC = "asymptomatic"
    ANTICOAGULATED = "on anticoagulation, baseline known"
    NOT_ANTICOAGULATED = "not on anticoagulation"


@dataclass(frozen=True)
class Cut:
    """The value lies beyond `times` the reference, in the sense of `sign` (< <= > >=)."""

    sign: str
    times: Decimal
    versus: Versus = Versus.FIXED
    when: When = When.ALWAYS

    @property
    def asks_baseline(self) -> bool:
        """Whether the cut depends on a baseline value."""
        baseline = (When.BASELINE_NORMAL, When.BASELINE_ABNORMAL, When.ANTICOAGULATED)
        return self.versus is Versus.BASELINE or self.when in baseline


Bands = Mapping[int, tuple[Cut, ...]]


@dataclass(frozen=True)
class Term:
    """A term as printed. `printed` holds grades 1 to 4; "-" where the table prints none. `unit` "" is any."""

    name: str
    zh: str
    unit: str
    direction: str
    printed: tuple[str, str, str, str]
    bands: Bands

    @cached_property
    def from_above(self) -> tuple[tuple[int, tuple[Cut, ...]], ...]:
        """Grades and their cuts, the highest grade first."""
        return tuple(sorted(self.bands.items(), reverse=True))

    @cached_property
    def asks_baseline(self) -> bool:
        """Whether a grade depends on a baseline value."""
        return any(cut.asks_baseline for cuts in self.bands.values() for cut in cuts)


def _cut(sign: str, times: str | int, versus: Versus = Versus.FIXED, when: When = When.ALWAYS) -> Cut:
    return Cut(sign, Decimal(times), versus, when)


def _low(*limits: str) -> Bands:
    """Below the lower limit of normal is grade 1; below each further fixed limit, the next grade."""
    fixed = {grade: (_cut("<", limit),) for grade, limit in enumerate(limits, start=2)}
    return {1: (_cut("<", 1, Versus.LLN),), **fixed}


def _high(*limits: str) -> Bands:
    """Above the upper limit of normal is grade 1; above each further fixed limit, the next grade."""
    fixed = {grade: (_cut(">", limit),) for grade, limit in enumerate(limits, start=2)}
    return {1: (_cut(">", 1, Versus.ULN),), **fixed}


def _times_uln(*times: str) -> Bands:
    """Multiples of the upper limit of normal, from grade 1 on."""
    return {grade: (_cut(">", one, Versus.ULN),) for grade, one in enumerate(times, start=1)}


def _by_baseline(first: tuple[str, str], *times: str) -> Bands:
    """Multiples of the upper limit if baseline was normal, of baseline if it was abnormal.

    `first` is the sign and multiple of baseline that begins grade 1.
    """
    normal, abnormal = When.BASELINE_NORMAL, When.BASELINE_ABNORMAL
    bands = {1: (_cut(">", 1, Versus.ULN, normal), _cut(first[0], first[1], Versus.BASELINE, abnormal))}
    for grade, one in enumerate(times, start=2):
        bands[grade] = (_cut(">", one, Versus.ULN, normal), _cut(">", one, Versus.BASELINE, abnormal))
    return bands


def _enzyme(first: str, second: str) -> tuple[str, str, str, str]:
    """The printed text of an enzyme; grade 1 begins at `first` times an abnormal baseline and ends at `second`."""

    def both(low: str, high: str) -> str:
        span = f">{low} - {high}" if high else f">{low}"
        return f"{span} x ULN if baseline was normal; {span} x baseline if baseline was abnormal"

    one = f">ULN - {second} x ULN if baseline was normal; {first} - {second} x baseline if baseline was abnormal"
    return one, both(second, "5.0"), both("5.0", "20.0"), both("20.0", "")


_FIBRINOGEN: Bands = {
    1: (_cut("<", 1, Versus.LLN),),
    2: (_cut("<", "0.75", Versus.LLN), _cut("<=", "0.75", Versus.BASELINE, When.LOW)),
    3: (_cut("<", "0.5", Versus.LLN), _cut("<=", "0.5", Versus.BASELINE, When.LOW)),
    4: (_cut("<", "0.25", Versus.LLN), _cut("<=", "0.25", Versus.BASELINE, When.LOW), _cut("<", "0.5")),
}
_CREATININE: Bands = {
    1: (_cut(">", 1, Versus.ULN),),
    2: (_cut(">", "1.5", Versus.BASELINE), _cut(">", "1.5", Versus.ULN)),
    3: (_cut(">", 3, Versus.BASELINE), _cut(">", 3, Versus.ULN)),
    4: (_cut(">", 6, Versus.ULN),),
}
_INR: Bands = {
    grade: (
        _cut(">", fixed, when=When.NOT_ANTICOAGULATED),
        _cut(">", relative, Versus.BASELINE, When.ANTICOAGULATED),
    )
    for grade, fixed, relative in ((1, "1.2", "1"), (2, "1.5", "1.5"), (3, "2.5", "2.5"))
}
_SODIUM_LOW: Bands = {
    1: (_cut("<", 1, Versus.LLN),),
    2: (_cut("<", 130),),
    3: (_cut("<", 130, when=When.SYMPTOMATIC), _cut("<", 125)),
    4: (_cut("<", 120),),
}
_POTASSIUM_LOW: Bands = {
    1: (_cut("<", 1, Versus.LLN),),
    2: (_cut("<", 1, Versus.LLN, When.SYMPTOMATIC),),
    3: (_cut("<", "3.0"),),
    4: (_cut("<", "2.5"),),
}
_URATE: Bands = {1: (_cut(">", 1, Versus.ULN),), 3: (_cut(">", 1, Versus.ULN, When.SYMPTOMATIC),)}
_CELLS, _MMOL = "10^9/L", "mmol/L"

_ALL: tuple[Term, ...] = (
    Term(
        "Neutrophil count decreased",
        "中性粒细胞计数降低",
        _CELLS,
        "low",
        ("<LLN - 1.5", "<1.5 - 1.0", "<1.0 - 0.5", "<0.5"),
        _low("1.5", "1.0", "0.5"),
    ),
    Term(
        "White blood cell decreased",
        "白细胞计数降低",
        _CELLS,
        "low",
        ("<LLN - 3.0", "<3.0 - 2.0", "<2.0 - 1.0", "<1.0"),
        _low("3.0", "2.0", "1.0"),
    ),
    Term(
        "Leukocytosis",
        "白细胞增多",
        _CELLS,
        "high",
        ("-", "-", ">100", "Clinical manifestations of leucostasis; urgent intervention indicated"),
        {3: (_cut(">", 100),)},
    ),
    Term(
        "Lymphocyte count decreased",
        "淋巴细胞计数降低",
        _CELLS,
        "low",
        ("<LLN - 0.8", "<0.8 - 0.5", "<0.5 - 0.2", "<0.2"),
        _low("0.8", "0.5", "0.2"),
    ),
    Term(
        "Lymphocyte count increased",
        "淋巴细胞计数升高",
        _CELLS,
        "high",
        ("-", ">4 - 20", ">20", "-"),
        {2: (_cut(">", 4),), 3: (_cut(">", 20),)},
    ),
    Term(
        "CD4 lymphocytes decreased",
        "CD4淋巴细胞降低",
        _CELLS,
        "low",
        ("<LLN - 0.5", "<0.5 - 0.2", "<0.2 - 0.05", "<0.05"),
        _low("0.5", "0.2", "0.05"),
    ),
    Term(
        "Platelet count decreased",
        "血小板计数降低",
        _CELLS,
        "low",
        ("<LLN - 75.0", "<75.0 - 50.0", "<50.0 - 25.0", "<25.0"),
        _low("75", "50", "25"),
    ),
    Term(
        "Anemia",
        "贫血",
        "g/L",
        "low",
        (
            "<LLN - 100",
            "<100 - 80",
            "<80; transfusion indicated",
            "Life-threatening consequences; urgent intervention indicated",
        ),
        _low("100", "80"),
    ),
    Term(
        "Alanine aminotransferase increased",
        "丙氨酸氨基转移酶升高",
        "",
        "high",
        _enzyme("1.5", "3.0"),
        _by_baseline((">=", "1.5"), "3", "5", "20"),
    ),
    Term(
        "Aspartate aminotransferase increased",
        "天门冬氨酸氨基转移酶升高",
        "",
        "high",
        _enzyme("1.5", "3.0"),
        _by_baseline((">=", "1.5"), "3", "5", "20"),
    ),
    Term(
        "Alkaline phosphatase increased",
        "碱性磷酸酶升高",
        "",
        "high",
        _enzyme("2.0", "2.5"),
        _by_baseline((">=", "2.0"), "2.5", "5", "20"),
    ),
    Term(
        "GGT increased",
        "γ-谷氨酰转移酶升高",
        "",
        "high",
        _enzyme("2.0", "2.5"),
        _by_baseline((">=", "2.0"), "2.5", "5", "20"),
    ),
    Term(
        "Blood bilirubin increased",
        "血胆红素升高",
        "",
        "high",
        (
            ">ULN - 1.5 x ULN if baseline was normal; >1.0 - 1.5 x baseline if baseline was abnormal",
            ">1.5 - 3.0 x ULN if baseline was normal; >1.5 - 3.0 x baseline if baseline was abnormal",
            ">3.0 - 10.0 x ULN if baseline was normal; >3.0 - 10.0 x baseline if baseline was abnormal",
            ">10.0 x ULN if baseline was normal; >10.0 x baseline if baseline was abnormal",
        ),
        _by_baseline((">", "1.0"), "1.5", "3", "10"),
    ),
    Term(
        "Blood lactate dehydrogenase increased",
        "血乳酸脱氢酶升高",
        "",
        "high",
        (">ULN", "-", "-", "-"),
        _times_uln("1"),
    ),
    Term(
        "CPK increased",
        "肌酸磷酸激酶升高",
        "",
        "high",
        (">ULN - 2.5 x ULN", ">2.5 x ULN - 5 x ULN", ">5 x ULN - 10 x ULN", ">10 x ULN"),
        _times_uln("1", "2.5", "5", "10"),
    ),
    Term(
        "Creatinine increased",
        "肌酐升高",
        "",
        "high",
        (
            ">ULN - 1.5 x ULN",
            ">1.5 - 3.0 x baseline; >1.5 - 3.0 x ULN",
            ">3.0 x baseline; >3.0 - 6.0 x ULN",
            ">6.0 x ULN",
        ),
        _CREATININE,
    ),
    Term(
        "Fibrinogen decreased",
        "纤维蛋白原降低",
        "g/L",
        "low",
        (
            "<1.0 - 0.75 x LLN; if abnormal, <25% decrease from baseline",
            "<0.75 - 0.5 x LLN; if abnormal, 25 - <50% decrease from baseline",
            "<0.5 - 0.25 x LLN; if abnormal, 50 - <75% decrease from baseline",
            "<0.25 x LLN; if abnormal, 75% decrease from baseline; absolute value <0.5",
        ),
        _FIBRINOGEN,
    ),
    Term(
        "Activated partial thromboplastin time prolonged",
        "活化部分凝血活酶时间延长",
        "",
        "high",
        (">ULN - 1.5 x ULN", ">1.5 - 2.5 x ULN", ">2.5 x ULN; bleeding", "-"),
        _times_uln("1", "1.5", "2.5"),
    ),
    Term(
        "INR increased",
        "国际标准化比值升高",
        "1",
        "high",
        (
            ">1.2 - 1.5; >1 - 1.5 x baseline if on anticoagulation; monitoring only indicated",
            ">1.5 - 2.5; >1.5 - 2.5 x baseline if on anticoagulation; dose adjustment indicated",
            ">2.5; >2.5 times above baseline if on anticoagulation",
            "-",
        ),
        _INR,
    ),
    Term(
        "Hypoalbuminemia",
        "低白蛋白血症",
        "g/L",
        "low",
        ("<LLN - 30", "<30 - 20", "<20", "Life-threatening consequences; urgent intervention indicated"),
        _low("30", "20"),
    ),
    Term(
        "Hyponatremia",
        "低钠血症",
        _MMOL,
        "low",
        (
            "<LLN - 130",
            "125-129 and asymptomatic",
            "125-129 symptomatic; 120-124 regardless of symptoms",
            "<120; life-threatening consequences",
        ),
        _SODIUM_LOW,
    ),
    Term(
        "Hypernatremia",
        "高钠血症",
        _MMOL,
        "high",
        (
            ">ULN - 150",
            ">150 - 155; intervention initiated",
            ">155 - 160; hospitalization indicated",
            ">160; life-threatening consequences",
        ),
        _high("150", "155", "160"),
    ),
    Term(
        "Hypokalemia",
        "低钾血症",
        _MMOL,
        "low",
        (
            "<LLN - 3.0",
            "Symptomatic with <LLN - 3.0; intervention indicated",
            "<3.0 - 2.5; hospitalization indicated",
            "<2.5; life-threatening consequences",
        ),
        _POTASSIUM_LOW,
    ),
    Term(
        "Hyperkalemia",
        "高钾血症",
        _MMOL,
        "high",
        (
            ">ULN - 5.5",
            ">5.5 - 6.0; intervention initiated",
            ">6.0 - 7.0; hospitalization indicated",
            ">7.0; life-threatening consequences",
        ),
        _high("5.5", "6.0", "7.0"),
    ),
    Term(
        "Hypocalcemia",
        "低钙血症",
        _MMOL,
        "low",
        (
            "Corrected serum calcium <LLN - 2.0",
            "<2.0 - 1.75; symptomatic",
            "<1.75 - 1.5; hospitalization indicated",
            "<1.5; life-threatening consequences",
        ),
        _low("2.0", "1.75", "1.5"),
    ),
    Term(
        "Hypercalcemia",
        "高钙血症",
        _MMOL,
        "high",
        (
            "Corrected serum calcium >ULN - 2.9",
            ">2.9 - 3.1; symptomatic",
            ">3.1 - 3.4; hospitalization indicated",
            ">3.4; life-threatening consequences",
        ),
        _high("2.9", "3.1", "3.4"),
    ),
    Term(
        "Hypomagnesemia",
        "低镁血症",
        _MMOL,
        "low",
        ("<LLN - 0.5", "<0.5 - 0.4", "<0.4 - 0.3", "<0.3; life-threatening consequences"),
        _low("0.5", "0.4", "0.3"),
    ),
    Term(
        "Hypermagnesemia",
        "高镁血症",
        _MMOL,
        "high",
        (">ULN - 1.23", "-", ">1.23 - 3.30", ">3.30; life-threatening consequences"),
        {1: (_cut(">", 1, Versus.ULN),), 3: (_cut(">", "1.23"),), 4: (_cut(">", "3.30"),)},
    ),
    Term(
        "Hypoglycemia",
        "低血糖",
        _MMOL,
        "low",
        ("<LLN - 3.0", "<3.0 - 2.2", "<2.2 - 1.7", "<1.7; life-threatening consequences; seizures"),
        _low("3.0", "2.2", "1.7"),
    ),
    Term(
        "Hypertriglyceridemia",
        "高甘油三酯血症",
        _MMOL,
        "high",
        ("1.71 - 3.42", ">3.42 - 5.7", ">5.7 - 11.4", ">11.4; life-threatening consequences"),
        {1: (_cut(">=", "1.71"),), 2: (_cut(">", "3.42"),), 3: (_cut(">", "5.7"),), 4: (_cut(">", "11.4"),)},
    ),
    Term(
        "Hyperuricemia",
        "高尿酸血症",
        "",
        "high",
        (
            ">ULN without physiologic consequences",
            "-",
            ">ULN with physiologic consequences",
            "Life-threatening consequences",
        ),
        _URATE,
    ),
)
TERMS: Mapping[str, Term] = {term.name.casefold(): term for term in _ALL}

# Usual short names, and the spelling with "ae", for the printed names.
ALIASES: Mapping[str, str] = {
    short: full.casefold()
    for short, full in (
        ("anc decreased", "Neutrophil count decreased"),
        ("wbc decreased", "White blood cell decreased"),
        ("cd4 decreased", "CD4 lymphocytes decreased"),
        ("anaemia", "Anemia"),
        ("alt increased", "Alanine aminotransferase increased"),
        ("ast increased", "Aspartate aminotransferase increased"),
        ("alp increased", "Alkaline phosphatase increased"),
        ("aptt prolonged", "Activated partial thromboplastin time prolonged"),
        ("ldh increased", "Blood lactate dehydrogenase increased"),
        ("lactate dehydrogenase increased", "Blood lactate dehydrogenase increased"),
        ("creatine phosphokinase increased", "CPK increased"),
        ("hyponatraemia", "Hyponatremia"),
        ("hypernatraemia", "Hypernatremia"),
        ("hypokalaemia", "Hypokalemia"),
        ("hyperkalaemia", "Hyperkalemia"),
        ("hypocalcaemia", "Hypocalcemia"),
        ("hypercalcaemia", "Hypercalcemia"),
        ("hypoglycaemia", "Hypoglycemia"),
        ("hypoalbuminaemia", "Hypoalbuminemia"),
    )
}

# Which terms a result of a form is graded by, in both directions. Calcium is corrected for albumin first.
OF_RESULT: Mapping[str, tuple[str, ...]] = {
    "wbc": ("White blood cell decreased", "Leukocytosis"),
    "anc": ("Neutrophil count decreased",),
    "alc": ("Lymphocyte count decreased", "Lymphocyte count increased"),
    "hgb": ("Anemia",),
    "plt": ("Platelet count decreased",),
    "creatinine": ("Creatinine increased",),
    "alt": ("Alanine aminotransferase increased",),
    "ast": ("Aspartate aminotransferase increased",),
    "tbil": ("Blood bilirubin increased",),
    "alp": ("Alkaline phosphatase increased",),
    "ggt": ("GGT increased",),
    "ldh": ("Blood lactate dehydrogenase increased",),
    "albumin": ("Hypoalbuminemia",),
    "uric_acid": ("Hyperuricemia",),
    "glucose": ("Hypoglycemia",),
    "sodium": ("Hyponatremia", "Hypernatremia"),
    "potassium": ("Hypokalemia", "Hyperkalemia"),
    "calcium": ("Hypocalcemia", "Hypercalcemia"),
    "magnesium": ("Hypomagnesemia", "Hypermagnesemia"),
    "triglycerides": ("Hypertriglyceridemia",),
    "inr": ("INR increased",),
    "aptt": ("Activated partial thromboplastin time prolonged",),
    "fibrinogen": ("Fibrinogen decreased",),
}
