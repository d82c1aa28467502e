"""Decisions of matching: the life of a profil, and whether an event of an annonce needs a search. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.annonces import Annonce, EtatAnnonce
from contracts.commun import Lieu
from contracts.effacement import COMPTE_EFFACE
from contracts.matching import Profil

ETATS_FINALS = frozenset({EtatAnnonce.RETIREE, EtatAnnonce.EXPIREE, EtatAnnonce.REFUSEE})


def nouveau(profil_id: str, compte_id: str, souhaits: Mapping[str, Any], at: dt.datetime) -> Profil:
    """Version 1 of a profil; `souhaits` are the fields that a person chooses."""
    return Profil(profil_id=profil_id, version=1, compte_id=compte_id, cree_at=at, **souhaits)


def modifier(profil: Profil, souhaits: Mapping[str, Any]) -> Profil:
    """The next version, with other wishes. It becomes active again, because a person who edits a profil wants its
    alerts."""
    kept = {"profil_id": profil.profil_id, "compte_id": profil.compte_id, "cree_at": profil.cree_at}
    return Profil(version=profil.version + 1, actif=True, **kept, **souhaits)


def contenu(profil: Profil) -> tuple[object, ...]:
    """What a person has chosen, in a form in which equal wishes are equal: the order of a list does not count."""
    listes = (profil.natures, profil.domaines, profil.categories, profil.creneaux, profil.certifications)
    reglages = (profil.sens, profil.lieu, profil.rayon_km, profil.a_distance, profil.mineur, profil.pmr)
    return (*reglages, *(frozenset(liste) for liste in listes))


def jumeau(profil: Profil, autres: Iterable[Profil]) -> Profil | None:
    """Another active profil that asks for the same, if there is one."""
    return next(
        (
            autre
            for autre in autres
            if autre.actif and autre.profil_id != profil.profil_id and contenu(autre) == contenu(profil)
        ),
        None,
    )


def desactiver(profil: Profil) -> Profil | None:
    """The next version, inactive; None when the profil is inactive already."""
    if not profil.actif:
        return None
    return profil.model_copy(update={"version": profil.version + 1, "actif": False})


def effacer(profil: Profil) -> Profil:
    """The last version, which stays in the compacted topic: it contains nothing about the person."""
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
    """What is known of an annonce: latest version and state, and the version last searched for (0: none)."""

    version: int
    etat: EtatAnnonce
    appariee: int = 0


@dataclass(frozen=True)
class Suite:
    """Effect of an event: the new `suivi`, and whether to search for people to alert."""

    suivi: Suivi
    apparier: bool


RATTRAPAGE = dt.timedelta(days=7)
"""If a publication event was missed, a later event of the annonce triggers the search, unless the publication is older
than this."""


def _a_apparier(annonce: Annonce, appariee: int, *, publication: bool, now: dt.datetime) -> bool:
    if annonce.expire_at <= now:
        return False
    # Kafka may have lost the publication event. Any event of the published annonce replaces it, once.
    manquee = annonce.etat is EtatAnnonce.PUBLIEE and not appariee
    recente = annonce.publiee_at is not None and annonce.publiee_at > now - RATTRAPAGE
    return publication or (manquee and recente)


def premiere_suite(annonce: Annonce, *, publication: bool, now: dt.datetime) -> Suite:
    """The effect of the first event received about an annonce."""
    apparier = _a_apparier(annonce, 0, publication=publication, now=now)
    return Suite(Suivi(annonce.version, annonce.etat, annonce.version if apparier else 0), apparier)


def suite(connu: Suivi, annonce: Annonce, *, publication: bool, now: dt.datetime) -> Suite | None:
    """The effect of an event with `annonce`; None when the event is stale.

    A final state wins over every other state, in whatever order events arrive. If a later change of the published
    annonce arrives before the publication, the publication is still searched for, once.
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
