"""The present state of each account, for when the topic must be published again."""

from contracts.comptes import CompteEfface, CompteEnregistre, EtatCompte, EvenementCompte
from gateway.store import Comptes, from_row
from kit.messaging.republication import Document, Source


def compte(document: Document) -> EvenementCompte:
    found = from_row(document).public()
    return CompteEfface(compte=found) if found.etat is EtatCompte.EFFACE else CompteEnregistre(compte=found)


def sources(comptes: Comptes) -> list[Source]:
    return [Source(EvenementCompte.topic, comptes.rows, compte)]
