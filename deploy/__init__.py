"""Runs the system: the embedded stack, the command line ./place, stand-ins for mail and SMS, Kubernetes manifests."""
