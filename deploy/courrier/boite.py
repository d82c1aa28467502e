"""What was received, in memory, bounded in number and in bytes."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from functools import cached_property


@dataclass(eq=False)
class Mail:
    """One message as it came; parsed only when somebody looks at it. ``received_at`` is aware UTC."""

    id: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @cached_property
    def _head(self) -> EmailMessage:
        return BytesHeaderParser(policy=policy.default).parsebytes(self.raw)

    @property
    def subject(self) -> str:
        return str(self._head.get("Subject", ""))

    @property
    def message_id(self) -> str:
        return str(self._head.get("Message-ID", "")).strip()

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self._head.items()]

    def text(self) -> str | None:
        return self._part("plain")

    def html(self) -> str | None:
        return self._part("html")

    def _part(self, kind: str) -> str | None:
        message = BytesParser(policy=policy.default).parsebytes(self.raw)
        part = message.get_body((kind,))
        return str(part.get_content()) if part else None


class Boite:
    """The kept mails, the oldest dropped past ``most_mails`` or ``most_bytes``."""

    def __init__(self, most_mails: int = 20_000, most_bytes: int = 256 * 1024 * 1024) -> None:
        self._most_mails = most_mails
        self._most_bytes = most_bytes
        self._mails: OrderedDict[int, Mail] = OrderedDict()
        self._by_address: dict[str, deque[int]] = {}
        self._bytes = 0
        self._next_id = 1
        self._arrivals: set[asyncio.Event] = set()
        self.total = 0

    def __len__(self) -> int:
        return len(self._mails)

    def add(self, received_at: datetime, sender: str, recipients: list[str], raw: bytes) -> Mail:
        """Keep a message and wake up those who wait."""
        mail = Mail(self._next_id, received_at, sender, tuple(dict.fromkeys(recipients)), raw)
        self._next_id += 1
        self.total += 1
        self._mails[mail.id] = mail
        self._bytes += len(raw)
        for address in mail.recipients:
            self._by_address.setdefault(address.casefold(), deque()).append(mail.id)
        while len(self._mails) > self._most_mails or (self._bytes > self._most_bytes and len(self._mails) > 1):
            self._drop_oldest()
        for arrival in self._arrivals:
            arrival.set()
        return mail

    def get(self, mail_id: int) -> Mail | None:
        return self._mails.get(mail_id)

    def clear(self) -> None:
        """Forget everything; ids go on, so that « after N » stays true for those who wait."""
        self._mails.clear()
        self._by_address.clear()
        self._bytes = 0
        self.total = 0

    def newest(self, part_of_address: str, start: int, count: int) -> tuple[list[Mail], int]:
        """A page, newest first, of the mails to an address that contains the text; and how many there are in all."""
        if not part_of_address:
            ids = list(self._mails)
        else:
            wanted = part_of_address.casefold()
            found = (ids for address, ids in self._by_address.items() if wanted in address)
            ids = sorted({mail_id for group in found for mail_id in group})
        ids.reverse()
        return [self._mails[mail_id] for mail_id in ids[start : start + count]], len(ids)

    def find(self, address: str | None, subject: str | None, after: int, limit: int) -> list[Mail]:
        """Oldest first: to exactly this address (any case), with this text in the subject, with a larger id."""
        found: list[Mail] = []
        for mail in self._candidates(address, after):
            if len(found) == limit:
                break
            if not subject or subject.casefold() in mail.subject.casefold():
                found.append(mail)
        return found

    async def wait(
        self, address: str | None, subject: str | None, after: int, limit: int, seconds: float
    ) -> list[Mail]:
        """As ``find``, as soon as it finds something; empty after ``seconds``."""
        arrival = asyncio.Event()
        self._arrivals.add(arrival)
        try:
            async with asyncio.timeout(seconds):
                while not (found := self.find(address, subject, after, limit)):
                    arrival.clear()
                    await arrival.wait()
                return found
        except TimeoutError:
            return []
        finally:
            self._arrivals.discard(arrival)

    def _candidates(self, address: str | None, after: int) -> Iterator[Mail]:
        if address:
            ids = self._by_address.get(address.casefold(), ())
            return (self._mails[mail_id] for mail_id in ids if mail_id > after)
        # Ids follow one another: no need to walk over what is older.
        first = max(after + 1, next(iter(self._mails), self._next_id))
        return (self._mails[mail_id] for mail_id in range(first, self._next_id) if mail_id in self._mails)

    def _drop_oldest(self) -> None:
        _, mail = self._mails.popitem(last=False)
        self._bytes -= len(mail.raw)
        for address in mail.recipients:
            ids = self._by_address[address.casefold()]
            ids.popleft()
            if not ids:
                del self._by_address[address.casefold()]
