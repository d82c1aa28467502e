"""The HTTP operator over real sockets: what a client is answered, and what it is told afterwards."""

import asyncio
import hashlib
import hmac
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, web
from aiohttp.test_utils import TestServer

from deploy.standins.sms_operators.http import CallbackTarget, Fournisseur
from deploy.standins.sms_operators.pannes import Pannes
from deploy.standins.sms_operators.registre import IN_MEMORY, OperatorStore
from deploy.standins.sms_operators.remise import CourrierInjoignable, Sms

MESSAGE = {"to": "+33612345678", "text": "Bonjour", "from": "PLACE", "reference": "envoi-1"}


@dataclass
class Plateforme:
    """Takes callbacks: each is put into `recus` as it came, after `refus` of them were answered 500."""

    recus: asyncio.Queue[tuple[dict[str, str], bytes]] = field(default_factory=asyncio.Queue)
    refus: int = 0

    async def recevoir(self, request: web.Request) -> web.Response:
        self.recus.put_nowait((dict(request.headers), await request.read()))
        if self.refus:
            self.refus -= 1
            return web.Response(status=500)
        return web.Response(status=204)

    async def suivant(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await self.recus.get())[1])
        return found


@dataclass
class Telephones:
    recus: list[Sms] = field(default_factory=list)
    absent: bool = False

    async def remettre(self, sms: Sms) -> None:
        if self.absent:
            raise CourrierInjoignable("absent")
        self.recus.append(sms)


@dataclass
class Monde:
    fournisseur: Fournisseur
    http: ClientSession
    telephones: Telephones
    plateforme: Plateforme

    async def poster(self, message: Any = MESSAGE, **headers: str) -> tuple[int, dict[str, Any]]:
        async with self.http.post("/messages", json=message, headers=headers or {"X-Api-Key": "cle"}) as answer:
            return answer.status, await answer.json()


@asynccontextmanager
async def monde(path: Path | str = IN_MEMORY) -> AsyncIterator[Monde]:
    plateforme, telephones, registre = Plateforme(), Telephones(), OperatorStore(path)
    rappels = web.Application()
    rappels.router.add_post("/rappel", plateforme.recevoir)
    async with TestServer(rappels) as server, ClientSession() as outgoing:
        rappel = CallbackTarget(str(server.make_url("/rappel")), "secret", "cle")
        fournisseur = Fournisseur(rappel, registre, telephones, Pannes(), outgoing, premier_delai_s=0.01)
        fournisseur.pannes.remplacer({"delai_recus_ms": 0})
        async with TestServer(fournisseur.application()) as own, ClientSession(own.make_url("/")) as http:
            yield Monde(fournisseur, http, telephones, plateforme)
    registre.close()


@pytest.fixture
async def ici() -> AsyncIterator[Monde]:
    async with monde() as found:
        yield found


async def test_un_message_est_au_telephone_avant_son_acquittement_puis_vient_son_accuse_signe(ici: Monde) -> None:
    status, body = await ici.poster()
    assert status == 201
    assert ici.telephones.recus == [
        Sms("operateur-http", "PLACE", "+33612345678", "Bonjour", parties=1, reference=body["id"])
    ]
    headers, raw = await ici.plateforme.recus.get()
    signed = headers["X-Horodatage"].encode() + b"." + raw
    assert headers["X-Signature"] == hmac.new(b"secret", signed, hashlib.sha256).hexdigest()
    assert json.loads(raw) == {
        "type": "receipt",
        "id": body["id"],
        "reference": "envoi-1",
        "status": "delivered",
        "code": "000",
    }


async def test_la_meme_reference_est_le_meme_message(ici: Monde) -> None:
    first, second = await asyncio.gather(ici.poster(), ici.poster())
    assert first == second == await ici.poster()
    assert len(ici.telephones.recus) == 1
    status, body = await ici.poster({**MESSAGE, "text": "Autre"})
    assert (status, body["error"]) == (409, "reference_reused")
    async with ici.http.get("/messages?reference=envoi-1", headers={"X-Api-Key": "cle"}) as answer:
        assert await answer.json() == {"id": first[1]["id"]}
    async with ici.http.get("/messages?reference=envoi-2", headers={"X-Api-Key": "cle"}) as answer:
        assert answer.status == 404


