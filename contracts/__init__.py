"""What services may know of each other: events, topics, reference lists. Imports pydantic, and nothing of ours."""
