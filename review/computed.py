"""Queries that compare what the investigator answered with what the data say, and ask what the criteria ask about though it
decides nothing. The worker keeps them in step."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from review.models import Query
from review.queries import COMPUTED, sync_automatic
from safety.eligibility.evaluate import CRITERION_IDS
from subjects.codelists import VERDICT
from subjects.models import Eligibility
from trial.access import Actor
from trial.at_once import rows_at_once
from trial.findings import Doubt
from trial.text import T

CHECK = f"{COMPUTED}eligibility"
ASKED = f"{COMPUTED}eligibility.asked"
DEFINITE = ("MET", "NOT_MET")


def field_of(criterion: str) -> str:
    """The item of the checklist that answers a criterion: I-01 is i_01."""
    return criterion.lower().replace("-", "_")


_GIVEN = 5
"""Columns of a checklist before its answers."""
_CHECKLISTS = f"""
    SELECT id, subject_id, site_id, milestone, status = 'COMPLETE' AND NOT retracted,
        {", ".join(field_of(criterion) for criterion in CRITERION_IDS)}
    FROM subjects_eligibility WHERE subject_id = ANY(%(ids)s) AND NOT not_done
"""
_VERDICTS = """
    SELECT subject_id, milestone, criterion, coalesce(nullif(verdict_now, ''), verdict), reason_en, reason_zh,
        coalesce(evidence->'note'->>'en', ''), coalesce(evidence->'note'->>'zh', '')
    FROM safety_eligibilityresult WHERE subject_id = ANY(%(ids)s)
"""
_QUERIES = "SELECT id FROM review_query WHERE subject_id = ANY(%(ids)s) AND check_id = ANY(%(checks)s)"


class Said(NamedTuple):
    """What the data say of one criterion at one milestone, and why."""

    verdict: str
    reason_en: str
    reason_zh: str
    note_en: str = ""
    note_zh: str = ""


class Checklist(NamedTuple):
    """A checklist and its answers by criterion. It counts when it is complete and not retracted."""

    pk: UUID
    subject_id: UUID
    site_id: int
    milestone: str
    counts: bool
    answers: Mapping[str, str]
    form: str


def ask(subject_ids: Sequence[UUID], by: Actor) -> None:
    """Open a query on every answer of a checklist that the data contradict or ask about, close those that no longer do."""
    given = {"ids": list(subject_ids), "checks": [CHECK, ASKED]}
    rows, verdicts, queries = rows_at_once([_CHECKLISTS, _VERDICTS, _QUERIES], given)
    said: dict[tuple[UUID, str], dict[str, Said]] = defaultdict(dict)
    for subject, milestone, criterion, *told in verdicts:
        said[subject, milestone][criterion] = Said(*told)
    asked: dict[UUID, list[Query]] = defaultdict(list)
    for query in Query.objects.filter(pk__in=[key for (key,) in queries]) if queries else ():
        asked[query.record_id].append(query)
    for row in rows:
        answers = dict(zip(CRITERION_IDS, row[_GIVEN:], strict=True))
        one = Checklist._make((*row[:_GIVEN], answers, Eligibility.form))
        doubts = list(discordances(one, said[one.subject_id, one.milestone])) if one.counts else []
        if doubts or asked[one.pk]:
            sync_automatic(one, doubts, by=by, known=asked[one.pk], computed=True)


def discordant(answer: str, verdict: str) -> bool:
    """Whether answer and verdict are both definite and differ."""
    return answer in DEFINITE and verdict in DEFINITE and answer != verdict


def discordances(row: Checklist, said: Mapping[str, Said]) -> Iterator[Doubt]:
    """The answers of one checklist that the data contradict, and what the data ask about though it decides nothing."""
    for criterion, result in said.items():
        answer = row.answers[criterion]
        if discordant(answer, result.verdict):
            yield _doubt(criterion, answer, result)
        if result.note_en and not _told_by_the_verdict(criterion, result.verdict):
            yield Doubt(
                field_of(criterion),
                ASKED,
                T(f"{criterion}: {result.note_en}", f"{criterion}:{result.note_zh}"),
                value=result.note_en[:200],
            )


def _told_by_the_verdict(criterion: str, verdict: str) -> bool:
    """Whether the note only explains the verdict: from which day on the infusion would keep the interval."""
    return criterion == "I-01" and verdict != "MET"


def _doubt(criterion: str, answer: str, result: Said) -> Doubt:
    verdict, given, found = result.verdict, VERDICT.words(answer), VERDICT.words(result.verdict)
    said = T(
        f"{criterion}: the investigator answered “{given[0]}”, the data say “{found[0]}”. {result.reason_en} Correct the "
        "answer or the data. There are no waivers: a reason never makes a subject eligible.",
        f"{criterion}:研究者回答为“{given[1]}”,系统根据数据判定为“{found[1]}”。{result.reason_zh}"
        "请更正回答或数据。不允许豁免:说明原因不能使受试者变为合格。",
    )
    return Doubt(field_of(criterion), CHECK, said, value=f"{answer}/{verdict}", limit=verdict)
