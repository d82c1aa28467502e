"""The days of an annonce: which ones may be asked for, and until when it stays online. Pure: the present comes in.

A day is a day in Paris. `debut` without `fin` is one single day; `fin` without `debut` is a last day. An annonce with
days ends with the last of them; one without stays online for a while, which its author may choose.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from contracts import references
from contracts.commun import JOURS, PARIS, Code

DUREE_HABITUELLE = dt.timedelta(days=60)
DUREE_MAXIMALE = dt.timedelta(days=180)
"""How long an annonce without days stays online: unless its author chooses, and at most."""
HORIZON = dt.timedelta(days=2 * 365 + 1)
"""How far ahead a day may be: two years, whether one of them is a leap year or not."""

_PASSEE = "Cette date est passée."


class ChampInvalide(ValueError):
    """One field does not go with the others or with the present; the message is a French sentence."""

    def __init__(self, champ: str, message: str) -> None:
        super().__init__(message)
        self.champ, self.message = champ, message


@dataclass(frozen=True)
class Dates:
    debut: dt.date | None = None
    fin: dt.date | None = None
    creneaux: Sequence[Code] = ()

    @property
    def dernier_jour(self) -> dt.date | None:
        return self.fin or self.debut


def verifier(dates: Dates, now: dt.datetime, *, debut_connu: dt.date | None = None) -> None:
    """Raises ChampInvalide for the first field that cannot be.

    `debut_connu`: the first day that a corrected annonce has already. It may be past, since what has begun can still be
    corrected.
    """
    debut, fin = dates.debut, dates.fin
    aujourdhui = now.astimezone(PARIS).date()
    if debut and fin and fin < debut:
        raise ChampInvalide("date_fin", "La date de fin précède la date de début.")
    for champ, jour in (("date_debut", debut), ("date_fin", fin)):
        if jour and jour > aujourdhui + HORIZON:
            raise ChampInvalide(champ, "Cette date est trop lointaine\u00a0: choisissez-la dans les deux ans.")
    if fin and fin < aujourdhui:
        raise ChampInvalide("date_fin", _PASSEE)
    if debut and debut < aujourdhui and (fin is None or debut != debut_connu):
        raise ChampInvalide("date_debut", _PASSEE)
    _verifier_creneaux(dates, aujourdhui)


def _verifier_creneaux(dates: Dates, aujourdhui: dt.date) -> None:
    """Each slot must have its weekday between the first and the last day."""
    dernier = dates.dernier_jour
    if dernier is None:
        return
    premier = dates.debut or aujourdhui
    nombre = min((dernier - premier).days + 1, len(JOURS))
    possibles = {JOURS[(premier.weekday() + n) % len(JOURS)] for n in range(nombre)}
    for code in dates.creneaux:
        if code.partition("-")[0] not in possibles:
            raise ChampInvalide("creneaux", _hors_des_jours(code, premier, dernier))


def _hors_des_jours(code: Code, premier: dt.date, dernier: dt.date) -> str:
    moment = f"«\u00a0{references.valeur('creneaux', code).dans_une_phrase}\u00a0»"
    if premier == dernier:
        return f"Le {ecrit(premier)} est un {JOURS[premier.weekday()]}\u00a0: {moment} n’en fait pas partie."
    jour = code.partition("-")[0]
    return f"Il n’y a pas de {jour} du {ecrit(premier)} au {ecrit(dernier)}\u00a0: {moment} n’en fait pas partie."


def fin_de_parution(dates: Dates, voulue: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    """Until when an annonce stays online. `voulue`: what its author asks for. Raises ChampInvalide."""
    dernier = dates.dernier_jour
    if dernier is not None:
        fin = fin_du_jour(dernier)
        if voulue is not None and voulue != fin:
            raise ChampInvalide(
                "expire_at", f"L’annonce reste en ligne jusqu’à la fin de son dernier jour, le {ecrit(dernier)}."
            )
        return fin
    if voulue is None:
        return now + DUREE_HABITUELLE
    if voulue <= now:
        raise ChampInvalide("expire_at", _PASSEE)
    if voulue > now + DUREE_MAXIMALE:
        raise ChampInvalide(
            "expire_at", f"Une annonce sans date reste au plus {DUREE_MAXIMALE.days}\u00a0jours en ligne."
        )
    # Mongo keeps milliseconds.
    return voulue.replace(microsecond=voulue.microsecond // 1000 * 1000)


def fin_du_jour(jour: dt.date) -> dt.datetime:
    """The midnight that ends a day in Paris, in UTC: 22 h or 23 h, by the season."""
    minuit = dt.datetime.combine(jour + dt.timedelta(days=1), dt.time(), tzinfo=PARIS)
    return minuit.astimezone(dt.UTC)


def ecrit(jour: dt.date) -> str:
    """ "05/12/2026"."""
    return f"{jour:%d/%m/%Y}"
