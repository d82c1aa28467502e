"""Compiled messages, the most recently used ones: one content concerns thousands of people."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from services.notifications.composition import Compositeur, Modele
from services.notifications.domain import Genre
from services.notifications.store import Registre

_GARDES = 256


class Modeles:
    def __init__(self, registre: Registre, compositeur: Compositeur) -> None:
        self._registre = registre
        self._compositeur = compositeur
        self._bruts: OrderedDict[str, tuple[Genre, Mapping[str, Any]]] = OrderedDict()
        self._compiles: OrderedDict[str, Modele] = OrderedDict()

    def retenir(self, contenu_id: str, genre: Genre, donnees: Mapping[str, Any]) -> None:
        """Spares a read: what was just stored is compiled from memory."""
        if contenu_id not in self._compiles:
            self._bruts[contenu_id] = (genre, donnees)
            _limiter(self._bruts)

    def compiler_si_connu(self, contenu_id: str) -> None:
        """Compiles ahead of need, when that takes no read."""
        if brut := self._bruts.pop(contenu_id, None):
            self._compiler(contenu_id, *brut)

    async def obtenir(self, contenu_id: str) -> Modele:
        """Raises LookupError when the content is gone."""
        self.compiler_si_connu(contenu_id)
        modele = self._compiles.get(contenu_id)
        if modele is None:
            modele = self._compiler(contenu_id, *await self._registre.contenu(contenu_id))
        self._compiles.move_to_end(contenu_id)
        return modele

    def _compiler(self, contenu_id: str, genre: Genre, donnees: Mapping[str, Any]) -> Modele:
        modele = self._compositeur.compiler(genre, contenu_id, donnees)
        self._compiles[contenu_id] = modele
        _limiter(self._compiles)
        return modele


def _limiter(cache: OrderedDict[str, Any]) -> None:
    while len(cache) > _GARDES:
        cache.popitem(last=False)
