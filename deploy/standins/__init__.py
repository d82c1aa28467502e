"""Stand-ins for the outside world: a mailbox that keeps what it gets, two SMS operators, phones."""
