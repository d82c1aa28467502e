"""SIGKILL, fifty times, of the worker that hands over 10,000 mails and 2,000 SMS: nothing is lost, and what comes twice
comes from the documented window.

Half of the kills strike as a message arrives, before the answer to it has left: the worst moment, after which nobody
can know. The others strike a little later, or whenever chance has it: while the worker starts, joins its group, stores
rows.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from contracts.envois import Etat
from contracts.notifications import Canal, EnvoisRemis
from deploy.bilan.topic_reader import events
from deploy.client import jusqu_a
from services.notifications.canaux.providers import SMPP
from services.notifications.domain import LOT_MAX, TENTATIVES_MAX, lots_par_connexion
from tests.chaos.messages.envois import Arrivees, Scene, a_nous, operateurs, scene, smtp
from tests.chaos.messages.ouvrier import Ouvrier
from tests.serveurs import _free_port

pytestmark = pytest.mark.chaos

ANNONCES, PERSONNES, AVEC_SMS = 20, 500, 100
MAILS, SMS = ANNONCES * PERSONNES, ANNONCES * AVEC_SMS
MORTS = 50
CONNEXIONS = 2
"""Fewer than by default, so that the window is small beside the number of mails."""
DOUBLONS_MAX = MORTS * LOT_MAX[Canal.EMAIL] * lots_par_connexion(Canal.EMAIL) * CONNEXIONS
_VAGUE = 5
_PATIENCE_S = 30
"""For the messages after which a life is to end: a group waits for its dead members for up to 20 seconds before it
gives their partitions to the next. A life that has nothing to hand over by then ends all the same."""


async def test_cinquante_kill_9_ne_perdent_rien(tmp_path: Path) -> None:
    arrivees = Arrivees()
    debut = time.monotonic()
    with a_nous(tmp_path / "serveurs") as serveurs:
        async with AsyncExitStack() as stack:
            lieu = await stack.enter_async_context(scene(serveurs))
            environnement = {
                "MONGO_URL": serveurs.mongo_url,
                "REDIS_URL": serveurs.redis_url,
                "KAFKA_URL": serveurs.kafka_url,
                "PORT": str(_free_port()),
                "CONNEXIONS": str(CONNEXIONS),
                "BUDGET_SEMAINE": "0",
                "SMS_A_TOUTE_HEURE": "true",
                "SMS_PLAFOND_EUROS": "0",
                **await stack.enter_async_context(smtp(arrivees)),
                **await stack.enter_async_context(operateurs(arrivees)),
            }
            ouvrier = Ouvrier(environnement, tmp_path / "worker.log")
            stack.push_async_callback(ouvrier.arreter)
            await lieu.inscrire(PERSONNES, AVEC_SMS)
            async with _flux(lieu, arrivees):
                await _tourmenter(ouvrier, arrivees)
                _dire(f"{MORTS} kills after {time.monotonic() - debut:.0f} s, {arrivees.total} messages")
                ouvrier.demarrer()
            await _finir(lieu)
            await _attendre_les_accuses(lieu)
            await _reconcilier(lieu, arrivees)
    _dire(f"{time.monotonic() - debut:.0f} s in all")


@asynccontextmanager
async def _flux(lieu: Scene, arrivees: Arrivees) -> AsyncIterator[None]:
    """Publishes the next annonces whenever most of those before have arrived; all of them by the end."""

    async def couler() -> None:
        while len(lieu.annonces) < ANNONCES:
            await lieu.publier(_VAGUE)
            but = 0.6 * len(lieu.annonces) * (PERSONNES + AVEC_SMS)

            async def presque(but: float = but) -> bool:
                return len(arrivees.mails) + len(arrivees.sms) >= but

            await jusqu_a(presque, "les alertes de la vague", 600)

    en_cours = asyncio.create_task(couler())
    try:
        yield
        await en_cours
    finally:
        en_cours.cancel()


async def _tourmenter(ouvrier: Ouvrier, arrivees: Arrivees) -> None:
    """Every life of the worker ends by SIGKILL: as a message arrives, just after one, or after a moment."""
    fins: Counter[str] = Counter()
    for mort in range(MORTS):
        ouvrier.demarrer()
        maniere = random.choice(("as a message arrives", "as a message arrives", "just after one", "at random"))
        if maniere == "at random":
            await asyncio.sleep(random.uniform(0, 4))
        else:
            # So that the mails last for all the kills, and not much longer.
            reste = (MAILS - len(arrivees.mails)) // (MORTS - mort)
            frapper = ouvrier.frapper if maniere == "as a message arrives" else _rien
            async with arrivees.encore(random.randint(1, max(1, 2 * reste)), frapper) as atteint:
                try:
                    await asyncio.wait_for(atteint.wait(), _PATIENCE_S)
                except TimeoutError:
                    maniere = "idle"
        if maniere != "as a message arrives":
            await asyncio.sleep(random.uniform(0, 0.05))
            ouvrier.frapper()
        await ouvrier.fin()
        fins[maniere] += 1
    _dire(f"\nkills: {dict(fins)}")


def _rien() -> None:
    return


def _dire(texte: str) -> None:
    print(texte)  # noqa: T201 - the figures are half of what this test is for


async def _finir(lieu: Scene) -> None:
    """The ledger has every row, and nothing is to happen with any; the long pauses between attempts are cut short."""
    abreges = 0

    async def fini() -> bool:
        nonlocal abreges
        abreges += await lieu.abreger()
        tous = await lieu.db.envois.estimated_document_count() == MAILS + SMS
        return tous and not await lieu.en_route()

    await jusqu_a(fini, "le registre", 180)
    _dire(f"{abreges} pauses cut short")


async def _attendre_les_accuses(lieu: Scene) -> None:
    """The SMPP operator repeats a receipt until it is stored, whoever was killed with it in hand: of SMS in one part
    none is lost. Those of the HTTP operator come to the api, which is not here.

    Of a longer SMS the receipts of its parts are joined in memory (canaux/sms/parties.py): a worker killed between two
    of them leaves a message that was delivered at `remis`. It is counted.
    """
    sans = {"canal": Canal.SMS.value, "fournisseur": SMPP, "etat": Etat.REMIS.value}

    async def tous() -> bool:
        return not await lieu.db.envois.count_documents({**sans, "parties": 1})

    await jusqu_a(tous, "les accusés de réception", 60)
    longs = await lieu.db.envois.count_documents(sans)
    _dire(f"SMS in several parts whose receipts were cut by a kill: {longs}")


async def _reconcilier(lieu: Scene, arrivees: Arrivees) -> None:
    lignes = {ligne["_id"]: ligne async for ligne in lieu.db.envois.find()}
    courriels, textos = lieu.attendus(Canal.EMAIL), lieu.attendus(Canal.SMS)
    assert set(lignes) == set(courriels) | set(textos)
    _verifier_mails(lignes, courriels, arrivees.mails)
    _verifier_sms(lignes, textos, arrivees.sms)
    await _verifier_depense(lieu, lignes)
    await _verifier_annonces_de_remise(lieu, lignes)


def _verifier_mails(lignes: dict[str, Any], courriels: dict[str, Any], recus: Counter[str]) -> None:
    """Each arrived; none more often than it was tried; the row of each says so."""
    assert set(recus) == set(courriels), "a mail was lost, or nobody expected it"
    etats = Counter(lignes[id_]["etat"] for id_ in courriels)
    doublons = recus.total() - len(courriels)
    _dire(f"mails: {dict(etats)}, {doublons} duplicates (window: {DOUBLONS_MAX})")
    assert doublons <= DOUBLONS_MAX
    assert all(recus[id_] <= lignes[id_]["tentatives"] <= TENTATIVES_MAX for id_ in courriels)
    # Who was hit by five crashes in a row stays unknown.
    assert etats.keys() <= {Etat.REMIS.value, Etat.INCERTAIN.value}
    incertains = [id_ for id_ in courriels if lignes[id_]["etat"] == Etat.INCERTAIN]
    assert all(lignes[id_]["tentatives"] == TENTATIVES_MAX for id_ in incertains)


def _verifier_sms(lignes: dict[str, Any], textos: dict[str, Any], recus: Counter[tuple[str, str]]) -> None:
    """Each arrived once, or its outcome is unknown and it was not sent again."""
    etats = Counter(lignes[id_]["etat"] for id_ in textos)
    incertains = {id_ for id_ in textos if lignes[id_]["etat"] == Etat.INCERTAIN}
    venus = sum(textos[id_] in recus for id_ in incertains)
    _dire(f"SMS: {dict(etats)}, {recus.total() - len(recus)} duplicates; {venus} of the unknown ones had arrived")
    assert etats.keys() <= {Etat.REMIS.value, Etat.LIVRE.value, Etat.INCERTAIN.value}
    assert all(recus[textos[id_]] == 1 for id_ in set(textos) - incertains)
    assert set(recus) <= set(textos.values())
    assert recus.total() == len(recus), "an SMS was paid twice"
    assert len(incertains) <= MORTS * LOT_MAX[Canal.SMS] * CONNEXIONS


async def _verifier_depense(lieu: Scene, lignes: dict[str, Any]) -> None:
    """What the month has cost is what was marked as handed over."""
    parties = sum(ligne["parties"] for ligne in lignes.values() if ligne.get("parties") and ligne["canal"] == "sms")
    depenses = [depense["parties"] async for depense in lieu.db.depenses.find()]
    assert sum(depenses) == parties


async def _verifier_annonces_de_remise(lieu: Scene, lignes: dict[str, Any]) -> None:
    """Every hand-off that the ledger knows of was told to the other services."""
    sues = {
        (ligne["annonce_id"], ligne["canal"], ligne["profil_id"])
        for ligne in lignes.values()
        if ligne["etat"] != Etat.INCERTAIN
    }

    async def toutes_dites() -> bool:
        lus = [received.event for received in await events(lieu.serveurs.kafka_url, EnvoisRemis.topic)]
        dites = [
            (event.annonce_id, event.canal.value, profil_id)
            for event in lus
            if isinstance(event, EnvoisRemis)
            for profil_id in event.profils
        ]
        return set(dites) == sues

    await jusqu_a(toutes_dites, "les remises annoncées", 30)
