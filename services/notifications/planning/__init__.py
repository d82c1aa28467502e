"""When a message is sent, and whether it is sent at all."""
