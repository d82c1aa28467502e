"""Filters of the staff's page: period, annonce, and which rows the table lists. Pure."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.commun import PARIS
from contracts.envois import Etat
from contracts.notifications import Canal
from services.notifications.registre.ids import alertes_de

JOURS_PAR_DEFAUT = 7
JOURS_MAX = 366
PAGE_MAX = 10_000
SANS_MOTIF = "aucun"
"""Value of the filter `motif` for rows without motive."""

_IDENTIFIANT = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Erreur:
    champ: str
    message: str


class FiltresInvalides(Exception):
    def __init__(self, erreurs: list[Erreur]) -> None:
        super().__init__(" ".join(erreur.message for erreur in erreurs))
        self.erreurs = erreurs


@dataclass(frozen=True)
class Filtres:
    """`du` and `au`: days in Paris, both included. `canal`, `etat` and `motif` apply to the table only."""

    du: dt.date
    au: dt.date
    annonce: str | None = None
    canal: Canal | None = None
    etat: Etat | None = None
    motif: str | None = None
    page: int = 1

    @property
    def debut(self) -> dt.datetime:
        return _minuit(self.du)

    @property
    def fin(self) -> dt.datetime:
        """The first moment after the period."""
        return _minuit(self.au + dt.timedelta(days=1))

    @property
    def mois(self) -> str:
        """The month whose spending is shown: that in which the period ends."""
        return f"{self.au:%Y-%m}"

    def perimetre(self, anciennes: Sequence[str] = ()) -> dict[str, Any]:
        """Mongo filter over `envois` for the figures. `anciennes`: ids of the old alerts of the annonce."""
        annonce: dict[str, Any] = alertes_de(self.annonce) if self.annonce else {}
        if anciennes:
            annonce = {"$or": [annonce, {"_id": {"$in": list(anciennes)}}]}
        return {"cree_at": {"$gte": self.debut, "$lt": self.fin}, **annonce}

    def detail(self, anciennes: Sequence[str] = ()) -> dict[str, Any]:
        """Mongo filter over `envois` for the table."""
        filtre = self.perimetre(anciennes)
        if self.canal:
            filtre["canal"] = self.canal.value
        if self.etat:
            filtre["etat"] = self.etat.value
        if self.motif:
            filtre["motif"] = None if self.motif == SANS_MOTIF else self.motif
        return filtre

    def params(self, **autres: Any) -> dict[str, str]:
        """GET parameters; `autres` replaces some, and None removes one."""
        tous = {**vars(self), "page": None, **autres}
        return {nom: str(valeur) for nom, valeur in tous.items() if valeur is not None}


def _minuit(jour: dt.date) -> dt.datetime:
    return dt.datetime.combine(jour, dt.time(), PARIS).astimezone(dt.UTC)


def lire_filtres(params: Mapping[str, str], aujourd_hui: dt.date) -> Filtres:
    """Parses GET parameters; empty ones count as missing. Raises FiltresInvalides with all errors."""
    donnes = {nom: valeur.strip() for nom, valeur in params.items() if valeur.strip()}
    erreurs: list[Erreur] = []
    au = _jour(donnes, "au", aujourd_hui, erreurs)
    du = _jour(donnes, "du", min(au, aujourd_hui) - dt.timedelta(days=JOURS_PAR_DEFAUT - 1), erreurs)
    if not erreurs and du > au:
        erreurs.append(Erreur("du", "Le début de la période vient après sa fin."))
    if not erreurs and (au - du).days >= JOURS_MAX:
        erreurs.append(Erreur("du", f"La période compte {JOURS_MAX} jours au plus."))
    annonce, motif = donnes.get("annonce"), donnes.get("motif")
    if annonce and not _IDENTIFIANT.fullmatch(annonce):
        erreurs.append(Erreur("annonce", "L’identifiant d’une annonce n’a que des lettres, des chiffres, - et _."))
    if motif and (len(motif) > 80 or not motif.isprintable()):
        erreurs.append(Erreur("motif", "Cette raison n’existe pas."))
    canal, etat = donnes.get("canal"), donnes.get("etat")
    if canal and canal not in list(Canal):
        erreurs.append(Erreur("canal", "Ce canal n’existe pas. Choisissez dans la liste."))
    if etat and etat not in list(Etat):
        erreurs.append(Erreur("etat", "Cet état n’existe pas. Choisissez dans la liste."))
    numero = donnes.get("page", "1")
    if not re.fullmatch("[0-9]{1,5}", numero) or not 1 <= int(numero) <= PAGE_MAX:
        erreurs.append(Erreur("page", f"Le numéro de page est un nombre de 1 à {PAGE_MAX}."))
    if erreurs:
        raise FiltresInvalides(erreurs)
    return Filtres(du, au, annonce, Canal(canal) if canal else None, Etat(etat) if etat else None, motif, int(numero))


def _jour(donnes: Mapping[str, str], champ: str, sinon: dt.date, erreurs: list[Erreur]) -> dt.date:
    valeur = donnes.get(champ)
    if valeur is None:
        return sinon
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", valeur):
            raise ValueError(valeur)
        jour = dt.date.fromisoformat(valeur)
    except ValueError:
        erreurs.append(Erreur(champ, "Une date est attendue, comme 2026-11-25."))
        return sinon
    # In other years, midnight in Paris may not exist in UTC, and the ledger has no rows.
    if not 2000 <= jour.year <= 2999:
        erreurs.append(Erreur(champ, "L’année va de 2000 à 2999."))
        return sinon
    return jour
