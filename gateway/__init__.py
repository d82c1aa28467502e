"""The public's door: accounts, sessions, limits, the public pages, and the way to the services."""
