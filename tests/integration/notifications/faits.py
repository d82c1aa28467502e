"""Events as the other services would publish them, with random ids."""

import datetime as dt
from typing import Any

from contracts.annonces import Annonce, EtatAnnonce
from contracts.commun import Auteur, Lieu, Nature, Sens, TypeAuteur
from contracts.comptes import Compte, Consentement, EtatCompte
from contracts.matching import CodeRaison, CorrespondancesTrouvees, Destinataire, Raison
from contracts.notifications import Canal
from kit.ids import new_id

RAISONS = [
    Raison(code=CodeRaison.DISTANCE, valeur="1234"),
    Raison(code=CodeRaison.CRENEAU, valeur="samedi-matin"),
    Raison(code=CodeRaison.CATEGORIE, valeur="vehicule-transport"),
]


def annonce(**autres: Any) -> Annonce:
    now = dt.datetime.now(dt.UTC)
    valeurs: dict[str, Any] = {
        "annonce_id": new_id(),
        "version": 2,
        "etat": EtatAnnonce.PUBLIEE,
        "sens": Sens.BESOIN,
        "nature": Nature.LOGISTIQUE,
        "titre": "Une camionnette pour déménager l’épicerie",
        "description": "Samedi matin, de Fives à Wazemmes.",
        "categories": ["vehicule-transport"],
        "creneaux": ["samedi-matin"],
        "date_debut": dt.date(2026, 11, 28),
        "lieu": Lieu(quartier="fives", lat=50.63, lon=3.09),
        "places": 1,
        "places_restantes": 1,
        "auteur": Auteur(type=TypeAuteur.ASSOCIATION, compte_id=new_id(), association_id=new_id(), nom="L’Épicerie"),
        "deposee_at": now,
        "expire_at": now + dt.timedelta(days=30),
    }
    return Annonce(**{**valeurs, **autres})


def destinataire(compte_id: str, profil_id: str | None = None, *autres_profils: str) -> Destinataire:
    return Destinataire(
        profil_id=profil_id or new_id(),
        compte_id=compte_id,
        distance_m=1234,
        score=50,
        raisons=RAISONS,
        autres_profils=list(autres_profils),
    )


def correspondances(de: Annonce, *destinataires: Destinataire) -> CorrespondancesTrouvees:
    return CorrespondancesTrouvees(annonce=de, lot=0, lots=1, destinataires=list(destinataires))


def compte(compte_id: str, version: int, *, accorde: bool = True, etat: EtatCompte = EtatCompte.ACTIF) -> Compte:
    now = dt.datetime.now(dt.UTC)
    consentement = Consentement(canal=Canal.EMAIL, accorde=accorde, preuve="case cochée", at=now)
    return Compte(compte_id=compte_id, version=version, etat=etat, consentements=[consentement], cree_at=now)
