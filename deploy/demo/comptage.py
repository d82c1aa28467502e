"""Counts the alerts of one annonce: whom it concerns (by brute force), what the catcher received, what waits."""

import datetime as dt
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from contracts.annonces import Annonce
from contracts.notifications import Canal
from deploy.client import Courrier, Interne, jusqu_a
from deploy.demo import attendu
from deploy.errors import Impossible
from services.notifications.domain import Motif
from services.notifications.registre.ids import id_alerte

_SECONDES = 90


@dataclass
class Alertes:
    """What was expected of one annonce, and what the catcher received. Times are Unix seconds.

    `attendues`: people to be written to now; `au_resume`: those who had enough mails this week, for whom it is in their
    next digest (an earlier demo has alerted them too).
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
    """`mails`: those about the annonce, oldest first; `concernees`: of the addresses given, those that it concerns."""

    alertes: Alertes
    mails: list[dict[str, Any]]
    concernees: set[str]

    @property
    def recus(self) -> list[str]:
        return [adresse for mail in self.mails for adresse in mail["a"]]


async def compter(
    kafka: str,
    courrier: Courrier,
    interne: Interne,
    annonce_id: str,
    posee_at: float,
    depuis: int,
    adresses: Mapping[str, str],
) -> Comptage:
    """Waits at most 90 s for what is expected. `depuis`: the last mail before; `adresses`: of who plays."""
    annonce: Annonce = await jusqu_a(lambda: attendu.publiee(kafka, annonce_id), "annonce publiée")
    destinataires = attendu.attendus(annonce, await attendu.profils(kafka))
    au_resume: set[str] = set()
    mails: list[dict[str, Any]] = []

    async def toutes() -> bool:
        nonlocal au_resume, mails
        mails = [m for m in await courrier.mails(depuis, sujet=annonce.titre) if _dit(m, annonce.titre)]
        au_resume = await _au_resume(interne, annonce, destinataires)
        return len(mails) + len(au_resume) >= len(destinataires)

    # What lacks is counted below.
    with suppress(Impossible):
        await jusqu_a(toutes, "alertes", _SECONDES)
    attendues = [d.compte_id for id_, d in destinataires.items() if id_ not in au_resume]
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


async def _au_resume(interne: Interne, annonce: Annonce, profils: Collection[str]) -> set[str]:
    """The profils whose mail about the annonce is put off to a digest, since they had enough of them."""
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
