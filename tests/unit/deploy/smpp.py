"""A small SMPP client for tests: smpplib writes and reads its PDUs."""

import asyncio
import struct
from typing import Any, Self

from smpplib import smpp
from smpplib.command import Command

from deploy.standins.sms_operators.pdus import ecrire


class Compteur:
    sequence = 0

    def next_sequence(self) -> int:
        return 0


class ClientSmpp:
    """`async with`; what it is sent is read by `recu`, one PDU after another."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sequence = 0

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *error: object) -> None:
        self.writer.transport.abort()

    def envoyer(self, commande: str, **champs: Any) -> int:
        self._sequence += 1
        self.writer.write(ecrire(commande, self._sequence, **champs))
        return self._sequence

    def repondre(self, pdu: Command, status: int = 0) -> None:
        self.writer.write(ecrire(f"{pdu.command}_resp", pdu.sequence, status))

    def brut(self, code: int, corps: bytes = b"", sequence: int = 77, longueur: int | None = None) -> None:
        head = struct.pack(">LLLL", 16 + len(corps) if longueur is None else longueur, code, 0, sequence)
        self.writer.write(head + corps)

    async def recu(self) -> Command:
        """The next PDU. Raises IncompleteReadError or ConnectionError when the connection has ended."""
        head = await self.reader.readexactly(16)
        (length,) = struct.unpack(">L", head[:4])
        body = await self.reader.readexactly(length - 16)
        return smpp.parse_pdu(head + body, client=Compteur(), allow_unknown_opt_params=True)

    async def demander(self, commande: str, **champs: Any) -> Command:
        self.envoyer(commande, **champs)
        return await self.recu()

    async def lier(
        self,
        commande: str = "bind_transceiver",
        system_id: str = "place",
        password: str = "secret",  # noqa: S107 - that of the tests
    ) -> int:
        """The status of the answer."""
        pdu = await self.demander(commande, system_id=system_id, password=password)
        assert pdu.command == f"{commande}_resp"
        return int(pdu.status)

    def soumettre(self, octets: bytes = b"Bonjour", **champs: Any) -> int:
        base = {
            "source_addr_ton": 5,
            "source_addr": "PLACE",
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "destination_addr": "33612345678",
            "short_message": octets,
        }
        return self.envoyer("submit_sm", **{**base, **champs})

    async def ferme(self) -> bool:
        """Whether the centre ends the connection, without another word."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True
