"""The deviation rules: every rule that runs, named here and nowhere else."""

from safety.rules import consent, eligibility, product, reporting, transplant, treatment, visit_rules
from trial.rules import Rule

_ALL: tuple[Rule, ...] = (
    transplant.infusion_respects_sct_interval,
    consent.no_procedure_before_consent,
    consent.consent_form_is_approved,
    eligibility.age_within_limits,
    eligibility.ecog_within_limit,
    eligibility.marrow_blasts_suffice,
    treatment.both_lymphodepletion_drugs,
    treatment.lymphodepletion_dose_within_tolerance,
    treatment.lymphodepletion_to_infusion_interval,
    product.infused_product_was_released,
    product.infused_product_not_expired,
    product.bedside_identity_checked,
    product.thawed_product_infused_in_time,
    treatment.cell_dose_within_tolerance,
    visit_rules.visit_within_window,
    visit_rules.visit_not_missed,
    reporting.sae_reported_in_time,
)
RULES: dict[str, Rule] = {rule.id: rule for rule in _ALL}
assert len(RULES) == len(_ALL), "two rules share an id"
