"""Every derivation, in the order in which it is shown."""

from safety.casebook import Casebook
from safety.derived import cells, doses, laboratory, remission, subject, times, toxicity
from safety.derived.vocabulary import Derivation, Derived
from subjects.crf import CRF
from trial.protocol import Protocol

_ALL: tuple[Derivation, ...] = (
    subject.age_at_consent,
    subject.status_of_the_subject,
    subject.sets_of_the_subject,
    subject.window_of_limiting_toxicity,
    doses.body_surface_of_each_dose,
    doses.clearance_at_each_fludarabine,
    doses.dose_due_of_each_drug,
    doses.dose_of_each_infusion,
    doses.dose_against_plan,
    doses.endotoxin_of_each_batch,
    toxicity.crs_grades,
    toxicity.crs_episodes,
    toxicity.icans_grades,
    toxicity.icans_episodes,
    laboratory.laboratory_grades,
    remission.residual_disease_of_each_marrow,
    remission.response_of_each_assessment,
    remission.best_within_three_months,
    times.survival_overall,
    times.survival_without_progression,
    times.duration_of_remission,
    cells.kinetics_of_each_assay,
    cells.peak_of_each_cytokine,
    cells.aplasia_of_b_cells,
)
DERIVATIONS: dict[str, Derivation] = {one.name: one for one in _ALL}
READS: tuple[type[CRF], ...] = tuple(dict.fromkeys(form for one in _ALL for form in one.reads))


def derive(book: Casebook, protocol: Protocol) -> dict[tuple[str, str], tuple[Derivation, Derived]]:
    """Everything that follows from a casebook, by name and key."""
    return {(how.name, one.key): (how, one) for how in _ALL for one in how(book, protocol)}
