"""Long SMS: writes the header that numbers the parts (3GPP TS 23.040, 9.2.3.24.1), and joins received parts. Pure.

Parts arrive in any order, twice, or not at all. Each must be acknowledged, because some providers send the next only
then; so a crash between two parts loses the first ones. After a delay, an incomplete message is returned with "[…]" for
the missing parts.
"""

import datetime as dt
from dataclasses import dataclass, field

from cachetools import TTLCache

from kit.clock import Clock
from kit.ids import stable_id
from services.notifications.canaux.sms.gsm7 import decoder
from services.notifications.canaux.sms.smpp.pdu import Message, Tlv

AVEC_ENTETE = 0x40
"""Bit of esm_class: the content begins with a header (UDHI)."""
DELAI = dt.timedelta(minutes=10)
_EN_COURS_MAX = 1_000
_FINIS_MAX = 20_000
_OCTETS_MAX = 254
_MANQUE = "[…]"
_REF_COURTE, _REF_LONGUE = 0x00, 0x08


class TooManyIncomplete(Exception):
    """Too many long messages are incomplete: the part must be delivered again later."""


def entete(reference: int, total: int, rang: int) -> bytes:
    """The header of part `rang` (from 1) of `total`; `reference` (0-255) is the same for all parts."""
    return bytes((5, _REF_COURTE, 3, reference, total, rang))


@dataclass(frozen=True)
class Partie:
    """`reference` None: a message of one part."""

    contenu: bytes
    data_coding: int
    reference: int | None = None
    total: int = 1
    rang: int = 1


def lire_partie(message: Message) -> Partie:
    """Returns the part without its header. If the header makes no sense, the part is treated as a whole message."""
    contenu, numeros = message.contenu, None
    if message.esm_class & AVEC_ENTETE and contenu and contenu[0] < len(contenu):
        numeros = _lire_entete(contenu[1 : contenu[0] + 1])
        contenu = contenu[contenu[0] + 1 :]
    numeros = numeros or _lire_sar(message.tlv)
    if numeros is None:
        return Partie(contenu, message.data_coding)
    reference, total, rang = numeros
    if not 1 <= rang <= total or total == 1 or len(contenu) > _OCTETS_MAX:
        return Partie(contenu, message.data_coding)
    return Partie(contenu, message.data_coding, reference, total, rang)


@dataclass(frozen=True)
class Cle:
    """What the parts of a message have in common. `source`: the sender, `destination`: our number."""

    source: str
    destination: str
    reference: int
    total: int


@dataclass
class Assemblage:
    cle: Cle
    depuis: dt.datetime
    parties: dict[int, Partie] = field(default_factory=dict)

    @property
    def complet(self) -> bool:
        return len(self.parties) == self.cle.total

    def texte(self) -> str:
        """The whole text, with "[…]" for missing parts."""
        presentes = [self.parties.get(rang) for rang in range(1, self.cle.total + 1)]
        codages = {partie.data_coding for partie in self.parties.values()}
        if self.complet and len(codages) == 1:
            # Decode the joined bytes: phones may split a character between two parts.
            return decoder(b"".join(partie.contenu for partie in presentes if partie), codages.pop())
        return "".join(decoder(partie.contenu, partie.data_coding) if partie else _MANQUE for partie in presentes)

    def empreinte(self) -> str:
        """A digest that depends only on the parts."""
        cle = self.cle
        contenus = (f"{rang}:{self.parties[rang].contenu.hex()}" for rang in sorted(self.parties))
        return stable_id(cle.source, cle.destination, cle.reference, cle.total, *contenus)


class Assembleur:
    def __init__(self, clock: Clock, delai: dt.timedelta = DELAI) -> None:
        self._clock = clock
        self._delai = delai
        self._en_cours: dict[Cle, Assemblage] = {}
        # Remembered for a while only: a reference has 8 bits, and the same person will use it again.
        self._finis: TTLCache[Cle, bool] = TTLCache(_FINIS_MAX, delai.total_seconds(), lambda: clock.now().timestamp())

    def ajouter(self, cle: Cle, partie: Partie) -> Assemblage | None:
        """Returns the message when this part completes it; call `finir` once it is stored. Returns None while parts are
        missing, and for a repeated part of a finished message. Raises TooManyIncomplete."""
        if cle in self._finis:
            return None
        if cle not in self._en_cours and len(self._en_cours) >= _EN_COURS_MAX:
            raise TooManyIncomplete
        assemblage = self._en_cours.setdefault(cle, Assemblage(cle, self._clock.now()))
        assemblage.parties[partie.rang] = partie
        return assemblage if assemblage.complet else None

    def finir(self, assemblage: Assemblage) -> None:
        if self._en_cours.get(assemblage.cle) is assemblage:
            del self._en_cours[assemblage.cle]
            self._finis[assemblage.cle] = True

    def abandonnes(self) -> list[Assemblage]:
        """Messages that have waited too long for a part; call `finir` for each."""
        limite = self._clock.now() - self._delai
        return [assemblage for assemblage in self._en_cours.values() if assemblage.depuis <= limite]


def _lire_entete(elements: bytes) -> tuple[int, int, int] | None:
    """(reference, total, rang) from the information elements of a header: type, length, value."""
    position = 0
    while position + 2 <= len(elements):
        genre, longueur = elements[position], elements[position + 1]
        valeur = elements[position + 2 : position + 2 + longueur]
        if genre == _REF_COURTE and len(valeur) == 3:
            return valeur[0], valeur[1], valeur[2]
        if genre == _REF_LONGUE and len(valeur) == 4:
            return int.from_bytes(valeur[:2], "big"), valeur[2], valeur[3]
        position += 2 + longueur
    return None


def _lire_sar(tlv: dict[int, bytes]) -> tuple[int, int, int] | None:
    valeurs = [tlv.get(code) for code in (Tlv.SAR_REFERENCE, Tlv.SAR_TOTAL, Tlv.SAR_RANG)]
    if any(valeur is None for valeur in valeurs):
        return None
    reference, total, rang = (int.from_bytes(valeur or b"", "big") for valeur in valeurs)
    return reference, total, rang
