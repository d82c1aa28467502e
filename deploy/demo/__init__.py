"""The demo: plays the main scenario through the public API and checks the results from outside."""
