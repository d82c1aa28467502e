"""Relays that greylist, fall silent after a content, close in the middle, or are away: nothing is lost, the ledger says
what happened, and an outage costs no attempt.

Ten minutes of an outage are not waited for. What a longer one has more of is failed rounds, and that their number does
not matter is shown twice: no row is claimed while the relay does not answer (here: many rounds, `tentatives` stays what
it was), and a row that was claimed gets its attempt back, however often (the last test, and test_pannes_sans_cout.py
for the rule itself).
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from contracts.envois import Etat
from contracts.notifications import Canal
from deploy.client import jusqu_a
from kit.clock import SystemClock
from kit.messaging.outbox import Outbox
from services.notifications import domain
from services.notifications.canaux import providers
from services.notifications.canaux.email.canal import CanalEmail
from services.notifications.delivery.claims import Claims
from services.notifications.delivery.marks import Mark
from services.notifications.metrics import INJOIGNABLE
from services.notifications.planning.channel_rules import SansRegles
from services.notifications.registre.store import Registre
from tests.chaos.messages.atelier import au_travail, tout_fini
from tests.chaos.messages.envois import Arrivees, Scene, a_nous, scene, smtp
from tests.serveurs import Serveurs
from tests.unit.notifications.email.relais_smtp import RACCROCHER, SE_TAIRE, Reponse, Script

pytestmark = pytest.mark.chaos

PERSONNES = 60


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serveurs]:
    with a_nous(tmp_path_factory.mktemp("serveurs")) as found:
        yield found


@pytest.fixture
async def lieu(machines: Serveurs) -> AsyncIterator[Scene]:
    async with scene(machines) as found:
        await found.inscrire(PERSONNES, 0)
        yield found


@asynccontextmanager
async def _devant(lieu: Scene, arrivees: Arrivees, script: Script) -> AsyncIterator[None]:
    """A worker before a relay that does as `script` says, and an annonce for everybody."""
    async with smtp(arrivees, script) as boite, au_travail(lieu, smtp_url=boite["SMTP_URL"]):
        await lieu.publier(1)
        yield


async def _lignes(lieu: Scene) -> dict[str, dict[str, Any]]:
    """All rows of this test, which are those that were to be expected, every one handed over."""
    attendus = lieu.attendus(Canal.EMAIL)
    lignes = {ligne["_id"]: ligne async for ligne in lieu.db.envois.find({"_id": {"$in": list(attendus)}})}
    assert set(lignes) == set(attendus)
    assert {ligne["etat"] for ligne in lignes.values()} == {Etat.REMIS.value}
    return lignes


def _premiere_fois(mot: str, reponse: Reponse, *, une_sur: int = 1) -> Script:
    """`reponse` to the first `mot` about each address, or about one in so many; then as usual."""
    vues: set[str] = set()

    def script(recu: str, ligne: str) -> Reponse:
        if recu != mot or ligne in vues:
            return None
        vues.add(ligne)
        return reponse if len(vues) % une_sur == 0 else None

    return script


async def test_un_relais_qui_met_en_liste_grise_recoit_tout_au_second_essai(lieu: Scene) -> None:
    arrivees = Arrivees()
    async with _devant(lieu, arrivees, _premiere_fois("RCPT", "451 4.7.1 Greylisted, come back later")):
        await tout_fini(lieu, PERSONNES)
    lignes = await _lignes(lieu)
    assert {ligne["tentatives"] for ligne in lignes.values()} == {2}
    assert arrivees.mails == Counter(list(lignes))


async def test_un_relais_muet_apres_le_contenu_recoit_encore_une_fois_ce_qu_il_a_peut_etre_pris(
    lieu: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is waited for one second here, thirty by default. One content in six is left without one."""
    monkeypatch.setattr(providers, "CanalEmail", partial(CanalEmail, delai_s=1.0))
    arrivees, silences = Arrivees(), 0
    contenu = _premiere_fois(".", SE_TAIRE, une_sur=6)

    def script(mot: str, ligne: str) -> Reponse:
        nonlocal silences
        reponse = contenu(mot, ligne)
        silences += reponse is SE_TAIRE
        return reponse

    async with _devant(lieu, arrivees, script):
        await tout_fini(lieu, PERSONNES)
    lignes = await _lignes(lieu)
    assert silences > 0
    assert arrivees.mails == Counter(list(lignes))
    # Only what had been given without an answer counts as an attempt; the rest of its lot had not begun.
    assert Counter(ligne["tentatives"] for ligne in lignes.values()) == {1: PERSONNES - silences, 2: silences}


