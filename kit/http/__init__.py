"""Serving and calling HTTP: the server and its limits, problems, tokens, health, calls between services."""
