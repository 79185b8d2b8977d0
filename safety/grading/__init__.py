"""Grading of toxicity: the published tables as data and small functions, each naming the version it follows."""