@pytest.mark.parametrize("mot", ["MAIL", "RCPT", "DATA", "."])
async def test_un_421_au_milieu_d_un_lot_ne_coute_aucun_mail_et_au_plus_un_essai(lieu: Scene, mot: str) -> None:
    arrivees, fermes = Arrivees(), 0

    def script(mot_recu: str, ligne: str) -> Reponse:
        nonlocal fermes
        if mot_recu != mot or fermes >= 10 or len(arrivees.mails) < 5 * fermes:
            return None
        fermes += 1
        return "421 4.3.2 Service shutting down"

    async with _devant(lieu, arrivees, script):
        await tout_fini(lieu, PERSONNES)
    lignes = await _lignes(lieu)
    assert fermes == 10
    assert arrivees.mails == Counter(list(lignes))
    # Before a recipient is named the relay means nobody in particular. Later it may mean one message, which must end.
    de_trop = sum(ligne["tentatives"] - 1 for ligne in lignes.values())
    assert 0 <= de_trop <= (0 if mot == "MAIL" else fermes)


async def test_un_relais_parti_au_milieu_puis_revenu_recoit_tout_et_la_panne_ne_coute_aucun_essai(lieu: Scene) -> None:
    """It hangs up on whatever it is asked, and on whoever greets it, for so many rounds that attempts would be used up
    many times over."""
    arrivees, parti, revenu = Arrivees(), False, False

    def script(mot: str, ligne: str) -> Reponse:
        nonlocal parti
        parti = not revenu and (parti or (mot == "MAIL" and len(arrivees.mails) >= PERSONNES // 2))
        # A content that it has begun to read it takes: what became of it would be unknown otherwise.
        return RACCROCHER if parti and mot != "." else None

    async with _devant(lieu, arrivees, script):
        await _rounds(4 * domain.TENTATIVES_MAX, lambda: parti)
        assert len(arrivees.mails) < PERSONNES
        revenu = True
        await tout_fini(lieu, PERSONNES)
    lignes = await _lignes(lieu)
    assert arrivees.mails == Counter(list(lignes))
    assert {ligne["tentatives"] for ligne in lignes.values()} == {1}


async def _rounds(nombre: int, parti: Callable[[], bool]) -> None:
    """Waits until the worker has found the relay away so many times."""
    compteur = INJOIGNABLE.labels(Canal.EMAIL)
    avant = compteur._value.get()

    async def assez() -> bool:
        return parti() and compteur._value.get() - avant >= nombre

    await jusqu_a(assez, f"{nombre} essais devant un relais absent", 60)


async def test_une_ligne_prise_et_rendue_cent_fois_a_encore_tous_ses_essais(lieu: Scene) -> None:
    clock = SystemClock()
    registre = Registre(lieu.db, clock)
    claims = Claims(Canal.EMAIL, lieu.mongo, Outbox(lieu.mongo, lieu.producer, clock, "essai"), clock, SansRegles())
    id_ = "rendue-cent-fois"
    neuve = registre.ligne(id_, domain.Genre.ALERTE, Canal.EMAIL, "c", "c:1", 1, annonce_id="aucune", version=1)
    await lieu.db.envois.insert_one(neuve)
    for tour in range(100):
        lot = f"lot-{tour}"
        trouvee = await lieu.db.envois.find_one({"_id": id_})
        assert trouvee is not None
        assert trouvee["tentatives"] == 0
        claimed = await claims.claim([trouvee], lot)
        assert claimed
        # As if its pause were over.
        suites = {id_: domain.non_commencee(clock.now() - domain.REPRISES[0])}
        await claims.mark(Mark(lot, claimed, suites))
    await lieu.db.envois.delete_one({"_id": id_})
