"""Stand-ins for the outside world: a mail catcher, two SMS operators, and phones."""
