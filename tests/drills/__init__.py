"""Drills: the study as it runs in earnest, in real processes, while those are killed. Run by `make drill`."""
