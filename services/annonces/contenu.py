"""What the author of an annonce writes: what of it waits for a moderator when it changes, and what does not. Pure."""

import datetime as dt

from contracts.annonces import Circonstances, EtatAnnonce
from contracts.base import Valeur
from contracts.commun import Cession, Code, Instant, Lieu, Nature, Sens
from contracts.moderation import Motif


class Texte(Valeur):
    """What a moderator reads before others do, whenever it changes: the words, and what they are about.

    Which field belongs here and which in Contenu decides what waits for a moderator and what takes effect at once.
    """

    sens: Sens
    nature: Nature
    titre: str
    description: str
    domaines: list[Code]
    categories: list[Code]
    publics: list[Code]
    cession: Cession | None
    lieu: Lieu
    certifications: list[Code]
    ouvert_aux_mineurs: bool
    urgent: bool


class Contenu(Texte):
    """What the author writes. What is not part of Texte takes effect at once."""

    date_debut: dt.date | None
    date_fin: dt.date | None
    creneaux: list[Code]
    a_distance: bool
    accessible_pmr: bool
    places: int
    expire_at: Instant


IMMEDIATS = frozenset(Contenu.model_fields) - frozenset(Texte.model_fields)


class Proposition(Valeur):
    """A new text of a published annonce. `version`: of the annonce once it was handed in.

    `etat`: `deposee` while it waits for a moderator; `a_corriger` or `refusee` once it was sent back, with `motifs`.
    """

    texte: Texte
    version: int
    deposee_at: Instant
    etat: EtatAnnonce = EtatAnnonce.DEPOSEE
    motifs: list[Motif] = []


class ChangementADire(Valeur):
    """Days or place changed, and whoever holds or waits for a place is not told yet: `avant` is what they know.

    `change_at`: the last edit, so that whoever answered later knows. `dire_at`: when they are told.
    """

    avant: Circonstances
    change_at: Instant
    dire_at: Instant
