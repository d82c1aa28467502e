"""What somebody means who writes back, by SMS or by mail: a closed grammar, in which what is not wholly understood is asked again."""
