"""The connection of one SMTP session: writes commands and reads complete replies.

aiosmtplib connects and does TLS, EHLO and AUTH. Then this class takes over its transport (`set_protocol`), because
aiosmtplib writes one command and waits for one reply, which excludes pipelining. One round trip per mail instead of
four makes the difference between 6,700 and more than 12,000 mails per second.
"""

import asyncio
import re
from collections import deque
from dataclasses import dataclass, replace

DELAI_S = 30.0
"""Time-out of each reply; the lease of the messages in progress is extended meanwhile."""

_ADIEU_S = 2.0
_LIGNE_MAX = 8192
_REPONSE_MAX = 4 * _LIGNE_MAX
_CODE_REPETE = re.compile(r"^[245]\.\d{1,3}\.\d{1,3}\s*")
_APRES_LE_CODE = (b" ", b"-", b"\r", b"\t", b"")


class ConnectionLost(Exception):
    """The connection has ended, was silent too long, or does not follow SMTP: replies can no longer be matched to
    commands."""


@dataclass(frozen=True, slots=True)
class Reponse:
    """`texte`: all lines, with the enhanced code of the first only. It may contain an address: never store or log
    it."""

    code: int
    texte: str


class SmtpConnection(asyncio.Protocol):
    """Takes `transport` over. One task writes and waits; `delai_s` is the time-out of one reply."""

    def __init__(self, transport: asyncio.Transport, delai_s: float = DELAI_S) -> None:
        self._transport = transport
        self._delai_s = delai_s
        self._loop = asyncio.get_running_loop()
        self._tampon = b""
        self._debut: Reponse | None = None
        self._lus = 0
        self._attendues = 0
        self._recues: deque[Reponse] = deque()
        self._attente: asyncio.Future[None] | None = None
        self._perdu = False
        transport.set_protocol(self)

    @property
    def ouvert(self) -> bool:
        return not self._perdu and not self._transport.is_closing()

    def ecrire(self, octets: bytes, reponses: int) -> None:
        """`reponses`: number of replies that these bytes require. Raises ConnectionLost before any byte is written,
        never afterwards."""
        if not self.ouvert:
            raise ConnectionLost
        self._attendues += reponses
        self._transport.write(octets)

    async def reponse(self) -> Reponse:
        """The next reply, in the order of the commands. Replies received before the end of the connection are still
        returned."""
        if not self._recues:
            if not self.ouvert:
                raise ConnectionLost
            self._attente = self._loop.create_future()
            try:
                async with asyncio.timeout(self._delai_s):
                    await self._attente
            except TimeoutError as error:
                # A late reply must not be taken for that of the next command.
                self.couper()
                raise ConnectionLost from error
            finally:
                self._attente = None
            if not self._recues:
                raise ConnectionLost
        return self._recues.popleft()

    def couper(self) -> None:
        """Closes the connection at once; the server drops a message whose end was not sent."""
        self._perdu = True
        self._transport.abort()

    async def quitter(self) -> None:
        """Sends QUIT and closes, whatever the server replies."""
        try:
            self.ecrire(b"QUIT\r\n", 1)
            async with asyncio.timeout(_ADIEU_S):
                await self.reponse()
        except (ConnectionLost, TimeoutError):
            return self.couper()
        self._perdu = True
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        *lignes, self._tampon = (self._tampon + data).split(b"\n")
        for ligne in lignes:
            if not self._lire(ligne):
                return self._desaccord()
        if len(self._tampon) > _LIGNE_MAX:
            self._desaccord()
        elif self._recues:
            self._reveiller()

    def connection_lost(self, exc: Exception | None) -> None:
        self._perdu = True
        self._reveiller()

    def _lire(self, ligne: bytes) -> bool:
        """False for an invalid reply, or one that was not requested (such as 421 to an idle connection)."""
        self._lus += len(ligne) + 1
        code, suite = ligne[:3], ligne[3:4]
        if self._perdu or not self._attendues or len(ligne) > _LIGNE_MAX or self._lus > _REPONSE_MAX:
            return False
        if not code.isdigit() or suite not in _APRES_LE_CODE:
            return False
        texte = ligne[4:].strip().decode("latin-1")
        if self._debut is None:
            self._debut = Reponse(int(code), texte)
        elif self._debut.code != int(code):
            return False
        else:
            # Each line repeats the enhanced code; keep it once.
            self._debut = replace(self._debut, texte=f"{self._debut.texte} {_CODE_REPETE.sub('', texte)}")
        if suite != b"-":
            self._recues.append(self._debut)
            self._debut, self._lus = None, 0
            self._attendues -= 1
        return True

    def _desaccord(self) -> None:
        self.couper()
        self._reveiller()

    def _reveiller(self) -> None:
        if self._attente is not None and not self._attente.done():
            self._attente.set_result(None)
