"""The ledger: one row per message and person, with its outcome."""
