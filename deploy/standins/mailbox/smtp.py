"""The SMTP side: accepts everything, unless a fault was requested."""

import asyncio
import logging
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.standins.mailbox.mail_store import MailStore

_LOG = logging.getLogger(__name__)
_LARGEST = 20 * 1024 * 1024


@dataclass
class Faults:
    """Faults for the next clients: 451 to this many RCPT and DATA, and a delay in ms before the answer to DATA."""

    rcpt_451: int = 0
    data_451: int = 0
    delai_ms: int = 0


class Handler:
    """The hooks of aiosmtpd, which defines their names."""

    def __init__(self, boite: MailStore, faults: Faults) -> None:
        self._boite = boite
        self._faults = faults

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # aiosmtpd reads commands from a buffer one after another, so pipelining works although it does not announce it.
        return [responses[0], "250-PIPELINING", *responses[1:]]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._faults.rcpt_451 > 0:
            self._faults.rcpt_451 -= 1
            return "451 4.3.0 Panne demandee"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self._faults.delai_ms > 0:
            await asyncio.sleep(self._faults.delai_ms / 1000)
        if self._faults.data_451 > 0:
            self._faults.data_451 -= 1
            return "451 4.3.0 Panne demandee"
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        try:
            mail = self._boite.add(datetime.now(UTC), envelope.mail_from or "", envelope.rcpt_tos, raw)
        except sqlite3.Error:
            # A full disk is temporary. Without this answer aiosmtpd would send 500, which is final.
            _LOG.exception("un message n’a pas pu être gardé")
            return "452 4.3.1 Message non garde"
        return f"250 OK {mail.id}"


async def serve(boite: MailStore, faults: Faults, host: str, port: int) -> asyncio.Server:
    """Listens for SMTP on the running loop."""
    loop = asyncio.get_running_loop()
    handler = Handler(boite, faults)
    # Without a host name, aiosmtpd would query the DNS for ours at every connection.
    return await loop.create_server(
        lambda: SMTP(
            handler, data_size_limit=_LARGEST, enable_SMTPUTF8=True, hostname="courrier", ident="courrier", loop=loop
        ),
        host,
        port,
        backlog=1024,
    )
