"""All 29 criteria together, and whether the subject may take part. There are no waivers."""

from collections.abc import Sequence
from dataclasses import dataclass

from safety.eligibility import exclusion as e
from safety.eligibility import inclusion as i
from safety.eligibility.decision import Decision, Judge
from safety.eligibility.facts import Screening
from trial.logic import Verdict, all_of
from trial.protocol import Protocol

RULE_VERSION = "1.2"  # of the criteria as they are programmed: raised whenever one of them decides otherwise
MILESTONES = ("SCREENING", "PRE_APHERESIS", "PRE_LD", "PRE_INFUSION")
OVERALL = {Verdict.MET: "ELIGIBLE", Verdict.NOT_MET: "INELIGIBLE", Verdict.UNKNOWN: "UNKNOWN"}

_ALL: tuple[Judge, ...] = (
    i.relapsed_or_refractory,
    i.cd19_expressed,
    i.enough_marrow_blasts,
    i.organ_function,
    i.consent_given,
    i.age_within_limits,
    i.contraception_ensured,
    i.expansion_qualified,
    i.performance_status,
    i.vessels_allow_apheresis,
    i.expected_survival,
    e.isolated_extramedullary_relapse,
    e.other_malignancy,
    e.prior_cd19_therapy,
    e.immunosuppression,
    e.viral_markers,
    e.uncontrolled_infection,
    e.hiv_syphilis_covid,
    e.aminoglycoside_allergy,
    e.cns_disease,
    e.heart_disease,
    e.primary_immunodeficiency,
    e.study_drug_allergy,
    e.live_vaccine,
    e.pregnant_or_lactating,
    e.active_autoimmune_disease,
    e.active_gvhd,
    e.investigational_product,
    e.otherwise_unsuitable,
)
JUDGES: dict[str, Judge] = {one.id: one for judge in _ALL for one in (judge, *judge.parts)}
CRITERION_IDS: tuple[str, ...] = tuple(judge.id for judge in _ALL)


@dataclass(frozen=True)
class Evaluation:
    """The decisions of one milestone and what follows from them: ELIGIBLE, INELIGIBLE or UNKNOWN."""

    milestone: str
    protocol_version: str
    decisions: tuple[Decision, ...]
    overall: str

    def __getitem__(self, criterion_id: str) -> Decision:
        """The decision on one criterion. Raises KeyError when there is no such criterion."""
        found = {one.criterion: one for one in self.decisions}
        return found[criterion_id]


def evaluate_criterion(criterion_id: str, facts: Screening, protocol: Protocol) -> Decision:
    """The decision on one criterion, or on one part of it ("I-04b"). Raises KeyError for an unknown one."""
    return JUDGES[criterion_id](facts, protocol)


def evaluate(facts: Screening, protocol: Protocol, milestone: str = "SCREENING") -> Evaluation:
    """Every criterion on these facts, and the conclusion at this milestone."""
    decisions = tuple(judge(facts, protocol) for judge in _ALL)
    return Evaluation(milestone, protocol.version, decisions, overall(decisions, protocol, milestone))


def overall(decisions: Sequence[Decision], protocol: Protocol, milestone: str) -> str:
    """ELIGIBLE if every criterion admits, INELIGIBLE if one does not, else UNKNOWN.

    Where the protocol expects a criterion to be unknown until a later milestone, that does not hold it open.
    """
    awaited = {
        id_
        for id_, until in protocol.unknown_allowed_before.value.items()
        if MILESTONES.index(milestone) < MILESTONES.index(until)
    }
    counted = [
        one.admits for one in decisions if not (one.criterion in awaited and one.verdict is Verdict.UNKNOWN)
    ]
    return OVERALL[all_of(counted)]
