"""Queries where a derived value and an answer differ, each with both. The worker keeps them in step; none of them blocks.

What a derivation is compared with stands in the derived value itself, so that nothing but it has to be read.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from review.models import Query
from review.queries import COMPUTED, sync_automatic
from safety.derived.every import DERIVATIONS
from safety.models import Derivation
from trial.access import Actor
from trial.at_once import rows_at_once
from trial.findings import Doubt
from trial.text import T

CHECK = f"{COMPUTED}derived."
Asking = Callable[[Any], Iterator[Doubt]]


_DIFFERING = """
    SELECT id FROM safety_derivation
    WHERE subject_id = ANY(%(ids)s) AND differs AND stands AND name = ANY(%(names)s)
"""
_QUERIES = "SELECT id FROM review_query WHERE subject_id = ANY(%(ids)s) AND starts_with(check_id, %(check)s)"


def ask(subject_ids: Sequence[UUID], by: Actor) -> None:
    """Open a query wherever a derived value differs from what was answered, close those where it no longer does."""
    given = {"ids": list(subject_ids), "names": list(ASKS), "check": CHECK}
    values, queries = rows_at_once([_DIFFERING, _QUERIES], given)
    if not values and not queries:
        return
    doubts: dict[UUID, list[Doubt]] = defaultdict(list)
    known: dict[UUID, list[Query]] = defaultdict(list)
    about: dict[UUID, Any] = {}
    for one in Derivation.objects.filter(pk__in=[key for (key,) in values]).order_by("name", "key"):
        assert one.record_id is not None
        doubts[one.record_id] += ASKS[one.name](one)
        about[one.record_id] = one
    for query in Query.objects.filter(pk__in=[key for (key,) in queries]):
        known[query.record_id].append(query)
        about[query.record_id] = query
    for key, one in about.items():
        record = SimpleNamespace(subject_id=one.subject_id, site_id=one.site_id, form=one.form, pk=key)
        sync_automatic(record, doubts[key], by=by, known=known[key], computed=True)


def _both(field: str, answer: str, derived: str, unit: str = "") -> Asking:
    """A query on a field whose answer stands beside what is derived."""

    def asking(one: Any) -> Iterator[Doubt]:
        said, found = one.value[answer], one.value[derived]
        how = DERIVATIONS[one.name]
        yield Doubt(
            field,
            f"{CHECK}{one.name}",
            T(
                f"{how.en}: {said}{unit} was entered, {found}{unit} is derived by {how.method}. Correct the answer or what "
                "it rests on, or say why both stand: the derived value never replaces the investigator's.",
                f"{how.zh}:录入为 {said}{unit},按 {how.method} 推导为 {found}{unit}。请更正答案或其依据,或说明两者并存的原因;"
                "推导值不会替代研究者的判定。",
            ),
            value=f"{said}/{found}"[:200],
            limit=str(found),
        )

    return asking


def _events(one: Any) -> Iterator[Doubt]:
    """AE? A laboratory result that is graded high, or far above baseline."""
    for name in one.value["ask"]:
        result = one.value["results"][name]
        worst = max(result["grades"], key=lambda told: told["grade"] or 0)
        base = worst["baseline_grade"]
        before = ("no baseline", "无基线") if base is None else (f"baseline grade {base}", f"基线 {base} 级")
        yield Doubt(
            f"{name}_value",
            f"{CHECK}{one.name}",
            T(
                f"AE? {worst['term']} grade {worst['grade']} ({result['qualifier']}{result['value']} {result['unit']}; "
                f"{before[0]}). Record an adverse event, or answer why it is none.",
                f"是否为不良事件?{worst['zh']} {worst['grade']} 级({result['qualifier']}{result['value']} {result['unit']};"
                f"{before[1]})。请记录不良事件,或说明为何不是。",
            ),
            value=f"{result['value']} {result['unit']}",
            limit=f"grade {worst['grade']}",
        )


ASKS: Mapping[str, Asking] = {
    "crs_grade": _both("investigator_grade", "investigator", "grade"),
    "icans_grade": _both("investigator_grade", "investigator", "grade"),
    "response": _both("investigator_response", "investigator", "response"),
    "ld_dose": _both("planned_mg", "entered", "planned_mg", " mg"),
    "dose_given": _both("actual_per_kg", "entered", "per_kg", " cells/kg"),
    "lab_grade": _events,
}
