"""Rules for SMS: allowed hours and a monthly spending limit.

`depenses` {_id, mois: "2026-11" (in Paris), parties, centimes}: cost of the parts of a month, added in the transaction
that marks them. A month has several rows, whose sum counts: concurrent transactions that write one row would wait for
each other and give up.
"""

import datetime as dt
import random
from enum import StrEnum

from contracts.commun import PARIS
from kit.clock import Clock
from kit.database.mongo import Collection, Database, Session
from kit.logging import get_logger
from services.notifications.metrics import DEPENSE_SMS
from services.notifications.planning.calendar import HeuresImpossibles, Regle, prochain_creneau
from services.notifications.planning.preferences import Choix

log = get_logger(__name__)


_RANGEES = 32

ALERTE_A = 0.8
"""From this share of the limit on, operators are warned."""


class BudgetSms(StrEnum):
    OK = "ok"
    AVERTIR = "avertir"
    ARRET = "arret"


def decider(depense_centimes: float, plafond_centimes: int) -> BudgetSms:
    """State of the budget of a month."""
    if depense_centimes >= plafond_centimes:
        return BudgetSms.ARRET
    return BudgetSms.AVERTIR if depense_centimes >= ALERTE_A * plafond_centimes else BudgetSms.OK


class ReglesSms:
    def __init__(self, db: Database, clock: Clock, plafond_centimes: int, regle: Regle) -> None:
        """`plafond_centimes`: limit per month; 0 means none."""
        self._depenses = db.depenses
        self._clock = clock
        self._plafond_centimes = plafond_centimes
        self._regle = regle

    async def sature(self) -> bool:
        """True when the budget of this month is used up. Logs a warning from 80 % on."""
        if not self._plafond_centimes:
            return False
        mois = _mois(self._clock.now())
        _, depense = await du_mois(self._depenses, mois)
        DEPENSE_SMS.set(depense / 100)
        decision = decider(depense, self._plafond_centimes)
        if decision is not BudgetSms.OK:
            log.warning("sms_budget", month=mois, decision=decision.value)
        return decision is BudgetSms.ARRET

    def ouverture(self, choix: Choix | None, now: dt.datetime) -> dt.datetime | None:
        """From when this person may be written to; None means now."""
        regle = self._regle
        if choix is not None and choix.heures is not None:
            try:
                regle = regle.pour(choix.heures)
            except HeuresImpossibles:
                # The platform's hours were restricted after the person chose theirs, and the law requires the
                # platform's.
                regle = self._regle
        creneau = prochain_creneau(now, regle)
        return None if creneau <= now else creneau

    async def compter(self, parties: int, centimes: float, session: Session) -> None:
        """Adds a cost, in the transaction that marks the messages as handed over."""
        mois = _mois(self._clock.now())
        await self._depenses.update_one(
            {"_id": f"{mois}:{random.randrange(_RANGEES)}"},
            {"$setOnInsert": {"mois": mois}, "$inc": {"parties": parties, "centimes": centimes}},
            upsert=True,
            session=session,
        )


async def du_mois(depenses: Collection, mois: str) -> tuple[int, float]:
    """Number of SMS parts and their cost in centimes, in a month ("2026-11")."""
    lignes = [ligne async for ligne in depenses.find({"_id": {"$gte": f"{mois}:", "$lt": f"{mois};"}})]
    return sum(ligne["parties"] for ligne in lignes), float(sum(ligne["centimes"] for ligne in lignes))


def _mois(now: dt.datetime) -> str:
    return now.astimezone(PARIS).strftime("%Y-%m")
