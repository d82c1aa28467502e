"""E-mail by SMTP over sessions that stay open. `canal` opens sessions, `relays` chooses the server, `dialogue` sends a
`batch` through a session, `envelope` and `smtp_replies` write commands and interpret replies, `wire` reads and writes
bytes."""
