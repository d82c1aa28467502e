"""The phones of the catcher: what they received, and what people answer from them."""

import html
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from deploy import client
from deploy.client import RequestRefused
from deploy.standins.mailbox import operateurs
from deploy.standins.mailbox.mail_store import MailStore
from deploy.standins.mailbox.operateurs import Operateurs
from deploy.standins.mailbox.page import build
from deploy.standins.mailbox.smtp import Faults
from deploy.standins.mailbox.telephones import PhoneStore
from deploy.standins.sms_operators.remise import CatcherClient, CourrierInjoignable, Sms

NUMERO = "+33612345678"


class Monde:
    """The catcher, and an operator « smsc » that notes what it is asked to carry; « parti » answers nobody."""

    def __init__(self, http: ClientSession, portes: list[dict[str, Any]]) -> None:
        self.http, self.portes = http, portes
        self.telephones = client.PhoneCatcher(http, str(http._base_url).rstrip("/"))
        self.courrier = CatcherClient(http, self.telephones.client.base)

    async def recevoir(self, texte: str, reference: str, operateur: str = "smsc", a: str = NUMERO) -> None:
        await self.courrier.remettre(Sms(operateur, "PLACE", a, texte, 1, reference))

    async def page(self, path: str) -> str:
        async with self.http.get(path) as answer:
            assert answer.status == 200
            return await answer.text()


@pytest.fixture
async def monde() -> AsyncIterator[Monde]:
    portes: list[dict[str, Any]] = []

    async def carry(request: web.Request) -> web.Response:
        portes.append(await request.json())
        return web.json_response({"id": "x"}, status=202)

    operator = web.Application()
    operator.router.add_post("/api/entrants", carry)
    boite = MailStore()
    async with TestServer(operator) as carrier:
        known = Operateurs({"smsc": str(carrier.make_url("")), "parti": "http://127.0.0.1:1"})
        async with TestServer(build(boite, Faults(), known)) as server, ClientSession(server.make_url("/")) as http:
            yield Monde(http, portes)
    boite.close()


async def test_ce_qu_un_operateur_apporte_est_liste_compte_et_attendu(monde: Monde) -> None:
    assert await monde.telephones.dernier_id() == 0
    await monde.recevoir("Un besoin", "r1")
    await monde.recevoir("Le même, apporté deux fois", "r1")
    await monde.recevoir("Un autre", "r1", operateur="operateur-http")
    await monde.recevoir("Ailleurs", "r2", a="+33700000000")
    first = await monde.telephones.attendre(NUMERO, 0)
    assert {name: value for name, value in first.items() if name != "recu_at"} == {
        "id": 1,
        "operateur": "smsc",
        "de": "PLACE",
        "a": NUMERO,
        "texte": "Un besoin",
        "parties": 1,
        "reference": "r1",
    }
    assert [sms["texte"] for sms in await monde.telephones.sms(1, NUMERO)] == ["Un autre"]
    assert [sms["id"] for sms in await monde.telephones.sms()] == [1, 2, 3]
    assert await monde.telephones.total() == 3
    async with monde.http.get("/api/attendre-sms", params={"a": NUMERO, "apres": "3", "delai": "0"}) as answer:
        assert await answer.json() == []


async def test_un_telephone_repond_par_l_operateur_qui_a_livre_en_dernier(monde: Monde) -> None:
    await monde.recevoir("Un besoin", "r1")
    await monde.telephones.repondre(NUMERO, "OUI")
    assert monde.portes == [{"de": NUMERO, "a": "PLACE", "texte": "OUI"}]
    thread = await monde.telephones.client.get(f"/api/telephones/{NUMERO}")
    assert [(sms["sens"], sms["texte"]) for sms in thread] == [("recu", "Un besoin"), ("envoye", "OUI")]
    # What people send is no SMS that was received.
    assert await monde.telephones.total() == 1


async def test_un_telephone_qui_n_a_rien_recu_peut_ecrire_et_un_sms_vide_en_est_un(monde: Monde) -> None:
    await monde.telephones.repondre(NUMERO, "")
    assert monde.portes == [{"de": NUMERO, "texte": ""}]


async def test_un_operateur_absent_ou_inconnu_est_nomme(monde: Monde) -> None:
    for name, said in (("parti", "./place start parti"), ("rien", "smsc, parti")):
        with pytest.raises(RequestRefused, match=said) as refusal:
            await monde.telephones.repondre(NUMERO, "OUI", name)
        assert refusal.value.status == 503
    assert await monde.telephones.client.get(f"/api/telephones/{NUMERO}") == []


async def test_la_page_montre_un_fil_et_envoie_sans_script(monde: Monde) -> None:
    await monde.recevoir("Besoin <b>urgent</b>", "r1")
    assert NUMERO in await monde.page("/telephones")
    async with monde.http.post(f"/telephones/{NUMERO}", data={"texte": "OUI\r\nà demain", "operateur": ""}) as answer:
        assert answer.url.path == f"/telephones/{NUMERO}"
        page = await answer.text()
        assert "script" not in answer.headers["Content-Security-Policy"]
    assert monde.portes[0]["texte"] == "OUI\nà demain"
    assert "Besoin &lt;b&gt;urgent&lt;/b&gt;" in page
    assert page.index("urgent") < page.index("à demain")
    assert "<script" not in page


