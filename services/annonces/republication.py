"""The present state of each annonce and association, for when the topics must be published again."""

from collections.abc import Mapping

from contracts import annonces as evenements
from contracts.annonces import Association, EtatAnnonce, EvenementAnnonce, EvenementAssociation
from contracts.commun import TypeAuteur
from contracts.effacement import COMPTE_EFFACE
from kit.messaging.republication import Document, Source
from services.annonces.associations import EVENEMENTS as ASSOCIATIONS
from services.annonces.domain import proposee
from services.annonces.store import Store, fiche

ANNONCES: Mapping[EtatAnnonce, type[EvenementAnnonce]] = {
    EtatAnnonce.DEPOSEE: evenements.AnnonceDeposee,
    EtatAnnonce.A_CORRIGER: evenements.AnnonceACorriger,
    EtatAnnonce.REFUSEE: evenements.AnnonceRefusee,
    # Not AnnoncePubliee: whoever was not alerted because they came later is not alerted now. Who searches for people
    # makes up for a publication that never arrived by any event that shows a published annonce.
    EtatAnnonce.PUBLIEE: evenements.AnnonceModifiee,
    EtatAnnonce.POURVUE: evenements.AnnoncePourvue,
    EtatAnnonce.RETIREE: evenements.AnnonceRetiree,
    EtatAnnonce.EXPIREE: evenements.AnnonceExpiree,
}


def annonce(document: Document) -> EvenementAnnonce:
    lue = fiche({**document})
    found = lue.annonce
    if found.auteur.type is TypeAuteur.PARTICULIER and found.auteur.compte_id == COMPTE_EFFACE:
        return evenements.AnnonceEffacee(annonce=found)
    return ANNONCES[found.etat](annonce=found, proposee=proposee(lue))


def association(document: Document) -> EvenementAssociation:
    found = Association.model_validate(document)
    return ASSOCIATIONS[found.etat](association=found)


def sources(store: Store) -> list[Source]:
    return [
        Source(EvenementAnnonce.topic, store.annonces, annonce),
        Source(EvenementAssociation.topic, store.associations, association),
    ]
