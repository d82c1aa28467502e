"""E-mail by SMTP over sessions that stay open.

`canal` opens sessions, `relays` says where to, `dialogue` takes a `batch` through, `envelope` and `smtp_replies` are
its words, `wire` reads and writes bytes.
"""
