"""The 29 eligibility criteria of the registry record, one function each, in three-valued logic."""
