"""Measurements of the platform and a peer in the same run: `./place bench <name>`."""
