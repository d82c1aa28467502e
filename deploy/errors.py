"""The error type that ./place shows to people."""


class Impossible(Exception):
    """./place cannot do something. The text is one French sentence that says what to do about it."""