def full(*args: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


async def test_tue_apres_la_livraison_l_operateur_n_en_apporte_pas_un_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with monde(tmp_path / "x") as first:
        monkeypatch.setattr(first.fournisseur.registre, "remis", full)
        assert (await first.poster())[0] == 503
    async with monde(tmp_path / "x") as second:
        status, body = await second.poster()
        assert status == 201
        # The catcher knows it by this id, and shows one.
        assert first.telephones.recus[0].reference == second.telephones.recus[0].reference == body["id"]
        assert (await second.plateforme.suivant())["id"] == body["id"]


@pytest.mark.parametrize("headers", [{"X-Api-Key": "autre"}, {"Authorization": "Bearer autre"}, {"X-Rien": "x"}])
async def test_sans_la_cle_rien_n_est_dit_ni_pris(ici: Monde, headers: dict[str, str]) -> None:
    assert await ici.poster(**headers) == (401, {"error": "unauthorized"})
    async with ici.http.get("/messages?reference=x", headers=headers) as answer:
        assert answer.status == 401
    assert ici.telephones.recus == []


@pytest.mark.parametrize("header", ["Bearer cle", "cle"])
async def test_la_cle_peut_etre_celle_d_authorization(ici: Monde, header: str) -> None:
    assert (await ici.poster(Authorization=header))[0] == 201


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"to": "0612345678"}, "invalid_destination"),
        ({"to": None}, "invalid_destination"),
        ({"text": ""}, "invalid_text"),
        ({"text": "a" * 40_000}, "invalid_text"),
        ({"reference": ""}, "invalid_reference"),
        ({"reference": 3}, "invalid_reference"),
        ({"from": "x" * 21}, "invalid_sender"),
    ],
)
async def test_ce_qui_n_a_pas_de_sens_est_refuse_avec_une_phrase(
    ici: Monde, change: dict[str, Any], error: str
) -> None:
    status, body = await ici.poster({**MESSAGE, **change})
    assert (status, body["error"]) == (422, error)
    assert body["detail"]
    assert (await ici.poster([]))[0] == 422
    assert ici.telephones.recus == []


async def test_sans_les_telephones_rien_n_est_acquitte_puis_tout_l_est(ici: Monde) -> None:
    ici.telephones.absent = True
    assert (await ici.poster())[0] == 503
    ici.telephones.absent = False
    assert (await ici.poster())[0] == 201
    assert len(ici.telephones.recus) == 1


async def test_les_pannes_ralentissent_refusent_et_coupent(ici: Monde) -> None:
    async with ici.http.post("/api/pannes", json={"limiter": 1, "refuser": 1, "couper": 1}) as answer:
        assert answer.status == 200
    assert (await ici.poster())[0] == 429
    assert (await ici.poster())[1]["error"] == "invalid_destination"
    with pytest.raises(ClientError):
        await ici.poster()
    # Taken; asked again, it says so and brings no second one.
    assert (await ici.poster())[0] == 201
    assert len(ici.telephones.recus) == 1


async def test_un_rappel_revient_jusqu_a_ce_qu_il_soit_pris(ici: Monde) -> None:
    ici.plateforme.refus = 2
    async with ici.http.post("/api/entrants", json={"de": "+33612345678", "texte": "OUI"}) as answer:
        sent = (await answer.json())["id"]
    found = [await ici.plateforme.suivant() for _ in range(3)]
    assert found[0] == found[1] == found[2]
    assert {name: found[0][name] for name in ("type", "id", "from", "text")} == {
        "type": "inbound",
        "id": sent,
        "from": "+33612345678",
        "text": "OUI",
    }


async def test_ce_qui_n_a_pas_ete_pris_survit_a_l_operateur(tmp_path: Path) -> None:
    async with monde(tmp_path / "x") as first:
        first.plateforme.refus = 10**6
        sent = await first.fournisseur.entrant("+33612345678", "PLACE", "OUI")
        assert (await first.plateforme.suivant())["id"] == sent
    async with monde(tmp_path / "x") as second:
        assert (await second.plateforme.suivant())["id"] == sent


async def test_les_accuses_sont_retenus_doubles_et_en_desordre(ici: Monde) -> None:
    ici.fournisseur.pannes.remplacer({"recus_retenus": True, "recus_doubles": True, "recus": "refuse"})
    ids = [(await ici.poster({**MESSAGE, "reference": str(number)}))[1]["id"] for number in range(2)]
    assert ici.fournisseur.registre.compte()["recus"] == 4
    async with ici.http.post("/api/pannes", json={"recus_desordre": True}) as answer:
        assert answer.status == 200
    found = [await ici.plateforme.suivant() for _ in range(4)]
    assert sorted(receipt["id"] for receipt in found) == sorted([*ids, *ids])
    assert {receipt["status"] for receipt in found} == {"rejected"}
