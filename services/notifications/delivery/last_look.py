"""What is known of those whom rows concern: read when they are claimed, looked at again where they waited since."""

import asyncio
import time
from collections.abc import Iterable, Sequence

from kit.batching import Ensemble
from services.notifications.contacts.store import Contacts
from services.notifications.delivery.claimed_ahead import Avance, Prise, Regard
from services.notifications.domain import PROLONGATION_S
from services.notifications.registre.rows import Ligne, est_alerte
from services.notifications.registre.store import Registre

_A_L_INSTANT_S = 0.5


async def lire(
    registre: Registre, contacts: Contacts, comptes: Iterable[str], profils: Iterable[str], annonces: Iterable[str]
) -> Regard:
    """Raises CleInconnue, and what Mongo raises."""
    return Regard(
        *await asyncio.gather(contacts.trouver(comptes), registre.desabonnes(profils), registre.clotures(annonces))
    )


class Regards:
    """Of one deliverer: one look for all of its connections that ask meanwhile, and for what waits behind them."""

    def __init__(self, registre: Registre, contacts: Contacts, avance: Avance) -> None:
        self._registre = registre
        self._contacts = contacts
        self._avance = avance
        self._revoir = Ensemble(self._revoir_ensemble)

    async def voir(self, prise: Prise) -> Regard:
        """Unsubscriptions and closings are believed for a moment; addresses and choices for as long as a claim is.

        Raises as `lire`.
        """
        if prise.regard is not None and prise.vue_depuis(_A_L_INSTANT_S):
            return prise.regard
        return (await self._revoir(prise))[prise.lot]

    async def _revoir_ensemble(self, demandes: Sequence[Prise]) -> dict[str, Regard]:
        """By lot. What those behind know now is kept with them."""
        now = time.monotonic()
        # Of those behind, only what is light is looked at: addresses are read when their turn comes.
        derriere = [prise for prise in self._avance.prises if _connu(prise) and not prise.vue_depuis(_A_L_INSTANT_S)]
        prises = [*demandes, *derriere]
        connues = [_connu(prise) for prise in prises]
        vu = await lire(
            self._registre,
            self._contacts,
            [ligne["compte_id"] for ligne in _lignes(p for p, c in zip(prises, connues, strict=True) if c is None)],
            [profil_id for ligne in _lignes(prises) if (profil_id := ligne.get("profil_id"))],
            [ligne["annonce_id"] for ligne in _lignes(prises) if est_alerte(ligne)],
        )
        regards = {}
        for prise, connu in zip(prises, connues, strict=True):
            regards[prise.lot] = prise.regard = Regard((connu or vu).contacts, vu.desabonnes, vu.clotures)
            prise.vu_at = now
        return regards


def _connu(prise: Prise) -> Regard | None:
    """What was read with the claim, while its addresses and choices hold."""
    return prise.regard if prise.plus_jeune_que(PROLONGATION_S) else None


def _lignes(prises: Iterable[Prise]) -> Iterable[Ligne]:
    return (ligne for prise in prises for ligne in prise.lignes)
