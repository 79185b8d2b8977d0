"""What goes wrong: adverse events, grading, dose-limiting toxicity, the casebook, deviations."""
