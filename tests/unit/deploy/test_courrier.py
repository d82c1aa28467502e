"""The catcher over real sockets: mails in by SMTP, out by HTTP."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.message import EmailMessage

import aiosmtplib
import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from deploy.standins.mailbox.mail_store import MailStore
from deploy.standins.mailbox.page import build
from deploy.standins.mailbox.smtp import Faults, serve


class Catcher:
    """The catcher's two doors."""

    def __init__(self, smtp_port: int, http: ClientSession) -> None:
        self.smtp_port = smtp_port
        self.http = http

    async def send(self, recipient: str, subject: str = "Bonjour", html: str = "<p>ok</p>") -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "a@example.org", recipient, subject
        message.set_content("été")
        message.add_alternative(html, subtype="html")
        await aiosmtplib.send(message, hostname="127.0.0.1", port=self.smtp_port, start_tls=False)


@pytest.fixture
async def catcher() -> AsyncIterator[Catcher]:
    boite, faults = MailStore(), Faults()
    smtp = await serve(boite, faults, "127.0.0.1", 0)
    async with TestServer(build(boite, faults)) as server, ClientSession(base_url=server.make_url("/")) as http:
        yield Catcher(smtp.sockets[0].getsockname()[1], http)
    smtp.close()


async def test_un_courriel_envoye_est_liste_lu_et_montre(catcher: Catcher) -> None:
    await catcher.send("b@example.org", "Des costumes", '<p onclick="x()">à vous</p>')
    async with catcher.http.get("/api/attendre", params={"a": "b@example.org"}) as answer:
        (mail,) = await answer.json()
    assert (mail["a"], mail["sujet"], mail["de"]) == (["b@example.org"], "Des costumes", "a@example.org")
    async with catcher.http.get(f"/api/mails/{mail['id']}") as answer:
        whole = await answer.json()
    assert (whole["texte"].strip(), "à vous" in whole["html"]) == ("été", True)
    assert ["Subject", "Des costumes"] in whole["entetes"]
    async with catcher.http.get(f"/mails/{mail['id']}") as answer:
        page = await answer.text()
        assert "script" not in answer.headers["Content-Security-Policy"]
    assert 'sandbox="allow-popups"' in page
    assert '<p onclick="x()">' not in page
    async with catcher.http.get("/", params={"a": "b@"}) as answer:
        assert "Des costumes" in await answer.text()


async def test_les_pannes_demandees_repondent_451_autant_de_fois(catcher: Catcher) -> None:
    async with catcher.http.post("/api/pannes", json={"data_451": 1}) as answer:
        assert answer.status == 200
    with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
        await catcher.send("b@example.org")
    assert refusal.value.code == 451
    await catcher.send("b@example.org")
    async with catcher.http.get("/api/compte") as answer:
        assert await answer.json() == {"total": 1, "gardes": 1, "dernier": 1}
    async with catcher.http.post("/api/pannes", json={"autre": 1}) as answer:
        assert answer.status == 422


async def test_ce_qui_ne_peut_etre_garde_n_est_ni_definitif_ni_acquitte(
    catcher: Catcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: MailStore, *mail: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(MailStore, "add", full)
        with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
            await catcher.send("b@example.org")
    assert refusal.value.code == 452
    await catcher.send("b@example.org")


async def test_une_boite_videe_ne_connait_plus_ses_courriels(catcher: Catcher) -> None:
    await catcher.send("b@example.org")
    async with catcher.http.delete("/api/mails") as answer:
        assert answer.status == 204
    for unknown in (1, 10**30):
        async with catcher.http.get(f"/api/mails/{unknown}") as answer:
            assert answer.status == 404
    async with catcher.http.get("/api/mails", params={"limite": "beaucoup"}) as answer:
        assert answer.status == 422


async def test_on_repond_a_un_courriel_depuis_sa_page_ou_il_dit_de_repondre() -> None:
    """The answer goes to the server that takes mail, quoted as mail programs do."""
    recus, faults = MailStore(), Faults()
    entrant = await serve(recus, faults, "127.0.0.1", 0)
    port = entrant.sockets[0].getsockname()[1]
    boite = MailStore()
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "place@example.org", "c@exemple.fr", "Conversation"
    mail["Reply-To"], mail["Message-ID"] = "fil+abc@reponses.example", "<m1@example.org>"
    mail.set_content("Vous venez ?")
    kept = boite.add(datetime.now(UTC), "place@example.org", ["c@exemple.fr"], mail.as_bytes())
    app = build(boite, faults, entrant=f"127.0.0.1:{port}")
    async with TestServer(app) as server, ClientSession(base_url=server.make_url("/")) as http:
        assert "Répondre" in await (await http.get(f"/mails/{kept.id}")).text()
        answered = await http.post(f"/mails/{kept.id}/reponse", data={"texte": "Oui !"}, allow_redirects=False)
        assert answered.status == 303
        assert (await http.post(f"/api/mails/{kept.id}/reponse", json={"texte": ""})).status == 422
        mail.replace_header("Subject", "Sans adresse")
        del mail["Reply-To"]
        other = boite.add(datetime.now(UTC), "place@example.org", ["c@exemple.fr"], mail.as_bytes())
        assert (await http.post(f"/api/mails/{other.id}/reponse", json={"texte": "Oui"})).status == 409
    entrant.close()
    (recu,) = recus.find(None, None, 0, 10)
    assert recu.recipients == ("fil+abc@reponses.example",)
    found = recus.get(recu.id)
    assert found is not None
    assert found.text() is not None
    assert str(found.text()).startswith("Oui !")
    assert "> Vous venez ?" in str(found.text())
    assert dict(found.headers)["In-Reply-To"] == "<m1@example.org>"
