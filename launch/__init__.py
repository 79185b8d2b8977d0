"""Starts what the study needs on one machine: PostgreSQL, Valkey and the study's own processes.

The launcher stands alone. It knows Django only as commands that it runs, so that it can explain in one
sentence why those commands would not work. See docs/decisions/0001-platform.md for the reasons.
"""
