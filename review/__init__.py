"""How data become trusted: queries, locks, the monitors' admin."""
