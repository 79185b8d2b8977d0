"""When a form that is not always required is asked for: small pure functions over what is known of the subject.

Each answers True (asked for), False (not asked for) or None (cannot be told from the record: the site decides).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from trial.protocol import Protocol


@dataclass(frozen=True)
class Known:
    """What the conditions ask of one subject, as of `on`, the day of the visit at the site.

    newest      form to the day of its newest record on or before `on`, this visit's own left out
    crs, icans  grade at the newest assessment on or before `on`; None when there is none
    relapses    days on which a relapse was recorded
    below       whether each transgene result so far was below the limit, oldest first
    sex, childbearing, fertile  answers of the demographics form, "" while not known
    """

    on: date
    newest: Mapping[str, date] = field(default_factory=dict)
    crs: int | None = None
    icans: int | None = None
    relapses: tuple[date, ...] = ()
    below: tuple[bool, ...] = ()
    sex: str = ""
    childbearing: str = ""
    fertile: str = ""


Condition = Callable[[Known, Protocol], bool | None]


def woman_of_childbearing_potential(known: Known, protocol: Protocol) -> bool | None:
    """Women who can conceive."""
    if known.sex == "M":
        return False
    return _yes(known.childbearing) if known.sex == "F" else None


def can_conceive_or_father(known: Known, protocol: Protocol) -> bool | None:
    """Women who can conceive, men who can father a child."""
    if known.sex == "M":
        return _yes(known.fertile)
    return woman_of_childbearing_potential(known, protocol)


def older_than_allowed(form: str) -> Condition:
    """The newest result is older than the protocol lets it be, or there is none."""

    def condition(known: Known, protocol: Protocol) -> bool | None:
        return _older(known, form, protocol.max_age_days.value[form])

    return condition


def every_other_day(form: str) -> Condition:
    """Nothing was measured yesterday or today."""

    def condition(known: Known, protocol: Protocol) -> bool | None:
        return _older(known, form, protocol.ward_blood_every_days.value - 1)

    return condition


def crs_lasts(known: Known, protocol: Protocol) -> bool | None:
    """CRS had not ended at the newest assessment."""
    return None if known.crs is None else known.crs > 0


def icans_lasts(known: Known, protocol: Protocol) -> bool | None:
    """ICANS had not ended at the newest assessment."""
    return None if known.icans is None else known.icans > 0


def eligibility_confirmed_again(known: Known, protocol: Protocol) -> bool | None:
    """Eligibility was judged on this very day."""
    return True if known.newest.get("eligibility") == known.on else None


def relapse_not_yet_examined(form: str) -> Condition:
    """A relapse was recorded and the form was not filled in since; without one the site decides."""

    def condition(known: Known, protocol: Protocol) -> bool | None:
        relapse = max((day for day in known.relapses if day <= known.on), default=None)
        if relapse is None:
            return None
        newest = known.newest.get(form)
        return newest is None or newest < relapse

    return condition


def transgene_detectable(known: Known, protocol: Protocol) -> bool | None:
    """Until the last results in a row were below the limit."""
    row = protocol.pk_stop_after_below.value
    if not known.below:
        return None
    return len(known.below) < row or not all(known.below[-row:])


def clinical_judgement(known: Known, protocol: Protocol) -> bool | None:
    """Only the site can tell."""
    return None


def _yes(answer: str) -> bool | None:
    return {"YES": True, "NO": False}.get(answer)


def _older(known: Known, form: str, days: int) -> bool:
    newest = known.newest.get(form)
    return newest is None or (known.on - newest).days > days


_BEFORE_TREATMENT = ("APH", "LD-5", "D0")
CONDITION: dict[str, Condition] = {
    "pregnancy_test": woman_of_childbearing_potential,
    "contraception": can_conceive_or_father,
    "bone_marrow": relapse_not_yet_examined("bone_marrow"),
    "cd19_flow": relapse_not_yet_examined("cd19_flow"),
    "echo": older_than_allowed("echo"),
    "viral_serology": older_than_allowed("viral_serology"),
    "ecog": older_than_allowed("ecog"),
    "chemistry": every_other_day("chemistry"),
    "haematology": every_other_day("haematology"),
    "pulmonary": eligibility_confirmed_again,
    "survival_estimate": eligibility_confirmed_again,
    "crs_assessment": crs_lasts,
    "icans_assessment": icans_lasts,
    "pk_sample": transgene_detectable,
}
"""The condition of a form wherever it is optional."""

AT_VISIT: dict[tuple[str, str], Condition] = {
    **{("chemistry", visit): older_than_allowed("chemistry") for visit in _BEFORE_TREATMENT},
}
"""Where a visit has a condition of its own."""


def asked_for(form: str, visit: str, known: Known, protocol: Protocol) -> bool | None:
    """Whether an optional form is asked for at a visit: True, False, or None where the site decides.

    At an unscheduled visit only a relapse asks for anything: the rest was the site's own reason to see the subject.
    """
    if visit.startswith("UNSCHED") and form not in ("bone_marrow", "cd19_flow"):
        return None
    condition = AT_VISIT.get((form, visit)) or CONDITION.get(form, clinical_judgement)
    return condition(known, protocol)
