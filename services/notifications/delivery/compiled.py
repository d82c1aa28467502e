"""Contents and compiled messages, the most recently used ones: one content concerns thousands of people."""

from collections.abc import Mapping
from typing import Any

from cachetools import LRUCache

from services.notifications.domain import Genre
from services.notifications.messages.mail import Compositeur, Modele
from services.notifications.registre.store import Registre

_GARDES = 256

Contenu = tuple[Genre, Mapping[str, Any]]


class Modeles:
    def __init__(self, registre: Registre, compositeur: Compositeur) -> None:
        self._registre = registre
        self._compositeur = compositeur
        self._contenus: LRUCache[str, Contenu] = LRUCache(_GARDES)
        self._compiles: LRUCache[str, Modele] = LRUCache(_GARDES)

    def retenir(self, contenu_id: str, genre: Genre, donnees: Mapping[str, Any]) -> None:
        """Spares a read: what was just stored is written from memory."""
        self._contenus[contenu_id] = (genre, donnees)

    def compiler_si_connu(self, contenu_id: str) -> None:
        """Compiles ahead of need, when that takes no read. Raises what Compositeur.compiler does."""
        if contenu_id not in self._compiles and (contenu := self._contenus.get(contenu_id)):
            self._compiler(contenu_id, contenu)

    async def obtenir(self, contenu_id: str) -> Modele:
        """The compiled mail. Raises LookupError when the content is gone, and what Compositeur.compiler does."""
        modele = self._compiles.get(contenu_id)
        if modele is None:
            modele = self._compiler(contenu_id, await self.donnees(contenu_id))
        return modele

    async def donnees(self, contenu_id: str) -> Contenu:
        """The content, of which an SMS or a notification is made. Raises LookupError when it is gone."""
        contenu = self._contenus.get(contenu_id)
        if contenu is None:
            contenu = self._contenus[contenu_id] = await self._registre.contenu(contenu_id)
        return contenu

    def _compiler(self, contenu_id: str, contenu: Contenu) -> Modele:
        modele = self._compiles[contenu_id] = self._compositeur.compiler(contenu[0], contenu_id, contenu[1])
        return modele
