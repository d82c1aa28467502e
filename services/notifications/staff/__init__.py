"""The ledger as shown to the staff."""
