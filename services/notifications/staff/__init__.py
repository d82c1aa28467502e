"""The ledger as the staff sees it."""
