"""A received mail, and what its headers and parts say."""

import re
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from email.utils import parseaddr
from functools import lru_cache

_FOLDED_HEAD = re.compile(
    rb"^(subject|message-id)[ \t]*:([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", re.IGNORECASE | re.MULTILINE
)
_END_OF_HEAD = re.compile(rb"^\r?\n", re.MULTILINE)


@dataclass(frozen=True)
class Mail:
    """A message in a list. ``received_at`` is aware UTC; ``recipients`` are those of the envelope."""

    id: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    message_id: str


@dataclass(frozen=True)
class Message(Mail):
    """A message with its raw bytes, parsed only when somebody opens it."""

    raw: bytes

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in _head(self.raw).items()]

    @property
    def reply_to(self) -> str:
        """The address to which it asks to be answered, "" where it names none."""
        return parseaddr(str(_head(self.raw).get("Reply-To", "")))[1]

    def text(self) -> str | None:
        return self._part("plain")

    def html(self) -> str | None:
        return self._part("html")

    def _part(self, kind: str) -> str | None:
        message = BytesParser(policy=policy.default).parsebytes(self.raw)
        part = message.get_body((kind,))
        return str(part.get_content()) if part else None


def subject_and_message_id(raw: bytes) -> tuple[str, str]:
    """Both decoded, "" where missing. Reads only these two headers, because parsing all of them takes longer than
    receiving the mail."""
    end = _END_OF_HEAD.search(raw)
    found: dict[bytes, bytes] = {}
    for line in _FOLDED_HEAD.finditer(raw, 0, end.start() if end else len(raw)):
        found.setdefault(line[1].lower(), line[2])
    return _subject(found.get(b"subject", b"")), _plain(found.get(b"message-id", b""))


def readable(text: str) -> str:
    """Replaces what databases and pages cannot contain: bytes of an address that were not UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


# Cached because all alerts of an annonce have the same subject.
@lru_cache(maxsize=1024)
def _subject(value: bytes) -> str:
    return str(_head(b"Subject:" + value).get("Subject", ""))


def _plain(value: bytes) -> str:
    return " ".join(value.decode("utf-8", "replace").split())


def _head(raw: bytes) -> EmailMessage:
    return BytesHeaderParser(policy=policy.default).parsebytes(raw)
