"""Who takes part: consent, history, screening, eligibility, disposition."""
