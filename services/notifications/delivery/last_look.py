"""The last look before a hand-off: what changed since a lot was claimed, and which of its messages are not sent."""

import asyncio
import datetime as dt
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.envois import Etat, Motif
from contracts.notifications import Canal
from kit.batching import Batch
from kit.clock import Clock
from kit.waiting import outlast
from services.notifications import domain
from services.notifications.contacts.store import Contacts
from services.notifications.delivery.claimed_ahead import ClaimedAhead, Lot
from services.notifications.domain import PROLONGATION_S, Genre, Suite
from services.notifications.planning.channel_rules import Regles
from services.notifications.registre import recipients
from services.notifications.registre.recipients import Recipients
from services.notifications.registre.rows import Ligne, est_alerte
from services.notifications.registre.store import Registre

_FRESH_S = 0.5


@dataclass(frozen=True)
class View:
    """What decides about the rows of a lot at its hand-off. `sature`: no more money may be spent. `at`: now."""

    recipients: Recipients
    sature: bool
    at: dt.datetime


class LastLook:
    """Of one deliverer. One look serves all connections that ask meanwhile, and the lots that wait behind theirs."""

    def __init__(
        self,
        canal: Canal,
        registre: Registre,
        contacts: Contacts,
        ahead: ClaimedAhead,
        regles: Regles,
        clock: Clock,
    ) -> None:
        self._canal = canal
        self._registre = registre
        self._contacts = contacts
        self._ahead = ahead
        self._regles = regles
        self._clock = clock
        self._look = Batch(self._look_for)

    async def view(self, lot: Lot) -> View:
        """Waits for a database that is away. Raises CleInconnue."""
        found, sature = await asyncio.gather(outlast(self.recipients, lot), outlast(self._regles.sature))
        return View(found, sature, self._clock.now())

    def not_sent(self, ligne: Ligne, view: View) -> Suite | None:
        """Why this message is not sent, or not yet; None when it is."""
        genre, now = Genre(ligne["genre"]), view.at
        contact = view.recipients.contacts.get(ligne["compte_id"])
        cloture = view.recipients.clotures.get(ligne.get("annonce_id", ""))
        if view.sature and genre is not Genre.STOP_CONFIRME:
            return Suite(Etat.ANNULEE, Motif.PLAFOND_SMS)
        oppose = contact is not None and self._canal in contact.opposes and genre in domain.A_HEURES_OUVRABLES
        return domain.dispense(
            genre,
            desabonne=oppose or ligne.get("profil_id") in view.recipients.desabonnes,
            declinee=contact is not None and ligne.get("annonce_id") in contact.choix.refus,
            close=genre is Genre.ALERTE and cloture is not None and cloture.couvre(ligne["version"]),
            joignable="secret" in ligne or (contact is not None and self._canal in contact.adresses),
            accord=contact is not None and self._canal in contact.accords,
            pause=contact is not None and contact.choix.en_pause(now),
            age=now - ligne["cree_at"],
            ouvert_at=self._regles.ouverture(contact.choix if contact else None, now),
        )

    async def recipients(self, lot: Lot) -> Recipients:
        """Unsubscriptions and closings are at most 0.5 s old; addresses and choices may be as old as the claim.

        Raises as `recipients.read`.
        """
        if lot.recipients is not None and lot.seen_within(_FRESH_S):
            return lot.recipients
        return (await self._look(lot))[lot.id]

    async def _look_for(self, asked: Sequence[Lot]) -> dict[str, Recipients]:
        """By id of the lot."""
        now = time.monotonic()
        # Of the lots behind, only unsubscriptions and closings are read: addresses are read when their turn comes.
        behind = [lot for lot in self._ahead.lots if _known(lot) and not lot.seen_within(_FRESH_S)]
        lots = [*asked, *behind]
        known = [_known(lot) for lot in lots]
        found = await recipients.read(
            self._registre,
            self._contacts,
            [ligne["compte_id"] for ligne in _lignes(lot for lot, k in zip(lots, known, strict=True) if k is None)],
            [profil_id for ligne in _lignes(lots) if (profil_id := ligne.get("profil_id"))],
            [ligne["annonce_id"] for ligne in _lignes(lots) if est_alerte(ligne)],
        )
        seen = {}
        for lot, before in zip(lots, known, strict=True):
            seen[lot.id] = lot.recipients = Recipients((before or found).contacts, found.desabonnes, found.clotures)
            lot.seen_at = now
        return seen


def _known(lot: Lot) -> Recipients | None:
    """What was read when the lot was claimed, while its addresses and choices may still be used."""
    return lot.recipients if lot.claimed_within(PROLONGATION_S) else None


def _lignes(lots: Iterable[Lot]) -> Iterable[Ligne]:
    return (ligne for lot in lots for ligne in lot.lignes)
