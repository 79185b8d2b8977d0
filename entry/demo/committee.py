"""The safety review committee's meetings, each before the next step of the escalation, signed by three."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dosing.codelists import DOSE_LEVEL
from dosing.models import SrcReview
from entry.holding import MEANING, write_review
from entry.signing import meanings_for, write_signature
from entry.study_door import save_study_form
from safety.holds import HoldReview, standing
from trial import audit
from trial.access import Actor
from trial.answers import read
from trial.models import Site
from trial.sites import zone_of

LIFTED = "Reviewed in the committee's next meeting; enrolment goes on 已经安全评审委员会评审,继续入组"
SIGNERS = ("investigator", "medical_monitor", "statistician")


@dataclass(frozen=True)
class Meeting:
    """A meeting `ago` days before the day of telling, and what it decided on whom (numbers of subjects)."""

    ago: int
    level: str
    reviewed: tuple[int, ...]
    toxic: int
    recommended: str
    decided: str
    why: str = ""


MEETINGS = (
    Meeting(
        1428,
        "DL1",
        (1, 3, 4),
        0,
        "ESCALATE",
        "STAY",
        "No toxicity in three; the committee wants six at the first level of a first-in-human product "
        "3例均无DLT;首个剂量水平,委员会要求观察6例",
    ),
    Meeting(
        1226,
        "DL1",
        (1, 3, 4, 5, 6, 7),
        0,
        "ESCALATE",
        "ESCALATE",
        "No toxicity in six. 01-009 was infused at the second level a fortnight before this meeting: a deviation "
        "6例均无DLT。01-009在本次会议前两周已按第二剂量水平回输,记为方案偏离",
    ),
    Meeting(1130, "DL2", (9, 10, 11), 1, "STAY", "STAY"),
    Meeting(890, "DL2", (9, 10, 11, 13, 14, 15), 1, "ESCALATE", "ESCALATE"),
    Meeting(172, "DL3", (17, 19, 20), 0, "STAY", "STAY"),
)


def meet(
    site: Site, numbers: Mapping[int, str], actors: Mapping[str, Actor], anchor: date
) -> dict[str, SrcReview]:
    """Enter every review with its three signatures; answers which review opened which dose level.

    `numbers`: the screening number of each subject.
    """
    opened = {}
    for meeting in MEETINGS:
        review = _enter(site, meeting, numbers, actors, anchor)
        if meeting.decided == "ESCALATE":
            opened[DOSE_LEVEL.codes[DOSE_LEVEL.codes.index(meeting.level) + 1]] = review
    return opened


def _enter(
    site: Site,
    meeting: Meeting,
    numbers: Mapping[int, str],
    actors: Mapping[str, Actor],
    anchor: date,
) -> SrcReview:
    met = anchor - timedelta(days=meeting.ago)
    answers = {
        "data_cutoff": str(met - timedelta(days=4)),
        "meeting_date": str(met),
        "level": meeting.level,
        "subjects_reviewed": ", ".join(numbers[number] for number in meeting.reviewed),
        "n_evaluable": str(len(meeting.reviewed)),
        "n_dlt": str(meeting.toxic),
        "algorithm_recommendation": meeting.recommended,
        "decision": meeting.decided,
        "rationale": meeting.why,
    }
    zone = zone_of(site.pk)
    reading = read(SrcReview, answers, zone)
    assert not reading.problems, reading.problems
    record = SrcReview(site=site, status="COMPLETE", **reading.values)
    save_study_form(record, by=actors["medical_monitor"])
    five = datetime.combine(met, time(17), ZoneInfo(zone))
    for role in SIGNERS:
        told = next(one for one in meanings_for(record.form, actors[role]) if one.code == "COMMITTEE")
        write_signature(record, told, by=actors[role], seen=1, at=five)
    return record


def lift_holds(actors: Mapping[str, Actor]) -> None:
    """The medical monitor reviews what stopped enrolment: each death was before the committee, which went on."""
    monitor = actors["medical_monitor"]
    told = next(one for one in meanings_for(HoldReview.form, monitor) if one.code == MEANING)
    with audit.reading(monitor):
        holds = list(standing())
    for hold in holds:
        write_review(hold.pk, "LIFT", LIFTED, told, by=monitor, seen=hold.version)
