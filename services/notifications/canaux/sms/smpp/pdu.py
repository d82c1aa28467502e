"""PDUs of SMPP 3.4 as bytes: a header of 16 bytes, then a body of C strings, small integers and optional TLVs. Pure.

smpplib is not used: it reads a TLV by the size in its table instead of the received length, loses receipts with a TLV
that it does not list, misreads strings without a terminator, cuts a long password silently, and its alphabet has `
instead of §. The tests run this module against smpplib.
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum

ENTETE = 16
LONGUEUR_MAX = 70_000
"""A message_payload has at most 64 KB; a longer PDU is invalid."""
REPONSE = 0x8000_0000
_ENTETE = struct.Struct(">IIII")
_TLV = struct.Struct(">HH")


class Commande(IntEnum):
    GENERIC_NACK = 0x8000_0000
    BIND_TRANSCEIVER = 0x0000_0009
    SUBMIT_SM = 0x0000_0004
    DELIVER_SM = 0x0000_0005
    UNBIND = 0x0000_0006
    ENQUIRE_LINK = 0x0000_0015
    ALERT_NOTIFICATION = 0x0000_0102


class Statut(IntEnum):
    """The values of command_status (SMPP 3.4, 5.1.3) that matter here."""

    OK = 0x00
    LONGUEUR_DU_MESSAGE = 0x01
    LONGUEUR_DE_COMMANDE = 0x02
    COMMANDE_INCONNUE = 0x03
    NON_LIE = 0x04
    DEJA_LIE = 0x05
    ERREUR_SYSTEME = 0x08
    EXPEDITEUR = 0x0A
    DESTINATAIRE = 0x0B
    LIEN_REFUSE = 0x0D
    MOT_DE_PASSE = 0x0E
    IDENTIFIANT = 0x0F
    FILE_PLEINE = 0x14
    SERVICE = 0x15
    CLASSE_DE_MESSAGE = 0x43
    TON_DE_L_EXPEDITEUR = 0x48
    NPI_DE_L_EXPEDITEUR = 0x49
    TON_DU_DESTINATAIRE = 0x50
    NPI_DU_DESTINATAIRE = 0x51
    TYPE_DE_SYSTEME = 0x53
    DEBIT = 0x58
    TEMPORAIRE = 0x64
    """ESME_RX_T_APPN: not accepted now, deliver it again."""
    REJET = 0x66
    """ESME_RX_R_APPN: never accepted."""


class Tlv(IntEnum):
    REFERENCE_ACCUSEE = 0x001E
    SAR_REFERENCE = 0x020C
    SAR_TOTAL = 0x020E
    SAR_RANG = 0x020F
    ERREUR_RESEAU = 0x0423
    CONTENU = 0x0424
    ETAT = 0x0427


class Malforme(ValueError):
    """The bytes are not a valid PDU."""


@dataclass(frozen=True)
class Pdu:
    commande: int
    statut: int
    sequence: int
    corps: bytes = b""

    def octets(self) -> bytes:
        return _ENTETE.pack(ENTETE + len(self.corps), self.commande, self.statut, self.sequence) + self.corps


def lire_entete(octets: bytes) -> tuple[int, Pdu]:
    """Returns the length of the body that follows, and the PDU without body. Raises Malforme for an impossible
    length."""
    longueur, commande, statut, sequence = _ENTETE.unpack(octets)
    if not ENTETE <= longueur <= LONGUEUR_MAX:
        raise Malforme("impossible length")
    return longueur - ENTETE, Pdu(commande, statut, sequence)


@dataclass(frozen=True)
class Adresse:
    """`ton`, `npi`: type of number and numbering plan (SMPP 3.4, 5.2.5 and 5.2.6)."""

    texte: str
    ton: int
    npi: int


INTERNATIONAL, NATIONAL, COURT, NOM, RESEAU = 1, 2, 3, 5, 1
"""Values of TON, then the NPI of telephone numbers (ISDN)."""


@dataclass(frozen=True)
class Message:
    """Contents of submit_sm and deliver_sm. `contenu`: short_message or message_payload, including the header."""

    source: Adresse
    destination: Adresse
    contenu: bytes
    esm_class: int = 0
    data_coding: int = 0
    tlv: dict[int, bytes] = field(default_factory=dict)


def corps_bind(identifiant: str, mot_de_passe: str) -> bytes:
    """The body of bind_transceiver; both values are short and ASCII (checked by lire_url)."""
    return _chaine(identifiant) + _chaine(mot_de_passe) + _chaine("") + bytes((0x34, 0, 0)) + _chaine("")


def corps_submit(message: Message) -> bytes:
    """The body of submit_sm: requests a final receipt; default priority, schedule and validity."""
    return b"".join(
        (
            _chaine(""),
            _adresse(message.source),
            _adresse(message.destination),
            bytes((message.esm_class, 0, 0)),
            _chaine("") + _chaine(""),
            bytes((1, 0, message.data_coding, 0, len(message.contenu))),
            message.contenu,
        )
    )


def lire_message(corps: bytes) -> Message:
    """Parses the body of a deliver_sm. Raises Malforme."""
    lecture = _Lecture(corps)
    lecture.chaine()
    source = lecture.adresse()
    destination = lecture.adresse()
    esm_class = lecture.octet()
    lecture.octets(2)
    lecture.chaine()
    lecture.chaine()
    lecture.octets(2)
    data_coding = lecture.octet()
    lecture.octet()
    contenu = lecture.octets(lecture.octet())
    tlv = lecture.tlv()
    return Message(source, destination, contenu or tlv.get(Tlv.CONTENU, b""), esm_class, data_coding, tlv)


def lire_reference(corps: bytes) -> str | None:
    """message_id of a submit_sm_resp; None when it is missing."""
    return lire_chaine(corps) or None


def lire_chaine(octets: bytes) -> str:
    """Parses a C string. Its terminator may be missing at the end of a TLV or body, as many providers send it."""
    return octets.partition(b"\0")[0].decode("latin-1")


class _Lecture:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._position = 0

    def octets(self, combien: int) -> bytes:
        debut, self._position = self._position, self._position + combien
        if self._position > len(self._octets):
            raise Malforme("shorter than it says")
        return self._octets[debut : self._position]

    def octet(self) -> int:
        return self.octets(1)[0]

    def chaine(self) -> str:
        fin = self._octets.find(b"\0", self._position)
        if fin < 0:
            raise Malforme("a string without its end")
        return self.octets(fin + 1 - self._position)[:-1].decode("latin-1")

    def adresse(self) -> Adresse:
        ton, npi = self.octets(2)
        return Adresse(self.chaine(), ton, npi)

    def tlv(self) -> dict[int, bytes]:
        """The optional parameters. Parsing stops at a truncated one, and keeps those before it."""
        lus: dict[int, bytes] = {}
        while len(self._octets) - self._position >= _TLV.size:
            code, longueur = _TLV.unpack(self.octets(_TLV.size))
            if self._position + longueur > len(self._octets):
                break
            lus[code] = self.octets(longueur)
        return lus


def _adresse(adresse: Adresse) -> bytes:
    return bytes((adresse.ton, adresse.npi)) + _chaine(adresse.texte)


def _chaine(texte: str) -> bytes:
    return texte.encode("ascii") + b"\0"
