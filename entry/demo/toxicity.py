"""Adverse events with their grades, and what is given against them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from entry.demo.story import MARK, Story, at


def adverse(
    story: Story,
    term: str,
    category: str,
    grades: Mapping[int, int],
    *,
    until: int | None,
    related: str = "RELATED",
    action: Sequence[str] = ("DRUG",),
    **more: Any,
) -> Any:
    """An adverse event: the grade it had from each study day on, and the study day on which it ended (None: it goes on)."""
    first, worst = min(grades), max(grades.values())
    ended = {"ongoing": until is None, "outcome": "RECOVERING" if until is None else "RECOVERED"}
    if until is not None:
        ended["end_dt"] = at(story.on(until), "08:00")
    answers = {
        "term": f"{term} {MARK}",
        "category": category,
        "start_dt": at(story.on(first), "06:00"),
        "max_grade": worst,
        "serious": False,
        "rel_sscart19": related,
        "rel_ld": "POSSIBLE" if category == "HEM" else "UNLIKELY",
        "rel_apheresis": "UNRELATED",
        "action": action,
        **ended,
    }
    event = story.put("adverse_event", **{**answers, **more})
    before = 0
    for day in sorted(grades):
        if grades[day] != before:
            story.put(
                "adverse_event_grade",
                adverse_event=event,
                grade=grades[day],
                from_dt=at(story.on(day), "06:00"),
            )
        before = grades[day]
    return event


def serious(
    story: Story, aware: int, reported: tuple[int, str] | None, *criteria: str, expected: bool = True
) -> dict[str, Any]:
    """What makes an event serious: known at nine on a study day; `reported` on a study day at a time, or not yet."""
    told = {} if reported is None else {"sae_report_dt": at(story.on(reported[0]), reported[1])}
    return {
        "serious": True,
        "sae_criteria": criteria or ("HOSPITALISATION",),
        "sae_aware_dt": at(story.on(aware), "09:00"),
        "expected": expected,
        **told,
    }


def course_events(story: Story, *, report_after_days: int = 0) -> None:
    """CRS and ICANS of the story's course as adverse events, with tocilizumab and steroids where they were given."""
    for term, category, signs in (
        ("Cytokine release syndrome 细胞因子释放综合征", "CRS", story.course.crs),
        ("Neurotoxicity (ICANS) 神经毒性", "ICANS", story.course.icans),
    ):
        grades = {day: one.grade for day, one in signs.items() if story.past(story.on(day))}
        if not grades:
            continue
        worst_day = max(grades, key=lambda day: (grades[day], -day))
        over = max(signs) + 1
        grave = grades[worst_day] >= 3
        told = serious(story, worst_day, (worst_day + report_after_days, "18:00"), "LIFE_THREATENING")
        event = adverse(
            story,
            term,
            category,
            grades,
            until=over if story.past(story.on(over)) else None,
            **(told if grave else {}),
        )
        _treat(story, category, event)
    cytopenia(story)


def _treat(story: Story, category: str, event: Any) -> None:
    if category == "CRS":
        for number, day in enumerate(story.course.tocilizumab, 1):
            tocilizumab(story, number, day, event)
    days = story.course.steroid
    if days and category == "ICANS":
        medicine(
            story,
            "Dexamethasone 地塞米松",
            "CORTICOSTEROID",
            ("10", "mg", "Q6H", "IV"),
            at(story.on(days[0]), "10:00"),
            at(story.on(days[-1]), "22:00"),
            indication="ICANS",
            linked_ae=event,
        )


def tocilizumab(story: Story, number: int, day: int, event: Any, *, at_hour: int = 15) -> Any:
    """One dose of tocilizumab, 8 mg/kg."""
    return medicine(
        story,
        "Tocilizumab 托珠单抗",
        "TOCILIZUMAB",
        ("8", "mg/kg", "ONCE", "IV"),
        at(story.on(day), f"{at_hour}:00"),
        at(story.on(day), f"{at_hour + 1}:00"),
        indication="CRS",
        linked_ae=event,
        dose_number=number,
    )


def medicine(
    story: Story, drug: str, kind: str, dose: tuple[str, str, str, str], start: str, end: str, **why: Any
) -> Any:
    """One medication: amount, unit, how often, by which way; from when to when ("" goes on)."""
    amount, unit, often, way = dose
    ended = {"ongoing": False, "end_dt": end} if end else {"ongoing": True}
    return story.put(
        "con_meds",
        drug=f"{drug} {MARK}",
        drug_class=kind,
        dose=amount,
        dose_unit=unit,
        frequency=often,
        route=way,
        start_dt=start,
        **ended,
        **why,
    )


def cytopenia(story: Story) -> None:
    """The expected fall of neutrophils and platelets, with two platelet transfusions."""
    over = 24 if story.past(story.on(24)) else None
    adverse(
        story,
        "Pancytopenia 全血细胞减少",
        "HEM",
        {-4: 3, 1: 4, **({18: 3, 22: 2} if over else {})},
        until=over,
        related="POSSIBLE",
        action=("NONE",),
    )
    for day in (6, 11):
        if story.past(story.on(day)):
            story.put(
                "transfusion",
                product="PLATELET",
                units="1",
                start_dt=at(story.on(day), "16:30"),
                irradiated=True,
            )


def infection(story: Story, day: int, **more: Any) -> Any:
    """Pneumonia that needs the hospital."""
    return adverse(
        story,
        "Pneumonia 肺炎",
        "INFECTION",
        {day: 3},
        until=None,
        related="POSSIBLE",
        action=("DRUG", "HOSPITALISATION"),
        **more,
    )


def fatal_inflammation(story: Story, start: int, death: date) -> Any:
    """IEC-HS that begins on a study day and ends in death; unexpected, so its report is due in a week."""
    last = (death - story.on(0)).days
    told = serious(story, start + 1, (start + 1, "16:00"), "DEATH", "LIFE_THREATENING", expected=False)
    return adverse(
        story,
        "IEC-HS 免疫效应细胞相关噬血综合征",
        "IEC_HS",
        {start: 3, start + 2: 4, last: 5},
        until=last,
        action=("DRUG", "ICU"),
        **{**told, "outcome": "FATAL", "end_dt": at(death, "21:10")},
    )


def bridging(story: Story) -> Any:
    """A week of low-dose therapy while the cells are made."""
    assert story.apheresis_day is not None
    start = story.apheresis_day + timedelta(days=4)
    return story.put(
        "bridging",
        regimen=f"Vincristine, prednisone 长春新碱、泼尼松 {MARK}",
        start_date=start,
        end_date=start + timedelta(days=5),
        intent="CYTOREDUCTION",
    )
