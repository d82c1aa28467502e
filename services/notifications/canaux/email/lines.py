"""Lines of a mail as sent over SMTP: CRLF line ends, and dot stuffing."""

import re

_FIN_SEULE = re.compile(rb"\r\n|\r|\n")
FIN = b".\r\n"
"""Ends the content of a message; sent alone, it ends an empty one."""


def en_crlf(message: bytes) -> bytes:
    """Makes every line end with CRLF, including the last one.

    No single CR or LF may remain: servers that accept them as line ends could be made to see a second message ("SMTP
    smuggling"). Our mails have none; three counts are forty times faster than a substitution.
    """
    if not message.count(b"\n") == message.count(b"\r") == message.count(b"\r\n"):
        message = _FIN_SEULE.sub(b"\r\n", message)
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def transparents(message: bytes) -> bytes:
    """The content after DATA, with its end (RFC 5321, 4.5.2). `message` must be the result of `en_crlf`."""
    message = message.replace(b"\r\n.", b"\r\n..")
    return (b"." if message.startswith(b".") else b"") + message + FIN
