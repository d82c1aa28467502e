"""What services may know of each other: events, topics, reference lists, and the ledger's vocabulary. Imports only
pydantic and the standard library."""
