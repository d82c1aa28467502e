"""The staff see every message as people get it; nobody else does, and a mail does nothing there."""

import html
import re

import httpx
import pytest
from fastapi import FastAPI

from kit.http import problems
from kit.http.tokens import Identity
from services.notifications import api_apercu
from services.notifications.domain import Genre
from services.notifications.messages.catalogue import MESSAGES
from services.notifications.messages.mail import Compositeur
from services.notifications.messages.sms import SMS

ADRESSE = "/v1/notifications/apercu"


class Roles:
    """A verifier for which the token is the role."""

    def verify(self, token: str) -> Identity:
        return Identity("c1", frozenset({token}))


def client(role: str = "moderateur") -> httpx.AsyncClient:
    app = FastAPI()
    problems.install(app)
    app.state.verifier = Roles()
    app.state.compositeur = Compositeur("https://place.exemple", "Place des assos", "a@place.exemple")
    app.include_router(api_apercu.routeur)
    entetes = {"authorization": f"Bearer {role}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notifications", headers=entetes)


@pytest.mark.parametrize("chemin", ["", "/alerte"])
async def test_seuls_les_moderateurs_regardent(chemin: str) -> None:
    async with client("benevole") as http:
        assert (await http.get(ADRESSE + chemin)).status_code == 403


async def test_tous_les_messages_sont_listes_et_aucun_ne_lance_de_script() -> None:
    async with client() as http:
        page = await http.get(ADRESSE)
    assert page.status_code == 200
    assert set(re.findall(rf'href="{ADRESSE}/(\w+)"', page.text)) == {genre.value for genre in Genre}
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "script-src" not in page.headers["content-security-policy"]


@pytest.mark.parametrize("genre", Genre)
async def test_chaque_message_se_montre_sur_ses_canaux(genre: Genre) -> None:
    async with client() as http:
        page = await http.get(f"{ADRESSE}/{genre}")
    assert page.status_code == 200
    cadre = re.search(r'<iframe sandbox srcdoc="([^"]*)"', page.text)
    assert (cadre is not None) == bool(MESSAGES[genre].gabarit)
    if cadre:
        assert html.unescape(cadre[1]).startswith("<!DOCTYPE html>")
    assert ("<h2>SMS</h2>" in page.text) == (genre in SMS)
    assert bool(re.search(r"\d parties?, \d+ caractères, GSM7", page.text)) == (genre in SMS)
    assert "\ue000" not in page.text


async def test_ce_qui_n_est_pas_un_message_est_introuvable() -> None:
    async with client() as http:
        answer = await http.get(f"{ADRESSE}/rien")
    assert answer.status_code == 404
    assert "Ce message" in answer.text
