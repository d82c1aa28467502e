"""Counts the alerts of one annonce: whom it concerns, what the mail stand-in received, what waits for a digest."""

import datetime as dt
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from contracts.annonces import Annonce
from contracts.envois import Motif, id_alerte
from contracts.notifications import Canal
from deploy.client import InternalApis, MailCatcher, jusqu_a
from deploy.demo import attendu
from deploy.errors import Impossible

_SECONDES = 90


@dataclass
class Alertes:
    """Expected and received alerts of one annonce. Times are Unix seconds.

    `attendues` people are to be alerted now. `au_resume` people find it in their next digest: earlier demos have used
    up their budget of alerts for this week.
    """

    titre: str
    posee_at: float
    attendues: int
    au_resume: int
    livrees: int
    doublons: int
    manquantes: int
    premier_at: float | None
    dernier_at: float | None


@dataclass
class Comptage:
    """`mails` about the annonce, oldest first; `concernees`: those of the given addresses that were to be alerted."""

    alertes: Alertes
    mails: list[dict[str, Any]]
    concernees: set[str]

    @property
    def recus(self) -> list[str]:
        return [adresse for mail in self.mails for adresse in mail["a"]]


async def compter(
    kafka: str,
    courrier: MailCatcher,
    interne: InternalApis,
    annonce_id: str,
    posee_at: float,
    depuis: int,
    adresses: Mapping[str, str],
) -> Comptage:
    """Waits for the expected alerts, at most 90 s.

    `depuis`: id of the last mail before the annonce. `adresses`: account id → address of the people in the demo.
    """
    annonce: Annonce = await jusqu_a(lambda: attendu.publiee(kafka, annonce_id), "annonce publiée")
    profils = await attendu.concernes(interne, annonce)
    concernes, au_resume = set(profils.values()), set[str]()
    mails: list[dict[str, Any]] = []

    async def toutes() -> bool:
        nonlocal au_resume, mails
        mails = [m for m in await courrier.mails(depuis, sujet=annonce.titre) if _dit(m, annonce.titre)]
        au_resume = {profils[profil_id] for profil_id in await _au_resume(interne, annonce, profils)}
        return len(mails) + len(au_resume) >= len(concernes)

    # Missing alerts are counted below.
    with suppress(Impossible):
        await jusqu_a(toutes, "alertes", _SECONDES)
    # One person gets one alert, however many of their profils the annonce concerns.
    attendues = concernes - au_resume
    recus = [adresse for mail in mails for adresse in mail["a"]]
    instants = sorted(dt.datetime.fromisoformat(mail["recu_at"]).timestamp() for mail in mails)
    alertes = Alertes(
        titre=annonce.titre,
        posee_at=posee_at,
        attendues=len(attendues),
        au_resume=len(au_resume),
        livrees=len(set(recus)),
        doublons=len(recus) - len(set(recus)),
        manquantes=max(0, len(attendues) - len(set(recus))),
        premier_at=instants[0] if instants else None,
        dernier_at=instants[-1] if instants else None,
    )
    return Comptage(alertes, mails, {adresses[compte_id] for compte_id in attendues if compte_id in adresses})


async def _au_resume(interne: InternalApis, annonce: Annonce, profils: Collection[str]) -> set[str]:
    """The profils whose alert is postponed to a digest, because their budget of alerts is used up."""
    demande: dict[str, Any] = {"annonce_ids": [annonce.annonce_id]}
    remises: set[str] = set()
    while True:
        page = await interne.client("notifications", roles=["systeme"]).post("/v1/interne/bilan", demande)
        remises |= {id_ for groupe in page["groupes"] if groupe["motif"] == Motif.BUDGET for id_ in groupe["envois"]}
        if page["suite"] is None:
            break
        demande["apres"] = page["suite"]
    return {p for p in profils if id_alerte(annonce.annonce_id, annonce.version, p, Canal.EMAIL) in remises}


def _dit(mail: Mapping[str, Any], titre: str) -> bool:
    return str(mail["sujet"]).removeprefix("Urgent\u00a0: ") == titre
