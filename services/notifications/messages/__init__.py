"""What is said, on each channel."""