async def test_ce_qui_n_a_pu_partir_reste_dans_le_formulaire_avec_la_raison(monde: Monde) -> None:
    async with monde.http.post(f"/telephones/{NUMERO}", data={"texte": "NON <i>", "operateur": "parti"}) as answer:
        assert answer.status == 503
        page = await answer.text()
    assert 'role="alert"' in page
    assert "NON &lt;i&gt;</textarea>" in page
    async with monde.http.post(f"/telephones/{NUMERO}", data={"texte": "x" * 5001}) as answer:
        assert answer.status == 422
        assert "5000 caractères au plus" in html.unescape(await answer.text())


async def test_un_autre_site_ne_repond_pas_pour_un_telephone(monde: Monde) -> None:
    for path, sent in ((f"/telephones/{NUMERO}", None), (f"/api/telephones/{NUMERO}/repondre", {"texte": "STOP"})):
        async with monde.http.post(path, json=sent, headers={"Sec-Fetch-Site": "cross-site"}) as answer:
            assert answer.status == 403
    assert monde.portes == []


async def test_un_telephone_se_trouve_par_une_partie_de_son_numero(monde: Monde) -> None:
    await monde.recevoir("Un besoin", "r1")
    await monde.recevoir("Un besoin", "r2", a="+33700000000")
    page = await monde.page("/telephones?numero=7000")
    assert "+33700000000" in page
    assert NUMERO not in page
    assert "Ouvrir le téléphone +33799999999" in html.unescape(await monde.page("/telephones?numero=33799999999"))
    assert "n’a encore rien reçu" in html.unescape(await monde.page("/telephones/+33799999999"))


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/api/sms", {"operateur": "smsc"}),
        ("/api/sms", []),
        ("/api/sms", {"operateur": "x", "de": "P", "a": "06", "texte": "", "parties": 1, "reference": "r"}),
        ("/api/sms", {"operateur": "x", "de": "P", "a": NUMERO, "texte": "", "parties": 0, "reference": "r"}),
        ("/api/sms", {"operateur": "x", "de": "P", "a": NUMERO, "texte": "", "parties": True, "reference": "r"}),
        (f"/api/telephones/{NUMERO}/repondre", {"texte": 3}),
        (f"/api/telephones/{NUMERO}/repondre", {"texte": "x" * 5001}),
        ("/api/telephones/0612345678/repondre", {"texte": "OUI"}),
        ("/telephones/PLACE", {}),
    ],
)
async def test_une_demande_absurde_recoit_une_phrase(monde: Monde, path: str, sent: Any) -> None:
    async with monde.http.post(path, json=sent) as answer:
        assert answer.status == 422
        assert (await answer.text()).endswith(".")


async def test_un_corps_est_borne_et_en_json(monde: Monde) -> None:
    for data, status in ((b"{", 422), (b"\xff", 422), (b"[" * 20_000, 422), (b" " * 300_000, 413)):
        async with monde.http.post("/api/sms", data=data) as answer:
            assert answer.status == status
    async with monde.http.get("/api/sms", params={"a": "PLACE"}) as answer:
        assert answer.status == 422
    async with monde.http.get("/telephones", params={"page": "0"}) as answer:
        assert answer.status == 422


async def test_un_demi_caractere_reste_lisible(monde: Monde) -> None:
    await monde.recevoir("x\ud83dy", "r1")
    assert [sms["texte"] for sms in await monde.telephones.sms()] == ["x?y"]


async def test_une_boite_absente_ne_prend_rien(monde: Monde) -> None:
    with pytest.raises(CourrierInjoignable):
        await CatcherClient(monde.http, "http://127.0.0.1:1").remettre(Sms("smsc", "PLACE", NUMERO, "x", 1, "r"))


def test_les_telephones_survivent_a_la_boite_et_les_plus_vieux_sms_partent_d_abord(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    boite = MailStore(tmp_path / "x")
    phones = PhoneStore(boite.db, most=2)
    for number in range(3):
        phones.recevoir(now, "smsc", "PLACE", NUMERO, f"n°{number}", 1, str(number))
    phones.envoyer(now, "smsc", NUMERO, "PLACE", "OUI")
    boite.close()
    boite = MailStore(tmp_path / "x")
    phones = PhoneStore(boite.db, most=2)
    assert (len(phones), phones.last_id) == (2, 3)
    assert [sms.texte for sms in phones.fil(NUMERO, 10)] == ["n°1", "n°2", "OUI"]
    assert phones.recevoir(now, "smsc", "PLACE", NUMERO, "n°3", 1, "3") == 4
    boite.close()


def test_la_variable_des_operateurs_est_lue_ou_refusee() -> None:
    assert operateurs.lire("").noms == []
    assert operateurs.lire("a=http://x:1, b=http://y:2").noms == ["a", "b"]
    with pytest.raises(ValueError, match="OPERATEURS"):
        operateurs.lire("a=ftp://x")
