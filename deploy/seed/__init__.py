"""Plausible French data from the reference lists, the same for the same seed (`--graine`)."""
