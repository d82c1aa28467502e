"""What runs the system: the embedded stack, its command line, the mail catcher, the manifests."""
