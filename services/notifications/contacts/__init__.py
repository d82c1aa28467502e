"""Addresses and numbers, encrypted. No other part of the system stores them."""
