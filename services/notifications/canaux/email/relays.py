"""Which relay takes the next lot: weights decide, and one that was away a moment ago is not waited for again."""

import random
import time
from collections.abc import Callable, Mapping, Sequence

from contracts.notifications import Canal
from services.notifications.canaux.base import Aiguillage
from services.notifications.canaux.email.servers import Serveur
from services.notifications.canaux.provider_pauses import Retenues

_ABSENCE_S = 30.0
"""For so long a relay that could not be reached is tried last: a silent one costs every lot a whole time-out."""


class AuPoids:
    """Draws by fixed weights, whatever becomes of the messages."""

    def __init__(self, poids: Mapping[str, int], hasard: random.Random | None = None) -> None:
        self._poids = dict(poids)
        self._hasard = hasard or random.Random()

    def choisir(self, exclus: frozenset[str]) -> str:
        noms = [nom for nom in self._poids if nom not in exclus]
        return self._hasard.choices(noms, [self._poids[nom] for nom in noms])[0]

    def noter(self, fournisseur: str, *, succes: bool, duree_s: float) -> None:
        """Fixed weights learn nothing."""


class Relais:
    """The relays of one process, shared by its connections: what one of them finds away, the others pass over."""

    def __init__(
        self,
        serveurs: Sequence[Serveur],
        aiguillage: Aiguillage | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._serveurs = {serveur.nom: serveur for serveur in serveurs}
        self.aiguillage = aiguillage or AuPoids({serveur.nom: serveur.poids for serveur in serveurs})
        self._monotonic = monotonic
        self.retenues = Retenues(Canal.EMAIL, monotonic)
        self._absents: dict[str, float] = {}

    def proposer(self, essayes: frozenset[str]) -> Serveur | None:
        """The relay to try next; None once all were tried, but for those that refuse us. Raises LookupError when
        `aiguillage` errs."""
        restants = self._serveurs.keys() - essayes - self.retenues.parmi(self._serveurs)
        now = self._monotonic()
        candidats = {nom for nom in restants if self._absents.get(nom, 0.0) <= now} or restants
        if not candidats:
            return None
        if len(candidats) == 1:
            return self._serveurs[next(iter(candidats))]
        nom = self.aiguillage.choisir(frozenset(self._serveurs.keys() - candidats))
        if nom not in candidats:
            raise LookupError(f"the aiguillage named {nom}, which was excluded or is unknown")
        return self._serveurs[nom]

    @property
    def tous_refusent(self) -> bool:
        """Whether every relay refuses us."""
        return len(self.retenues.parmi(self._serveurs)) == len(self._serveurs)

    def absent(self, nom: str, duree_s: float) -> None:
        self._absents[nom] = self._monotonic() + _ABSENCE_S
        self.aiguillage.noter(nom, succes=False, duree_s=duree_s)

    def present(self, nom: str) -> None:
        self._absents.pop(nom, None)
