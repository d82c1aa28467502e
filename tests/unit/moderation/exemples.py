"""Dossiers for the tests of moderation."""

import datetime as dt
from typing import Any

from contracts.commun import Auteur, TypeAuteur
from contracts.moderation import TypeCible
from services.moderation.domain import Bail, Dossier, Etat

MIDI = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
DIX_MINUTES = dt.timedelta(minutes=10)


def dossier(etat: Etat = Etat.A_TRAITER, **champs: Any) -> Dossier:
    """A dossier in `etat`; a claimed one is held by "alice" with token 1 until 12:10."""
    base = {
        "dossier_id": "d1",
        "cible_type": TypeCible.ANNONCE,
        "cible_id": "a1",
        "version": 1,
        "etat": etat,
        "revue": etat is Etat.A_REVOIR,
        "titre": "Une camionnette pour un samedi",
        "description": "Nous cherchons une camionnette pour porter des meubles, « samedi » matin, à Fives, à deux.",
        "auteur": Auteur(type=TypeAuteur.ASSOCIATION, compte_id="auteur", association_id="asso", nom="Les Voisins"),
        "recu_at": MIDI,
    }
    if etat is Etat.PRIS:
        base |= {"bail": Bail(par="alice", expire_at=MIDI + DIX_MINUTES), "jeton": 1}
    return Dossier.model_validate(base | champs)
