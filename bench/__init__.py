"""How fast the system is: every operation against raw PostgreSQL, alternating, in one run. See docs/performance.md."""
