"""The current state of each profil, for a republication of the topic that fills the index."""

from contracts.matching import EvenementProfil, ProfilDesactive, ProfilEnregistre
from kit.database.mongo import Database
from kit.messaging.republication import Document, Source
from services.matching import store


def profil(document: Document) -> EvenementProfil:
    found = store.lire(document)
    return ProfilEnregistre(profil=found) if found.actif else ProfilDesactive(profil=found)


def sources(db: Database) -> list[Source]:
    return [Source(EvenementProfil.topic, db.profils, profil)]
