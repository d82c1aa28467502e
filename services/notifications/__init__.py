"""Each message to each person, once, and what became of it; the only holder of contact details."""
