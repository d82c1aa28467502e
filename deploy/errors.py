"""The one error that ./place shows to people."""


class Impossible(Exception):
    """Something ./place cannot do; its text is one French sentence that says what to do about it."""
