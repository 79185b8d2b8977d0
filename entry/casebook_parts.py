"""What a printed or shown casebook is made of: a book of chapters, of sheets, of parts, of answers. All texts are words.

Made in `entry.casebook_shown`; the page and the printout read nothing else.
"""

from dataclasses import dataclass, field
from uuid import UUID

from entry.casebook_trail import Step


@dataclass
class Asked:
    """A query beside what it asks about."""

    status: str
    open: bool
    text: str
    source: str
    when: str
    talk: list[tuple[str, str, str]]


@dataclass
class Flagged:
    """A deviation beside what it concerns. `provisional` names the readings it rests on that nobody has approved."""

    rule_id: str
    title: str
    status: str
    standing: bool
    severity: str
    message: str
    citation: str
    basis: str
    provisional: list[str]


@dataclass
class Signed:
    """A signature: printed name, role, time and meaning; whether it stands for the version shown."""

    name: str
    role: str
    when: str
    meaning: str
    version: int
    stands: bool


@dataclass
class Answer:
    """One item of a sheet. `typed` is the text as it was entered where reading changed it."""

    name: str
    label: str
    value: str
    unit: str = ""
    missing: bool = False
    calculated: bool = False
    typed: str = ""
    queries: list[Asked] = field(default_factory=list)
    deviations: list[Flagged] = field(default_factory=list)
    trail: list[Step] = field(default_factory=list)


@dataclass
class Part:
    """Answers under one heading of a form."""

    title: str
    answers: list[Answer]


@dataclass
class Sheet:
    """One record of one form."""

    key: UUID
    form: str
    title: str
    url: str
    state: str
    lock: str
    version: int
    changed: str
    retracted: bool
    not_done: str
    parts: list[Part]
    queries: list[Asked]
    deviations: list[Flagged]
    signatures: list[Signed]
    trail: list[Step]

    @property
    def anchor(self) -> str:
        """The sheet's place on the page."""
        return f"r-{self.key}"

    @property
    def answers(self) -> list[Answer]:
        """Its answers under all headings."""
        return [answer for part in self.parts for answer in part.answers]


@dataclass
class Chapter:
    """A visit, or the forms outside the visits. `absent` names forms that are due and not there."""

    key: str
    title: str
    about: str
    sheets: list[Sheet]
    absent: list[str] = field(default_factory=list)


@dataclass
class Book:
    """The whole casebook. `facts` are the lines at its top, label and value."""

    subjid: str
    facts: list[tuple[str, str]]
    chapters: list[Chapter]
    digest: str
    as_of: str
    checkpoint: str
    audited: bool
    queries: list[Asked] = field(default_factory=list)
    deviations: list[Flagged] = field(default_factory=list)
