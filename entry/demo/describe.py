"""The table of who breaks what, as docs/demo.md holds it: the stories' own words, and nothing that no rule asks."""

from collections.abc import Iterable

from entry.demo.committee import MEETINGS
from entry.demo.people import subject_number
from entry.demo.shapes import SHAPES, Shape
from safety.rules import RULES

CLEAN = "–"
BEGIN, END = "<!-- printed by manage.py demo --describe -->\n", "<!-- to here -->\n"


def planted(shape: Shape) -> dict[tuple[str, str], str]:
    """What a story breaks among the rules that run: (rule, status) and how."""
    told = {(key[:5], key[6:] or "open"): how for key, how in shape.breaks.items()}
    return {(rule, status): how for (rule, status), how in told.items() if rule in RULES}


def shown() -> list[str]:
    """The rules that some story breaks."""
    broken = {rule for shape in SHAPES for rule, _ in planted(shape)}
    return [rule for rule in sorted(RULES) if rule in broken]


def described(text: str) -> str:
    """The page with its tables printed anew."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{page()}\n{END}{rest.partition(END)[2]}"


def page() -> str:
    """The tables in Markdown."""
    return "\n".join((*_subjects(), "", *_rules(), "", *_meetings(), ""))


def _subjects() -> Iterable[str]:
    yield "| subject | level | what happens | breaks | how |"
    yield "|---|---|---|---|---|"
    for number, shape in enumerate(SHAPES, 1):
        found = planted(shape)
        broken = ", ".join(f"{rule} {status}" for rule, status in found) or CLEAN
        how = "; ".join(found.values()) or CLEAN
        yield f"| {subject_number(number)} | {shape.level or CLEAN} | {shape.happens} | {broken} | {how} |"


def _rules() -> Iterable[str]:
    seen = shown()
    unseen = [rule for rule in sorted(RULES) if rule not in seen]
    yield f"{len(seen)} of {len(RULES)} rules are shown. Not shown: {', '.join(unseen) or 'none'}."


def _meetings() -> Iterable[str]:
    yield "| committee | level | subjects reviewed | with DLT | design | decision |"
    yield "|---|---|---|---|---|---|"
    for meeting in MEETINGS:
        reviewed = ", ".join(subject_number(number) for number in meeting.reviewed)
        yield (
            f"| {meeting.ago} days ago | {meeting.level} | {reviewed} | {meeting.toxic} |"
            f" {meeting.recommended} | {meeting.decided} |"
        )
