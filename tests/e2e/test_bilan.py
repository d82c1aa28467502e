"""./place bilan on the whole system: everything is accounted for, and what is not is found, person by person."""

import asyncio
import datetime as dt
import json
import secrets
import subprocess
import sys
from typing import Any

import pytest

from contracts.annonces import Annonce
from contracts.commun import PARIS
from contracts.envois import id_alerte
from contracts.matching import CorrespondancesTrouvees, Destinataire
from contracts.notifications import Canal
from deploy.client import jusqu_a
from deploy.demo import attendu
from deploy.layout import ROOT
from kit.database import mongo
from kit.ids import new_id
from kit.messaging.events import encode
from kit.messaging.producer import Producer
from tests.pile import Ville, annonce, profil

pytestmark = pytest.mark.e2e


async def place_bilan(*arguments: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "deploy.cli", "bilan", "--json", *arguments]
    run = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout, run.stderr
    return run.returncode, json.loads(run.stdout.splitlines()[-1])


async def publiee(ville: Ville, benevoles: int) -> Annonce:
    """An annonce that was published and that people of this test were alerted about."""
    responsable = await ville.entrer("responsable")
    association = await ville.association(responsable, confiance=True)
    for numero in range(benevoles):
        await (await ville.entrer(f"benevole{numero}")).post("/v1/profils", profil("livres"))
    await ville.index_a_jour()
    titre = f"Des livres {secrets.token_hex(4)}"
    cible = await responsable.post("/v1/annonces", annonce(association, titre, "livres"))
    await ville.alertes(titre, benevoles)
    found: Annonce = await jusqu_a(lambda: attendu.publiee(ville.kafka, cible["annonce_id"]), "annonce publiée")
    return found


async def test_chaque_alerte_a_son_envoi(ville: Ville) -> None:
    de = await publiee(ville, 2)
    code, bilan = await place_bilan("--annonce", de.annonce_id, "--attendre", "60")
    assert code == 0, bilan
    assert bilan["destinataires"] == bilan["envois"] == sum(bilan["etats"].values()) >= 2
    assert bilan["etats"] == {"remis": bilan["envois"]}
    assert (bilan["en_route"], bilan["inexpliquees"]) == (0, 0)
    code, tout = await place_bilan("--attendre", "60")
    assert (code, tout["inexpliquees"]) == (0, 0)
    assert tout["annonces"] == len(tout["par_annonce"]) >= 1
    assert tout["destinataires"] == tout["envois"] == sum(tout["etats"].values())


async def test_une_ligne_perdue_et_une_ligne_de_trop_sont_nommees(ville: Ville) -> None:
    de = await publiee(ville, 1)
    code, bilan = await place_bilan("--annonce", de.annonce_id, "--attendre", "60")
    assert code == 0, bilan
    store = mongo.connect(ville.stack.urls()["MONGO_URL"], "notifications")
    try:
        perdue = await store.db.envois.find_one_and_delete({"annonce_id": de.annonce_id, "genre": "alerte"})
        assert perdue is not None
        etrangere = {**perdue, "_id": id_alerte(de.annonce_id, de.version, new_id(), Canal.EMAIL)}
        await store.db.envois.insert_one(etrangere)
        code, bilan = await place_bilan("--annonce", de.annonce_id)
        # As many rows as people: only by name is it seen that they are not theirs.
        assert bilan["destinataires"] == bilan["envois"]
        assert (code, bilan["inexpliquees"]) == (1, 2)
        assert (bilan["sans_envoi"], bilan["sans_destinataire"]) == ([perdue["_id"]], [etrangere["_id"]])
        # Others share the stack: it is left as it was.
        await store.db.envois.delete_one({"_id": etrangere["_id"]})
        await store.db.envois.insert_one(perdue)
    finally:
        store.close()
    assert (await place_bilan("--annonce", de.annonce_id))[0] == 0


async def test_un_evenement_repete_et_dix_mille_destinataires_se_retrouvent(ville: Ville) -> None:
    """Most of them have no address: the reason is there for each."""
    modele = await publiee(ville, 1)
    de = modele.model_copy(update={"annonce_id": new_id(), "titre": f"Foule {secrets.token_hex(4)}"})
    foule = [
        Destinataire(profil_id=new_id(), compte_id=new_id(), distance_m=1, score=1, raisons=[]) for _ in range(10_000)
    ]
    lots = [foule[start : start + 500] for start in range(0, len(foule), 500)]
    messages = [
        encode(
            CorrespondancesTrouvees(annonce=de, lot=numero, lots=len(lots), destinataires=lot),
            event_id=f"{de.annonce_id}-{numero}",
            source="matching",
            at=dt.datetime.now(dt.UTC),
        )
        for numero, lot in enumerate(lots)
    ]
    producer = Producer(ville.kafka)
    try:
        await producer.publish([*messages, messages[0]])
    finally:
        await producer.stop()
    code, bilan = await place_bilan("--annonce", de.annonce_id, "--attendre", "120")
    assert code == 0, {nom: valeur for nom, valeur in bilan.items() if nom != "par_annonce"}
    assert bilan["destinataires"] == bilan["envois"] == len(foule)
    assert bilan["motifs"] == [{"etat": "sans_consentement", "motif": "sans_adresse", "nombre": len(foule)}]
    assert id_alerte(de.annonce_id, de.version, foule[0].profil_id, Canal.EMAIL) not in bilan["sans_envoi"]


async def test_une_publication_que_matching_a_manquee_est_nommee_pour_toute_periode(ville: Ville) -> None:
    de = await publiee(ville, 1)
    aujourdhui = dt.datetime.now(PARIS).date()
    store = mongo.connect(ville.stack.urls()["MONGO_URL"], "matching")
    try:
        suivi = await store.db.annonces.find_one_and_delete({"_id": de.annonce_id})
        assert suivi is not None
        for periode in ([], ["--annonce", de.annonce_id], ["--depuis", aujourdhui.isoformat()]):
            # Its event is on its way until matching has committed its offset, a moment after it has searched.
            code, bilan = await place_bilan(*periode, "--attendre", "60")
            assert code == 1
            assert de.annonce_id in bilan["sans_appariement"]
        _, plus_tard = await place_bilan("--depuis", (aujourdhui + dt.timedelta(days=2)).isoformat())
        assert de.annonce_id not in plus_tard["sans_appariement"]
        # Others share the stack: it is left as it was.
        await store.db.annonces.insert_one(suivi)
        code, bilan = await place_bilan("--annonce", de.annonce_id)
        assert (code, bilan["sans_appariement"]) == (0, [])
    finally:
        store.close()
