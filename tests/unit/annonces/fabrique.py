"""Annonces and decisions for the unit tests."""

import datetime as dt
from typing import Any

from contracts.annonces import EtatAnnonce
from contracts.commun import Auteur, Lieu, Nature, Sens, TypeAuteur
from contracts.moderation import Decision, Issue, Motif, TypeCible
from services.annonces import domain
from services.annonces.contenu import Contenu
from services.annonces.domain import Fiche

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def contenu(**champs: Any) -> Contenu:
    return Contenu.model_validate(
        {
            "sens": Sens.BESOIN,
            "nature": Nature.LOGISTIQUE,
            "titre": "Une camionnette pour samedi",
            "description": "Pour transporter du terreau.",
            "domaines": [],
            "categories": ["vehicule-transport"],
            "publics": [],
            "cession": None,
            "date_debut": None,
            "date_fin": None,
            "creneaux": [],
            "lieu": Lieu(quartier="fives", lat=50.63, lon=3.09),
            "a_distance": False,
            "certifications": [],
            "accessible_pmr": False,
            "ouvert_aux_mineurs": False,
            "urgent": False,
            "places": 3,
            "expire_at": NOW + dt.timedelta(days=60),
            **champs,
        }
    )


def fiche(
    etat: EtatAnnonce, *, version: int = 5, version_deposee: int = 5, restantes: int = 3, places: int = 3
) -> Fiche:
    auteur = Auteur(type=TypeAuteur.ASSOCIATION, compte_id="c1", association_id="a1", nom="Les Jardins")
    deposee = domain.deposer("n1", contenu(places=places), auteur, NOW).fiche.annonce
    champs = {"etat": etat, "version": version, "places_restantes": restantes}
    return Fiche(deposee.model_copy(update=champs), version_deposee)


def decision(issue: Issue, version: int = 5, cible_type: TypeCible = TypeCible.ANNONCE) -> Decision:
    return Decision(
        decision_id="d1",
        dossier_id="o1",
        cible_type=cible_type,
        cible_id="n1",
        cible_version=version,
        cible_titre="Une camionnette pour samedi",
        issue=issue,
        motifs=[] if issue is Issue.APPROUVEE else [Motif(code="autre", explication="Dites quand.")],
        destinataires=["c1"],
        decidee_at=NOW,
    )
