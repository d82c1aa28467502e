"""An SMTP server in the test process that keeps what it gets, answers as it is told, and can go away and come back."""

import email
import email.policy
import socket
from collections import defaultdict
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Boite:
    def __init__(self) -> None:
        self.mails: dict[str, list[EmailMessage]] = defaultdict(list)
        self.bruts: dict[str, list[bytes]] = defaultdict(list)
        self.reponses: dict[str, list[str]] = {}
        self._a_tous: str | None = None
        with socket.socket() as libre:
            libre.bind(("127.0.0.1", 0))
            self.port = int(libre.getsockname()[1])
        self._serveur: Controller | None = None

    def ouvrir(self) -> None:
        self._serveur = Controller(self, hostname="127.0.0.1", port=self.port)
        self._serveur.start()

    def fermer(self) -> None:
        if self._serveur is not None:
            self._serveur.stop()
            self._serveur = None

    def refuser(self, adresse: str, *reponses: str) -> None:
        """The answers to the next RCPT TO of this address; then it is accepted."""
        self.reponses[adresse] = list(reponses)

    def refuser_tout(self, reponse: str | None) -> None:
        """The answer to every content, until it is None again."""
        self._a_tous = reponse

    async def handle_RCPT(  # aiosmtpd names its hooks so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        if self.reponses.get(address):
            return self.reponses[address].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # as above
        if self._a_tous is not None:
            return self._a_tous
        brut = envelope.original_content or b""
        for adresse in envelope.rcpt_tos:
            self.bruts[adresse].append(brut)
            mail = email.message_from_bytes(brut, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails[adresse].append(mail)
        return "250 OK"
