"""Channels: how a prepared message is handed to its provider. base.py defines what a channel offers."""
