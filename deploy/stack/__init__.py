"""The embedded stack on one machine: its programs, ports and secrets, and who supervises them."""
