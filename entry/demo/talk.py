"""What comes after entry: corrections with a reason, questions and answers, a record struck out."""

from typing import Any

from entry.demo.story import Story
from entry.door import retract_record
from review import queries

CHECKED = "Checked against the source, value confirmed 已核对原始资料,数值无误"
CLOSED = "Accepted, thank you 已接受,谢谢"


def ask(story: Story, record: Any, field: str, text: str) -> Any:
    """The monitor asks about one field."""
    return queries.raise_query(record, field, text, by=story.actors["monitor"])


def reply(story: Story, query: Any, text: str = CHECKED) -> Any:
    """The coordinator answers."""
    return queries.answer(query.pk, text, by=story.actors["coordinator"])


def accept(story: Story, query: Any, text: str = CLOSED) -> Any:
    """The monitor closes."""
    return queries.close(query.pk, text, by=story.actors["monitor"])


def insist(story: Story, query: Any, text: str) -> Any:
    """The monitor is not satisfied and opens the query again."""
    return queries.reopen(query.pk, text, by=story.actors["monitor"])


def strike_out(story: Story, record: Any, reason: str) -> Any:
    """A record that should not be there: struck out with its reason, still to be seen."""
    return retract_record(record, by=story.actor_of(record.form), reason=reason, seen=record.version).record
