"""Addresses and numbers: the only place in the whole system that holds them, encrypted."""
