"""What services may know of each other: events, topics, reference lists. Needs pydantic alone, imports nothing of ours."""
