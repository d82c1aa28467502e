"""Figures of the ledger for the staff, and their French formats. Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal

from contracts.commun import PARIS
from contracts.envois import ETATS, MOTIFS, Etat
from contracts.notifications import Canal
from services.notifications.domain import PROGRAMMES, en_route
from services.notifications.messages.wording import NBSP
from services.notifications.staff.filters import SANS_MOTIF, Filtres

CANAUX: Mapping[str, str] = {Canal.EMAIL: "courriel", Canal.SMS: "SMS", Canal.PUSH: "notification"}
RAISONS_BASCULE: Mapping[str, str] = {
    "erreurs": "trop d’erreurs",
    "lenteur": "trop lent",
    "muet": "ne répond plus",
    "tous_muets": "aucun ne répond",
    "retour": "retour à la normale",
}


@dataclass(frozen=True)
class AlertesSemblables:
    """Alerts with equal values. `reprise`: a process will take them up again."""

    etat: Etat
    motif: str | None
    canal: Canal
    fournisseur: str | None
    reprise: bool
    nombre: int
    parties: int

    @classmethod
    def lire(cls, ligne: Mapping[str, Any]) -> "AlertesSemblables":
        return cls(
            Etat(ligne["etat"]),
            ligne.get("motif"),
            Canal(ligne["canal"]),
            ligne.get("fournisseur"),
            bool(ligne.get("reprise")),
            ligne["nombre"],
            ligne["parties"],
        )

    @property
    def en_route(self) -> bool:
        return en_route(self.etat, self.motif, reprise=self.reprise)

    @property
    def programme(self) -> bool:
        return self.etat is Etat.EN_FILE and self.motif in PROGRAMMES

    def dans(self, filtres: Filtres) -> bool:
        """True when the table filtered by `filtres` shows them."""
        motif = filtres.motif is None or filtres.motif == (self.motif or SANS_MOTIF)
        return filtres.canal in (None, self.canal) and filtres.etat in (None, self.etat) and motif


@dataclass(frozen=True)
class Chiffres:
    """Each of the three tables counts every alert. `par_fournisseur`: (name or None, alerts, SMS parts).

    `en_route`: alerts being processed; `programmees`: alerts that wait for their hour (quiet hours, digest).
    """

    total: int
    en_route: int
    programmees: int
    par_etat: list[tuple[Etat, str | None, int]]
    par_canal: list[tuple[Canal, int]]
    par_fournisseur: list[tuple[str | None, int, int]]


def chiffrer(groupes: Iterable[AlertesSemblables]) -> Chiffres:
    """States in the order of a message's life, then by frequency."""
    tous = list(groupes)
    etats: Counter[tuple[Etat, str | None]] = Counter()
    canaux: Counter[Canal] = Counter()
    fournisseurs: Counter[str | None] = Counter()
    parties: Counter[str | None] = Counter()
    for groupe in tous:
        etats[groupe.etat, groupe.motif] += groupe.nombre
        canaux[groupe.canal] += groupe.nombre
        fournisseurs[groupe.fournisseur] += groupe.nombre
        parties[groupe.fournisseur] += groupe.parties if groupe.canal is Canal.SMS else 0
    ordre = list(Etat)
    return Chiffres(
        total=sum(groupe.nombre for groupe in tous),
        en_route=sum(groupe.nombre for groupe in tous if groupe.en_route),
        programmees=sum(groupe.nombre for groupe in tous if groupe.programme),
        par_etat=sorted(
            ((etat, motif, nombre) for (etat, motif), nombre in etats.items()),
            key=lambda ligne: (ordre.index(ligne[0]), -ligne[2], ligne[1] or ""),
        ),
        par_canal=[(canal, canaux[canal]) for canal in Canal],
        par_fournisseur=sorted(
            ((nom, nombre, parties[nom]) for nom, nombre in fournisseurs.items()),
            key=lambda ligne: (ligne[0] is None, -ligne[1], ligne[0] or ""),
        ),
    )


@dataclass(frozen=True)
class Depense:
    """Cost of SMS in a month ("2026-11"). `plafond_centimes` 0 means no limit."""

    mois: str
    parties: int
    centimes: float
    plafond_centimes: int

    @property
    def part(self) -> float | None:
        """Share of the limit; 1 means all of it."""
        return self.centimes / self.plafond_centimes if self.plafond_centimes else None


def nombre(valeur: float) -> str:
    return format_decimal(valeur, locale="fr")


def euros(centimes: float) -> str:
    return format_currency(centimes / 100, "EUR", locale="fr")


def pourcentage(part: float) -> str:
    """Rounded down, so that 100 % means nothing is left."""
    return f"{nombre(int(part * 100))}{NBSP}%"


def date(at: dt.datetime) -> str:
    """Formats a moment in Paris: "25 nov. 2026 à 9 h 05"."""
    return format_datetime(at, "d MMM y 'à' H\u00a0'h'\u00a0mm", tzinfo=PARIS, locale="fr")


def jour(valeur: dt.date) -> str:
    return format_date(valeur, "d MMMM y", locale="fr")


def mois(valeur: str) -> str:
    """Formats a month: "novembre 2026" for "2026-11"."""
    return format_date(dt.date.fromisoformat(f"{valeur}-01"), "MMMM y", locale="fr")


def motif(code: str | None) -> str:
    return "–" if code is None else MOTIFS.get(code, code)


def poids(valeurs: Mapping[str, int]) -> str:
    """Weights as text, such as "smpp 60, http 40"."""
    return ", ".join(f"{nom} {valeur}" for nom, valeur in valeurs.items())


FILTRES_JINJA: Mapping[str, Any] = {
    "date": date,
    "jour": jour,
    "mois": mois,
    "euros": euros,
    "nombre": nombre,
    "pourcentage": pourcentage,
    "motif": motif,
    "poids": poids,
    "etat": lambda code: ETATS[str(code)],
    "canal": lambda code: CANAUX.get(str(code), str(code)),
    "raison": lambda code: RAISONS_BASCULE.get(str(code), str(code)),
}
