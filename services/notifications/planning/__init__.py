"""When a message leaves, and whether it leaves at all."""
