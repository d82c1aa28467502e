"""Compares what was published and announced with what became of it."""
