import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import web
from pydantic import ValidationError

from services.notifications.canaux.base import EchecRemise, Inconnu, Injoignable, NousRefuse, Permanent, Recu
from services.notifications.canaux.sms.fournisseur import Sature
from services.notifications.canaux.sms.http import ClientHttp, FournisseurHttp

NUMERO = "+33612345678"


class Api:
    """An HTTP provider; `reponse` is what it answers."""

    def __init__(self) -> None:
        self.reponse: Any = (200, b'{"id":"h1"}')
        self.demandes: list[tuple[str, dict[str, str], bytes]] = []

    async def servir(self, request: web.BaseRequest) -> web.StreamResponse:
        self.demandes.append((request.path_qs, dict(request.headers), await request.read()))
        if self.reponse is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        statut, corps = self.reponse
        return web.Response(status=statut, body=corps, headers={"Location": "/ailleurs"})


@asynccontextmanager
async def client(**reglages: Any) -> AsyncIterator[tuple[ClientHttp, Api]]:
    api = Api()
    serveur = web.Server(api.servir)
    runner = web.ServerRunner(serveur, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    defaut = {"nom": "web", "url": f"http://127.0.0.1:{port}/sms", "cle": "Bearer clef", "expediteur": "PLACE"}
    ouvert = ClientHttp(FournisseurHttp(**{**defaut, **reglages, **_port(reglages, port)}))
    try:
        yield ouvert, api
    finally:
        await ouvert.fermer()
        await runner.cleanup()


def _port(reglages: dict[str, Any], port: int) -> dict[str, str]:
    return {"url": reglages["url"].replace("PORT", str(port))} if "url" in reglages else {}


async def test_un_sms_est_demande_par_un_modele() -> None:
    async with client() as (ouvert, api):
        await ouvert.pret()
        assert await ouvert.envoyer(NUMERO, "Besoin d'aide", "envoi-1") == Recu("web", "h1", 1)
    [(chemin, entetes, corps)] = api.demandes
    assert (chemin, entetes["Authorization"], entetes["Content-Type"]) == ("/sms", "Bearer clef", "application/json")
    assert orjson.loads(corps) == {"to": NUMERO, "from": "PLACE", "text": "Besoin d'aide", "reference": "envoi-1"}


async def test_un_texte_n_est_jamais_pris_pour_un_modele() -> None:
    texte = '{numero} {inconnu} ","to":"+33600000000 مرحبا\n'
    modele = {"messages": [{"a": ["{numero}"], "texte": "<{texte}>", "n": 1, "x": None}], "ref": "{reference}"}
    async with client(corps=modele) as (ouvert, api):
        await ouvert.envoyer(NUMERO, texte, "envoi-1")
    attendu = {"messages": [{"a": [NUMERO], "texte": f"<{texte}>", "n": 1, "x": None}], "ref": "envoi-1"}
    assert orjson.loads(api.demandes[0][2]) == attendu


async def test_une_api_par_get_recoit_tout_dans_son_url() -> None:
    url = "http://127.0.0.1:PORT/sms/{numero}?t={texte}&from={expediteur}"
    async with client(url=url, methode="GET", entete_cle="X-Cle", cle="c") as (ouvert, api):
        await ouvert.envoyer(NUMERO, "a&b=c/é ?", "envoi-1")
    chemin, entetes, corps = api.demandes[0]
    assert chemin == "/sms/%2B33612345678?t=a%26b%3Dc%2F%C3%A9%20%3F&from=PLACE"
    assert (entetes["X-Cle"], corps) == ("c", b"")


@pytest.mark.parametrize(
    ("corps", "chemin", "reference"),
    [
        (b'{"messages":[{"id":42}]}', "messages.0.id", "42"),
        (b'{"id":"h1"}', "messages.0.id", None),
        (b'{"messages":[]}', "messages.0.id", None),
        (b'{"messages":"x"}', "messages.0.id", None),
        (b'[{"id":"h1"}]', "x.id", None),
        (b'{"id":{"a":1}}', "id", None),
        (b'{"id":true}', "id", None),
        (b"OK", "id", None),
        (b"", "id", None),
        (b'{"id":"' + b"a" * 100_000 + b'"}', "id", None),
    ],
)
async def test_l_identifiant_du_fournisseur_est_la_ou_on_l_a_dit(
    corps: bytes, chemin: str, reference: str | None
) -> None:
    async with client(chemin_reference=chemin) as (ouvert, api):
        api.reponse = 202, corps
        assert await ouvert.envoyer(NUMERO, "a" * 161, "envoi-1") == Recu("web", reference, 2)


@pytest.mark.parametrize(
    ("statut", "echec"),
    [
        (429, Sature),
        (400, Permanent),
        (422, Permanent),
        (413, Permanent),
        # Our key, our credit, our URL: no message would pass, and none was taken.
        (401, NousRefuse),
        (402, NousRefuse),
        (403, NousRefuse),
        (404, NousRefuse),
        (405, NousRefuse),
        (408, Injoignable),
        (500, Injoignable),
        (503, Injoignable),
        (504, Inconnu),
        (302, NousRefuse),
    ],
)
async def test_le_sort_de_chaque_statut(statut: int, echec: type[EchecRemise]) -> None:
    async with client() as (ouvert, api):
        api.reponse = statut, f"non pour {NUMERO}".encode()
        with pytest.raises(EchecRemise) as leve:
            await ouvert.envoyer(NUMERO, "bonjour", "envoi-1")
    assert type(leve.value) is echec
    assert (leve.value.motif, leve.value.fournisseur) == (f"http {statut}", "web")
    assert len(api.demandes) == 1, "a redirection is not followed"


@pytest.mark.parametrize(
    ("corps", "echec"),
    [
        (b'{"error":"insufficient credit"}', NousRefuse),
        (b'{"error":"Your account balance is too low"}', NousRefuse),
        (b'{"error":"sender not registered"}', NousRefuse),
        ('{"erreur":"expéditeur inconnu"}'.encode(), NousRefuse),
        (b'{"error":"invalid recipient number"}', Permanent),
        (b'{"error":"destination not allowed for this account"}', Permanent),
        (b"", Permanent),
    ],
)
async def test_un_400_qui_parle_de_notre_compte_ne_finit_pas_le_message(corps: bytes, echec: type) -> None:
    async with client() as (ouvert, api):
        api.reponse = 400, corps
        with pytest.raises(EchecRemise) as leve:
            await ouvert.envoyer(NUMERO, "bonjour", "envoi-1")
    assert type(leve.value) is echec


async def test_un_fournisseur_qui_raccroche_laisse_le_sort_inconnu() -> None:
    async with client() as (ouvert, api):
        api.reponse = None
        with pytest.raises(Inconnu, match="http sans réponse"):
            await ouvert.envoyer(NUMERO, "bonjour", "envoi-1")


async def test_un_fournisseur_qui_ne_repond_pas_laisse_le_sort_inconnu() -> None:
    async def muet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    serveur = await asyncio.start_server(muet, "127.0.0.1", 0)
    port = serveur.sockets[0].getsockname()[1]
    ouvert = ClientHttp(FournisseurHttp(nom="web", url=f"http://127.0.0.1:{port}/", delai_s=0.05))
    with pytest.raises(Inconnu):
        await ouvert.envoyer(NUMERO, "bonjour", "envoi-1")
    await ouvert.fermer()
    serveur.close()


async def test_une_reponse_coupee_apres_son_statut_est_une_remise() -> None:
    async def couper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id":')
        await writer.drain()
        writer.close()

    serveur = await asyncio.start_server(couper, "127.0.0.1", 0)
    port = serveur.sockets[0].getsockname()[1]
    ouvert = ClientHttp(FournisseurHttp(nom="web", url=f"http://127.0.0.1:{port}/"))
    assert await ouvert.envoyer(NUMERO, "bonjour", "envoi-1") == Recu("web", None, 1)
    await ouvert.fermer()
    serveur.close()


async def test_sans_fournisseur_rien_n_est_remis() -> None:
    with socket.socket() as libre:
        libre.bind(("127.0.0.1", 0))
        port = libre.getsockname()[1]
    ouvert = ClientHttp(FournisseurHttp(nom="web", url=f"http://127.0.0.1:{port}/"))
    with pytest.raises(Injoignable):
        await ouvert.pret()
    with pytest.raises(Injoignable):
        await ouvert.envoyer(NUMERO, "bonjour", "envoi-1")
    await ouvert.fermer()


@pytest.mark.parametrize(("texte", "motif"), [("", "sms vide"), ("a" * 40_000, "sms trop long")])
async def test_ce_qui_n_est_pas_un_sms_est_refuse_avant_la_demande(texte: str, motif: str) -> None:
    async with client() as (ouvert, api):
        with pytest.raises(Permanent, match=motif):
            await ouvert.envoyer(NUMERO, texte, "envoi-1")
    assert not api.demandes


@pytest.mark.parametrize(
    "reglages",
    [
        {"url": "http://sms.example/envoi"},
        {"url": "ftp://sms.example"},
        {"url": "https://{numero}.example/"},
        {"url": "https://sms.example/{telephone}"},
        {"corps": {"a": ["{telephone}"]}},
        {"nom": "Mon Fournisseur"},
        {"methode": "DELETE"},
        {"delai_s": 0},
    ],
)
def test_un_reglage_impossible_est_refuse_au_demarrage(reglages: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FournisseurHttp(**{"nom": "web", "url": "https://sms.example", **reglages})


def test_la_cle_ne_se_lit_pas_dans_les_traces() -> None:
    assert "clef" not in repr(FournisseurHttp(nom="web", url="https://sms.example", cle="clef"))
