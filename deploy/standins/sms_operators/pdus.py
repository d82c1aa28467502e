"""PDUs of SMPP 3.4 on an asyncio stream: written by smpplib, parsed here.

smpplib parses a parameter by the size in its own table instead of the size received, rejects parameters that it does
not list for a command, and misreads strings without a terminator. Tests of a client must see the mistakes of the client
only.
"""

import asyncio
import struct
from dataclasses import dataclass
from typing import Any

from smpplib import command_codes, consts, exceptions, smpp

_HEAD = 16
_LARGEST = 70_000  # message_payload holds up to 65,535 octets

# Mandatory parameters in order: maximum octets of a string including its terminator, or 0 for an integer of one octet.
_BIND = {
    "system_id": 16,
    "password": 9,
    "system_type": 13,
    "interface_version": 0,
    "addr_ton": 0,
    "addr_npi": 0,
    "address_range": 41,
}
_SUBMIT = {
    "service_type": 6,
    "source_addr_ton": 0,
    "source_addr_npi": 0,
    "source_addr": 21,
    "dest_addr_ton": 0,
    "dest_addr_npi": 0,
    "destination_addr": 21,
    "esm_class": 0,
    "protocol_id": 0,
    "priority_flag": 0,
    "schedule_delivery_time": 17,
    "validity_period": 17,
    "registered_delivery": 0,
    "replace_if_present_flag": 0,
    "data_coding": 0,
    "sm_default_msg_id": 0,
    "sm_length": 0,
}
_TABLES = {"bind_transmitter": _BIND, "bind_receiver": _BIND, "bind_transceiver": _BIND, "submit_sm": _SUBMIT}

# Optional parameters that are used (5.3.2).
MESSAGE_PAYLOAD, SAR_REFERENCE, SAR_TOTAL, SAR_SEGMENT = 0x0424, 0x020C, 0x020E, 0x020F


class PduFaux(Exception):
    """Invalid octets. The answer is the command `reponse` with `status` and `sequence`. `fin`: the following octets
    cannot be parsed either."""

    def __init__(self, status: int, sequence: int, reponse: str = "generic_nack", *, fin: bool = False) -> None:
        super().__init__(f"{reponse} {status:#x}")
        self.status, self.sequence, self.reponse, self.fin = status, sequence, reponse, fin


@dataclass(frozen=True)
class Pdu:
    """`textes`, `nombres`: mandatory parameters; `message`: short_message; `tlv`: optional parameters by tag. Empty for
    commands whose parameters are not used."""

    commande: str
    status: int
    sequence: int
    textes: dict[str, str]
    nombres: dict[str, int]
    message: bytes
    tlv: dict[int, bytes]

    def entier(self, tag: int) -> int | None:
        """An optional parameter as an integer; None when it is missing."""
        return int.from_bytes(self.tlv[tag], "big") if tag in self.tlv else None


async def lire(reader: asyncio.StreamReader) -> Pdu:
    """Reads the next PDU. Raises PduFaux, or asyncio.IncompleteReadError or OSError at the end of the connection."""
    head = await reader.readexactly(_HEAD)
    length, code, status, sequence = struct.unpack(">LLLL", head)
    if not _HEAD <= length <= _LARGEST:
        raise PduFaux(consts.SMPP_ESME_RINVCMDLEN, sequence, fin=True)
    return analyser(code, status, sequence, await reader.readexactly(length - _HEAD))


def analyser(code: int, status: int, sequence: int, corps: bytes) -> Pdu:
    """Raises PduFaux."""
    try:
        commande = str(command_codes.get_command_name(code))
    except exceptions.UnknownCommandError as error:
        raise PduFaux(consts.SMPP_ESME_RINVCMDID, sequence) from error
    table = _TABLES.get(commande)
    if table is None:
        return Pdu(commande, status, sequence, {}, {}, b"", {})
    reponse = f"{commande}_resp"
    texts: dict[str, str] = {}
    numbers: dict[str, int] = {}
    rest = corps
    for name, most in table.items():
        if most == 0:
            if not rest:
                raise PduFaux(consts.SMPP_ESME_RINVCMDLEN, sequence, reponse)
            numbers[name], rest = rest[0], rest[1:]
            continue
        text, end, rest = rest.partition(b"\0")
        if not end or len(text) >= most:
            raise PduFaux(consts.SMPP_ESME_RINVPARLEN, sequence, reponse)
        texts[name] = text.decode("latin-1")
    message, rest = rest[: numbers.get("sm_length", 0)], rest[numbers.get("sm_length", 0) :]
    if len(message) < numbers.get("sm_length", 0):
        raise PduFaux(consts.SMPP_ESME_RINVMSGLEN, sequence, reponse)
    return Pdu(commande, status, sequence, texts, numbers, message, _optionnels(rest, sequence, reponse))


def ecrire(commande: str, sequence: int, status: int = consts.SMPP_ESME_ROK, **champs: Any) -> bytes:
    """Encodes a PDU."""
    pdu = smpp.make_pdu(commande, client=_Compteur(), status=status, **champs)
    pdu.sequence = sequence
    octets: bytes = pdu.generate()
    return octets


def _optionnels(octets: bytes, sequence: int, reponse: str) -> dict[int, bytes]:
    """Optional parameters by tag; unknown tags are kept but ignored (3.3). Raises PduFaux."""
    found: dict[int, bytes] = {}
    while octets:
        if len(octets) < 4 or len(octets) < 4 + int.from_bytes(octets[2:4], "big"):
            raise PduFaux(consts.SMPP_ESME_RINVOPTPARSTREAM, sequence, reponse)
        tag, length = struct.unpack(">HH", octets[:4])
        found[tag], octets = octets[4 : 4 + length], octets[4 + length :]
    return found


class _Compteur:
    """Satisfies smpplib, which asks for a sequence number; the real one is set afterwards."""

    sequence = 0

    def next_sequence(self) -> int:
        return 0
