"""What somebody means who writes back, by SMS or by mail. What is not wholly understood is asked again."""
