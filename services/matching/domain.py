"""Decisions of matching: the life of a profil, and whether an event about an annonce calls for a search. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.annonces import Annonce, EtatAnnonce
from contracts.commun import Lieu
from contracts.matching import Profil

COMPTE_EFFACE = "efface"
"""Stands for the account in what is left of a profil whose owner asked for erasure."""

ETATS_FINALS = frozenset({EtatAnnonce.RETIREE, EtatAnnonce.EXPIREE, EtatAnnonce.REFUSEE})


def nouveau(profil_id: str, compte_id: str, souhaits: Mapping[str, Any], at: dt.datetime) -> Profil:
    """A first version; `souhaits` are the fields of Profil that a person chooses."""
    return Profil(profil_id=profil_id, version=1, compte_id=compte_id, cree_at=at, **souhaits)


def modifier(profil: Profil, souhaits: Mapping[str, Any]) -> Profil:
    """The next version, with other wishes; who edits a profil wants its alerts, so it is active again."""
    kept = {"profil_id": profil.profil_id, "compte_id": profil.compte_id, "cree_at": profil.cree_at}
    return Profil(version=profil.version + 1, actif=True, **kept, **souhaits)


def desactiver(profil: Profil) -> Profil | None:
    """The next version, never alerted; None when it already is not."""
    if not profil.actif:
        return None
    return profil.model_copy(update={"version": profil.version + 1, "actif": False})


def effacer(profil: Profil) -> Profil:
    """The last version, which the compacted topic keeps: nothing in it speaks of a person any more."""
    return Profil(
        profil_id=profil.profil_id,
        version=profil.version + 1,
        compte_id=COMPTE_EFFACE,
        sens=profil.sens,
        lieu=Lieu(lat=0, lon=0),
        rayon_km=1,
        a_distance=False,
        actif=False,
        cree_at=profil.cree_at,
    )


@dataclass(frozen=True)
class Suivi:
    """What is known of an annonce: its latest version and state, and the version last searched for (0: none)."""

    version: int
    etat: EtatAnnonce
    appariee: int = 0


@dataclass(frozen=True)
class Suite:
    """What an event changes: the new `suivi`, and whether to search for whom it concerns."""

    suivi: Suivi
    apparier: bool


RATTRAPAGE = dt.timedelta(days=7)
"""How old a publication that was never searched may be when any later event of its annonce makes up for it."""


def _a_apparier(annonce: Annonce, appariee: int, *, publication: bool, now: dt.datetime) -> bool:
    if annonce.expire_at <= now:
        return False
    # Kafka may have lost the publication itself: any event that shows a published annonce stands for it, once.
    manquee = annonce.etat is EtatAnnonce.PUBLIEE and not appariee
    recente = annonce.publiee_at is not None and annonce.publiee_at > now - RATTRAPAGE
    return publication or (manquee and recente)


def premiere_suite(annonce: Annonce, *, publication: bool, now: dt.datetime) -> Suite:
    """What follows from the first event about an annonce that arrives."""
    apparier = _a_apparier(annonce, 0, publication=publication, now=now)
    return Suite(Suivi(annonce.version, annonce.etat, annonce.version if apparier else 0), apparier)


def suite(connu: Suivi, annonce: Annonce, *, publication: bool, now: dt.datetime) -> Suite | None:
    """What follows from an event that carries `annonce`; None when it is stale.

    A final state wins over whatever arrives later, and over whatever it overtook. A publication that a mere change
    of the published annonce has overtaken is not lost: it is searched for once.
    """
    if connu.etat in ETATS_FINALS:
        return None
    apparier = _a_apparier(annonce, connu.appariee, publication=publication, now=now)
    if annonce.version <= connu.version and annonce.etat not in ETATS_FINALS:
        if apparier and connu.etat is EtatAnnonce.PUBLIEE and annonce.version > connu.appariee:
            return Suite(Suivi(connu.version, connu.etat, annonce.version), apparier=True)
        return None
    version = max(annonce.version, connu.version)
    return Suite(Suivi(version, annonce.etat, annonce.version if apparier else connu.appariee), apparier)
