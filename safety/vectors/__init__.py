"""Acceptance vectors: thin adapters from the vectors' inputs to the production functions. No rule lives here."""
