"""One file per channel: how a prepared message is handed to its provider. base.py says what a channel offers."""
