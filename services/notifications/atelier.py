"""Puts the parts together, the same for the api and the worker: stores, messages, one deliverer per channel."""

from dataclasses import dataclass

from contracts.notifications import Canal
from kit.runtime import Runtime
from services.notifications.canaux.email import CanalEmail
from services.notifications.chiffrement import Coffre
from services.notifications.composition import Compositeur
from services.notifications.contacts import Contacts
from services.notifications.handlers import Deps
from services.notifications.liens import Liens
from services.notifications.livreur import Livreur
from services.notifications.modeles import Modeles
from services.notifications.remise import Remise
from services.notifications.settings import Reglages
from services.notifications.store import Registre


@dataclass(frozen=True)
class Atelier:
    registre: Registre
    contacts: Contacts
    coffre: Coffre
    liens: Liens
    modeles: Modeles
    livreurs: dict[Canal, Livreur]

    @property
    def deps(self) -> Deps:
        """What handlers are given."""
        return Deps(self.registre, self.contacts, self.modeles, self.livreurs)

    async def create_indexes(self, settings: Reglages) -> None:
        await self.contacts.create_indexes()
        await self.registre.create_indexes(settings.conservation_jours)


def monter(runtime: Runtime, settings: Reglages, connexions: int) -> Atelier:
    """Raises ValueError for keys or an SMTP_URL that cannot be right: better at the start than at the first mail."""
    coffre, liens = Coffre(settings.cle_chiffrement), Liens(settings.cle_liens)
    compositeur = Compositeur(settings.public_url, settings.expediteur_nom, settings.expediteur_adresse)
    registre = Registre(runtime.mongo.db, runtime.clock)
    contacts = Contacts(runtime.mongo.db, coffre)
    modeles = Modeles(registre, compositeur)
    remise = Remise(modeles, compositeur, liens, coffre, runtime.clock)
    canaux = [CanalEmail(settings.smtp_url, settings.expediteur_adresse)]
    livreurs = {
        canal.nom: Livreur(canal, registre, contacts, remise, runtime.outbox, runtime.clock, connexions)
        for canal in canaux
    }
    return Atelier(registre, contacts, coffre, liens, modeles, livreurs)
