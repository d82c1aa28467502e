"""Which fate each answer of an SMTP server has, and each silence."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from services.notifications.canaux.base import EchecRemise, Inconnu, Injoignable, Permanent, Temporaire
from services.notifications.canaux.email import CanalEmail, Serveur, lire_url

Script = Callable[[str], str | None]
"""Command word (or "." for the end of a message) → answer; None hangs up."""


@asynccontextmanager
async def serveur(script: Script) -> AsyncIterator[tuple[CanalEmail, list[str]]]:
    """An SMTP server that answers by `script`; yields the channel and the commands that arrived."""
    recus: list[str] = []

    async def parler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 pret\r\n")
        message = False
        while brut := await reader.readline():
            ligne = brut.decode("latin-1").rstrip("\r\n")
            if message and ligne != ".":
                continue
            mot = ligne.split()[0].upper()
            recus.append(mot)
            reponse = script(mot)
            if reponse is None:
                break
            message = mot == "DATA" and reponse.startswith("354")
            writer.write(f"{reponse}\r\n".encode())
        writer.close()

    ouvert = await asyncio.start_server(parler, "127.0.0.1", 0)
    port = ouvert.sockets[0].getsockname()[1]
    try:
        yield CanalEmail(f"smtp://127.0.0.1:{port}", "nous@exemple.fr"), recus
    finally:
        ouvert.close()


def repondre(**reponses: str | None) -> Script:
    defaut: dict[str, str | None] = {"DATA": "354 go", "QUIT": "221 bye"}
    return lambda mot: {**defaut, **reponses, ".": reponses.get("FIN", "250 ok")}.get(mot, "250 ok")


async def remettre(canal: CanalEmail, fois: int = 1) -> None:
    connexion = canal.connexion()
    try:
        for _ in range(fois):
            await connexion.remettre("a@exemple.fr", b"Subject: x\r\n\r\nbonjour\r\n")
    finally:
        await connexion.fermer()


async def test_one_connection_and_one_greeting_for_many_mails() -> None:
    async with serveur(repondre()) as (canal, recus):
        await remettre(canal, fois=3)
    assert recus == ["EHLO", *["MAIL", "RCPT", "DATA", "."] * 3, "QUIT"]


@pytest.mark.parametrize(
    ("script", "echec", "motif"),
    [
        (repondre(MAIL="451 4.3.0 plus tard"), Temporaire, "smtp 451 4.3.0"),
        (repondre(RCPT="450 <a@exemple.fr> plus tard"), Temporaire, "smtp 450"),
        (repondre(RCPT="550 5.1.1 <a@exemple.fr> inconnu"), Permanent, "smtp 550 5.1.1"),
        (repondre(DATA="554 5.6.0 non"), Permanent, "smtp 554 5.6.0"),
        (repondre(FIN="452 4.2.2 plein"), Temporaire, "smtp 452 4.2.2"),
        (repondre(MAIL="421 4.3.2 fermeture"), Injoignable, "smtp 421 4.3.2"),
        (repondre(MAIL=None), Injoignable, "smtp coupé"),
        (repondre(RCPT=None), Injoignable, "smtp coupé"),
        (repondre(FIN=None), Inconnu, "smtp sans réponse"),
    ],
)
async def test_the_fate_of_each_answer(script: Script, echec: type[EchecRemise], motif: str) -> None:
    async with serveur(script) as (canal, _):
        with pytest.raises(echec) as levee:
            await remettre(canal)
    assert levee.value.motif == motif


async def test_after_a_refusal_the_connection_serves_the_next_mail() -> None:
    refus = iter(["550 non"])
    async with serveur(lambda mot: next(refus, "250 ok") if mot == "RCPT" else repondre()(mot)) as (canal, recus):
        connexion = canal.connexion()
        with pytest.raises(Permanent):
            await connexion.remettre("a@exemple.fr", b"x\r\n")
        await connexion.remettre("a@exemple.fr", b"x\r\n")
        await connexion.fermer()
    assert recus.count("EHLO") == 1
    assert "RSET" in recus


async def test_after_a_hang_up_the_next_mail_opens_a_new_connection() -> None:
    coupures: list[str | None] = [None]
    async with serveur(lambda mot: coupures.pop() if mot == "MAIL" and coupures else repondre()(mot)) as (canal, recus):
        connexion = canal.connexion()
        with pytest.raises(Injoignable):
            await connexion.remettre("a@exemple.fr", b"x\r\n")
        await connexion.remettre("a@exemple.fr", b"x\r\n")
        await connexion.fermer()
    assert recus.count("EHLO") == 2


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    async with serveur(repondre()) as (canal, _):
        pass
    with pytest.raises(Injoignable):
        await canal.connexion().preparer()


@pytest.mark.parametrize(
    ("url", "attendu"),
    [
        ("smtp://courrier:1025", Serveur("courrier", 1025)),
        ("smtp://courrier", Serveur("courrier", 25)),
        ("smtp://courrier:587?starttls=1", Serveur("courrier", 587, starttls=True)),
        ("smtps://moi:m%40t@courrier", Serveur("courrier", 465, tls=True, utilisateur="moi", mot_de_passe="m@t")),
    ],
)
def test_urls(url: str, attendu: Serveur) -> None:
    assert lire_url(url) == attendu


@pytest.mark.parametrize("url", ["http://courrier", "courrier:25", "smtp://"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL"):
        lire_url(url)
