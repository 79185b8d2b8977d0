"""Laboratory grades of CTCAE 5.0: how a printed term is read for one result.

The table stands in `ctcae_terms.py`. Limits are compared as printed, strict or not, without rounding. Baseline is the
last value before lymphodepletion; "abnormal" means above the upper limit of that sample. Where symptoms decide and are
not known, the lower grade is given and `needs_clinical` says so.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from operator import ge, gt, le, lt

from safety.grading.ctcae_terms import ALIASES, TERMS, Cut, Term, Versus, When

OPERATORS = {"<": lt, "<=": le, ">": gt, ">=": ge}
FAR = Decimal("1e12")
# Named once: a member is looked up in its class at every mention, and a subject's results are held against
# thousands of cuts.
_FIXED, _LLN, _ULN, _BASELINE = Versus.FIXED, Versus.LLN, Versus.ULN, Versus.BASELINE
_ALWAYS, _LOW = When.ALWAYS, When.LOW
_NORMAL, _ABNORMAL = When.BASELINE_NORMAL, When.BASELINE_ABNORMAL
_SYMPTOMATIC, _ASYMPTOMATIC = When.SYMPTOMATIC, When.ASYMPTOMATIC
_ANTICOAGULATED = When.ANTICOAGULATED  # NOT_ANTICOAGULATED is what is left


@dataclass(frozen=True)
class LabResult:
    """One result in the term's unit, with what its grade depends on. None is "not known".

    `qualifier` says that the true value lies beyond the number ("<", "<=", ">", ">="). `baseline_uln` is the upper
    limit of the baseline sample; without it the limit of this sample is used.
    """

    value: Decimal | None
    lln: Decimal | None = None
    uln: Decimal | None = None
    baseline: Decimal | None = None
    baseline_uln: Decimal | None = None
    symptomatic: bool | None = None
    on_anticoagulant: bool = False
    qualifier: str = ""


@dataclass(frozen=True)
class Toxicity:
    """A grade, None when it cannot be told.

    needs_clinical            symptoms, which are not known, could make it higher
    baseline_assumed_normal   the rule asks for a baseline and there is none
    missing                   limits that were needed and not there; a higher grade is possible without them
    """

    term: str
    grade: int | None
    needs_clinical: bool = False
    baseline_assumed_normal: bool = False
    missing: tuple[str, ...] = field(default=())


def find(name: str) -> Term:
    """The term of this name or usual short name, in any case of letters. Raises KeyError when there is none."""
    wanted = name.casefold().strip()
    return TERMS[ALIASES.get(wanted, wanted)]


def grade(name: str, result: LabResult) -> Toxicity:
    """The grade of a result under the term `name`; grade 0 is no toxicity. Raises KeyError for an unknown term."""
    term = find(name)
    if result.value is None:
        return Toxicity(term.name, None)
    if result.qualifier not in OPERATORS:
        return _grade(term, result, result.value)
    ends = [_grade(term, result, value) for value in _ends(result.value, result.qualifier)]
    agreed = ends[0].grade == ends[1].grade
    return ends[0] if agreed else Toxicity(term.name, None, missing=("value",))


def _ends(value: Decimal, qualifier: str) -> tuple[Decimal, Decimal]:
    """The nearest and the farthest value that a bounded result stands for."""
    near = {"<": value.next_minus(), ">": value.next_plus()}.get(qualifier, value)
    return near, Decimal(0) if qualifier.startswith("<") else FAR


def _grade(term: Term, result: LabResult, value: Decimal) -> Toxicity:
    """The highest grade one of whose cuts holds; what stands open above it is reported."""
    assumed = result.baseline is None and term.asks_baseline
    open_: set[str] = set()
    for level, cuts in term.from_above:
        answers = [_holds(cut, result, value) for cut in cuts]
        if True in answers:
            return _found(term, level, open_, assumed)
        for answer in answers:
            if isinstance(answer, str):
                open_.add(answer)
    undecided = open_ - {"symptoms"}
    return _found(term, None if undecided else 0, open_, assumed)


def _found(term: Term, level: int | None, open_: set[str], assumed: bool) -> Toxicity:
    if not open_:
        return Toxicity(term.name, level, False, assumed)
    lacking = tuple(sorted(open_ - {"symptoms"}))
    return Toxicity(term.name, level, bool(level) and "symptoms" in open_, assumed, lacking)


def _holds(cut: Cut, result: LabResult, value: Decimal) -> bool | str:
    """Whether the value lies beyond the cut; the name of what is missing when that cannot be told."""
    applies = True if cut.when is _ALWAYS else _applies(cut.when, result, value)
    if applies is False:
        return False
    limit = _limit(cut, result)
    if limit is None:
        return False if cut.versus is _BASELINE else str(cut.versus)
    beyond: bool = OPERATORS[cut.sign](value, limit)
    if not beyond:
        return False
    return applies


def _limit(cut: Cut, result: LabResult) -> Decimal | None:
    versus = cut.versus
    if versus is _FIXED:
        return cut.times
    reference = result.lln if versus is _LLN else result.uln if versus is _ULN else result.baseline
    return None if reference is None else reference * cut.times


def _applies(when: When, result: LabResult, value: Decimal) -> bool | str:
    """Whether the cut's condition is fulfilled; the name of what is missing when that cannot be told."""
    if when is _SYMPTOMATIC or when is _ASYMPTOMATIC:
        if result.symptomatic is None:
            return "symptoms"
        return result.symptomatic is (when is _SYMPTOMATIC)
    if when is _LOW:
        return "lln" if result.lln is None else value < result.lln
    if when is _NORMAL or when is _ABNORMAL:
        return _baseline_is(when, result)
    relative = result.on_anticoagulant and result.baseline is not None
    return relative is (when is _ANTICOAGULATED)


def _baseline_is(when: When, result: LabResult) -> bool | str:
    if result.baseline is None:
        return when is _NORMAL
    if result.uln is None:
        # Clinical specification 6.3: without the limit of its own sample a result has no grade, not even against an
        # abnormal baseline, whose multiples alone would need none.
        return "uln"
    limit = result.uln if result.baseline_uln is None else result.baseline_uln
    return (result.baseline > limit) is (when is _ABNORMAL)


def corrected_calcium(calcium: Decimal | None, albumin_g_l: Decimal | None) -> Decimal | None:
    """Calcium in mmol/L corrected for albumin: 0.02 mmol/L for each g/L that albumin lies under 40."""
    if calcium is None or albumin_g_l is None:
        return None
    return calcium + Decimal("0.02") * (40 - albumin_g_l)
