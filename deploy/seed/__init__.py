"""Generates plausible French data from the reference lists; the same seed (`--graine`) gives the same data."""
