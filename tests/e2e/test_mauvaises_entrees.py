"""Nonsense, strangers and poison: each is answered with a clear sentence, and nothing is half-written."""

import asyncio
import json
import secrets

import pytest
from aiokafka import AIOKafkaProducer

from contracts.annonces import AnnonceDeposee
from contracts.topics import TOPICS
from deploy.bilan.topic_reader import records
from deploy.client import Client, RequestRefused, jusqu_a
from deploy.verbs import dlq
from tests.pile import Ville, annonce

pytestmark = pytest.mark.e2e


async def refus(qui: Client, method: str, path: str, body: object = None, **headers: str) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        await qui.call(method, path, body, headers)
    return caught.value


async def test_un_champ_inconnu_est_nomme(ville: Ville) -> None:
    qui = await ville.entrer("quelqu-un")
    non = await refus(qui, "POST", "/v1/annonces", annonce("x", "Une table basse") | {"prix": 12})
    assert non.status == 422
    assert {"champ": "prix", "message": "Ce champ n’existe pas."} in non.body["erreurs"]
    assert (await qui.get("/v1/mes/annonces"))["annonces"] == []


async def test_un_envoi_trop_volumineux_est_refuse(ville: Ville) -> None:
    qui = await ville.entrer("quelqu-un")
    non = await refus(qui, "POST", "/v1/annonces", {"description": "x" * 300_000})
    assert non.status == 413
    assert "256" in non.body["detail"]


async def test_sans_session_la_reponse_dit_ou_se_connecter(ville: Ville) -> None:
    perdu = Client(ville.http, ville.base, "jeton-inconnu")
    non = await refus(perdu, "GET", "/v1/compte")
    assert non.status == 401
    assert non.body["connexion"].startswith("/connexion")


async def test_l_annonce_d_une_autre_association_n_existe_pas(ville: Ville) -> None:
    responsable, etranger = await ville.entrer("responsable"), await ville.entrer("etranger")
    association = await ville.association(responsable)
    cible = await responsable.post("/v1/annonces", annonce(association, "Une étagère solide"))
    corps = annonce(association, "Une étagère volée")
    corps.pop("auteur")
    path = f"/v1/annonces/{cible['annonce_id']}"
    assert (await refus(etranger, "PUT", path, corps, **{"If-Match": '"1"'})).status == 404
    assert (await refus(etranger, "POST", f"{path}/retrait")).status == 404
    assert (await refus(etranger, "GET", path)).status == 404
    assert (await refus(etranger, "POST", "/v1/annonces", annonce(association, "Au nom d’une autre"))).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/v1/interne/contacts",
        "/v1/interne/bilan",
        "/v1/interne/profils",
        "/v1/interne/codes",
        "/v1/%69nterne/contacts",
        "/v1//interne/codes",
    ],
)
async def test_les_portes_internes_sont_fermees_au_public(ville: Ville, path: str) -> None:
    qui = await ville.entrer("curieux")
    assert (await refus(qui, "POST", path, [])).status in (404, 405)


async def test_la_moderation_est_fermee_a_qui_n_est_pas_moderateur(ville: Ville) -> None:
    qui = await ville.entrer("curieux")
    assert (await refus(qui, "GET", "/v1/moderation/dossiers")).status in (403, 404)
    assert (await refus(qui, "GET", "/moderation/")).status in (403, 404)


async def test_un_message_empoisonne_va_aux_lettres_mortes_et_la_suite_passe(
    ville: Ville, capsys: pytest.CaptureFixture[str]
) -> None:
    marque = secrets.token_hex(8)
    producer = AIOKafkaProducer(bootstrap_servers=ville.kafka)
    await producer.start()
    try:
        headers = [("ce_id", marque.encode()), ("ce_type", b"AnnonceDeposee")]
        for partition in range(12):
            raw = b"\x00\xff " + marque.encode()
            # The topic is compacted: the broker takes no message without a key.
            await producer.send_and_wait(AnnonceDeposee.topic, raw, key=b"poison", partition=partition, headers=headers)
    finally:
        await producer.stop()
    responsable = await ville.entrer("responsable")
    association = await ville.association(responsable)
    cible = await responsable.post("/v1/annonces", annonce(association, f"Après le poison {marque}"))
    await ville.decider(cible["annonce_id"], "approuvee")
    await ville.etat(responsable, f"/v1/annonces/{cible['annonce_id']}", "publiee")

    topic = f"{AnnonceDeposee.topic}.moderation.dlq"

    async def mortes() -> bool:
        found = [record async for record in records(ville.kafka, [topic])]
        return sum(marque.encode() in (record.value or b"") for record in found) == 12

    await jusqu_a(mortes, "douze lettres mortes")
    await asyncio.to_thread(dlq.show_all)
    assert topic in capsys.readouterr().out
    await asyncio.to_thread(dlq.show, topic)
    assert marque in capsys.readouterr().out
    await asyncio.to_thread(dlq.drop, topic, None)
    assert not [record async for record in records(ville.kafka, [topic]) if marque.encode() in (record.value or b"")]


async def test_aucune_adresse_ni_code_dans_les_journaux_et_les_evenements(ville: Ville) -> None:
    qui = await ville.entrer("discret")
    adresse = ville.adresse("discret")
    await qui.post("/v1/profils", {"sens": "besoin", "quartier": "fives", "rayon_km": 3})
    mails = await ville.courrier.mails(0, a=adresse)
    code = "".join(filter(str.isdigit, (await ville.courrier.client.get(f"/api/mails/{mails[0]['id']}"))["texte"]))[:6]
    for log in ville.stack.layout.logs.glob("*.log"):
        text = log.read_text(errors="replace")
        assert adresse not in text, log.name
        assert f'"{code}"' not in text, log.name
    async for record in records(ville.kafka, [topic.name for topic in TOPICS]):
        assert adresse.encode() not in (record.value or b"")
        assert adresse not in json.dumps(dict(record.headers))
