"""Price of one SMS part by country and operator. A number without a price gets no SMS. Pure.

A tariff maps the first digits of an E.164 number to a price: "33" is a country, "33700" a range of one operator. The
longest prefix wins. So no SMS, not even a reply, is sent to a country whose price nobody has accepted.
"""

import re
from collections.abc import Mapping

METROPOLE = "33"
OUTRE_MER: Mapping[str, float] = {
    # La Réunion and Mayotte, Guadeloupe (Saint-Martin, Saint-Barthélemy), Guyane, Martinique.
    **dict.fromkeys(("262", "590", "594", "596"), 9.0),
    # Saint-Pierre-et-Miquelon, Wallis-et-Futuna, Nouvelle-Calédonie, Polynésie.
    **dict.fromkeys(("508", "681", "687", "689"), 18.0),
}
"""Centimes per part."""

_LIGNE = re.compile(r"\+?([1-9][0-9]{0,14})=([0-9]{1,4}(?:\.[0-9]{1,4})?)")


class Tarifs:
    """`prix`: first digits → centimes per part."""

    def __init__(self, prix: Mapping[str, float]) -> None:
        self._prix = dict(prix)

    def centimes(self, numero: str) -> float | None:
        """Price of one part to this number (E.164); None: no SMS may be sent there."""
        chiffres = numero.removeprefix("+")
        for longueur in range(len(chiffres), 0, -1):
            if (prix := self._prix.get(chiffres[:longueur])) is not None:
                return prix
        return None


def lire(autres: str, metropole: float) -> Tarifs:
    """Prices for France and overseas; `autres` adds countries or changes prices: "32=7.5,689=20". Raises ValueError."""
    prix = {METROPOLE: metropole, **OUTRE_MER}
    for ligne in filter(None, (ligne.strip() for ligne in autres.split(","))):
        trouve = _LIGNE.fullmatch(ligne)
        if trouve is None:
            raise ValueError("SMS_TARIFS must look like 32=7.5,689=20: the first digits of numbers, and centimes")
        prix[trouve[1]] = float(trouve[2])
    return Tarifs(prix)
