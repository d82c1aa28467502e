"""The ledger: one row per message and person, and what became of it."""
