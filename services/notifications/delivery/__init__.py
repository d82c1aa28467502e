"""Handing messages over: claims, leases, marks."""
