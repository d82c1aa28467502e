"""What the server that takes mail answers: 250 only once the mail is kept, else a refusal at once."""

import asyncio
import base64
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from email.message import EmailMessage
from typing import Any, cast

import aiosmtplib
import pytest

from kit.clock import SystemClock
from services.notifications.canaux.feedback import Retour, Verdict
from services.notifications.conversations.addresses import AdressesDeReponse
from services.notifications.conversations.fils import Fil
from services.notifications.reponses_email.server import DESTINATAIRES_MAX, Portier, Serveur
from services.notifications.reponses_email.store import TAILLE_MAX, Sature

ADRESSES = AdressesDeReponse(base64.urlsafe_b64encode(b"c" * 32).decode(), "reponses.exemple")
RETOUR = "ne-pas-repondre@place.exemple"


class Base:
    """The stores, in memory. `panne`: the database is away; `pleins`: addresses that take nothing more."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self.fils: dict[str, Fil] = {}
        self.gardes: list[tuple[bytes, list[str]]] = []
        self.retours: list[Retour] = []
        self.pleins: set[str] = set()
        self.panne = False

    def adresse(self, conversation_id: str = "c1", compte_id: str = "p1", jours: int = 30) -> str:
        jeton = ADRESSES.jeton(conversation_id, compte_id)
        self.fils[jeton] = Fil(jeton, conversation_id, compte_id, self.now + dt.timedelta(days=jours))
        return ADRESSES.adresse(jeton)

    async def trouver(self, jeton: str) -> Fil | None:
        if self.panne:
            raise ConnectionError
        return self.fils.get(jeton)

    async def sature(self, jeton: str) -> bool:
        return jeton in self.pleins

    async def garder(self, brut: bytes, jetons: Sequence[str]) -> None:
        if self.panne:
            raise ConnectionError
        if self.pleins & set(jetons):
            raise Sature
        self.gardes.append((brut, list(jetons)))

    async def recevoir(self, retours: Sequence[Retour]) -> None:
        self.retours += retours


class Poste:
    def __init__(self, base: Base, port: int) -> None:
        self.base = base
        self.port = port

    async def remettre(self, a: list[str], corps: str = "Oui", de: str = "c@exemple.fr") -> aiosmtplib.SMTPResponse:
        mail = EmailMessage()
        mail["From"], mail["To"] = "c@exemple.fr", a[0]
        mail.set_content(corps)
        return await self.brut(a, mail.as_bytes(), de)

    async def brut(self, a: list[str], octets: bytes, de: str = "c@exemple.fr") -> aiosmtplib.SMTPResponse:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self.port, start_tls=False) as smtp:
            await smtp.ehlo()
            for commande in (smtp.mail(de), *(smtp.rcpt(adresse) for adresse in a)):
                await commande
            return await smtp.data(octets)


@pytest.fixture
async def poste() -> AsyncIterator[Poste]:
    horloge = SystemClock()
    base = Base(horloge.now())
    portier = Portier(ADRESSES, cast(Any, base), cast(Any, base), cast(Any, base), horloge, RETOUR, lambda: None)
    serveur = Serveur(portier, "127.0.0.1", 0, None, "reponses.exemple")
    stopping = asyncio.Event()
    task = asyncio.ensure_future(serveur.run(stopping))
    yield Poste(base, await serveur.ecoute)
    stopping.set()
    await task


async def test_un_courriel_est_garde_avant_d_etre_accepte(poste: Poste) -> None:
    adresse = poste.base.adresse()
    assert (await poste.remettre([adresse.upper()])).code == 250
    ((brut, jetons),) = poste.base.gardes
    assert b"Oui" in brut
    assert jetons == [ADRESSES.jeton("c1", "p1")]


async def test_une_panne_n_est_pas_un_refus(poste: Poste) -> None:
    adresse = poste.base.adresse()
    poste.base.panne = True
    with pytest.raises(aiosmtplib.SMTPRecipientRefused) as refus:
        await poste.remettre([adresse])
    assert refus.value.code == 451
    assert poste.base.gardes == []


@pytest.mark.parametrize("adresse", ["fil+aaaaaaaaaaaaaaaaaaaaaaaa@reponses.exemple", "contact@reponses.exemple"])
async def test_une_adresse_inventee_n_existe_pas(poste: Poste, adresse: str) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientRefused) as refus:
        await poste.remettre([adresse])
    assert refus.value.code == 550


async def test_une_adresse_perimee_le_dit(poste: Poste) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientRefused, match="plus valable"):
        await poste.remettre([poste.base.adresse(jours=-1)])


async def test_une_adresse_qui_a_trop_recu_demande_d_attendre(poste: Poste) -> None:
    adresse = poste.base.adresse()
    poste.base.pleins.add(ADRESSES.jeton("c1", "p1"))
    with pytest.raises(aiosmtplib.SMTPRecipientRefused) as refus:
        await poste.remettre([adresse])
    assert refus.value.code == 450


async def test_deux_cents_destinataires_sont_dix(poste: Poste) -> None:
    adresses = [poste.base.adresse(f"c{n}") for n in range(200)]
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=poste.port, start_tls=False) as smtp:
        await smtp.ehlo()
        await smtp.mail("c@exemple.fr")
        codes = []
        for adresse in adresses:
            try:
                codes.append((await smtp.rcpt(adresse)).code)
            except aiosmtplib.SMTPRecipientRefused as error:
                codes.append(error.code)
        await smtp.data(b"Subject: x\r\n\r\nOui\r\n")
    assert codes == [250] * DESTINATAIRES_MAX + [452] * (200 - DESTINATAIRES_MAX)
    assert len(poste.base.gardes[0][1]) == DESTINATAIRES_MAX


async def test_trente_megaoctets_sont_refuses_pour_de_bon(poste: Poste) -> None:
    gros = b"Subject: x\r\n\r\n" + (b"y" * 78 + b"\r\n") * (30 * 1024 * 1024 // 80)
    assert len(gros) > TAILLE_MAX
    with pytest.raises(aiosmtplib.SMTPResponseException) as refus:
        await poste.brut([poste.base.adresse()], gros)
    assert refus.value.code == 552
    assert poste.base.gardes == []


async def test_a_l_adresse_de_retour_seuls_les_rebonds_sont_lus(poste: Poste) -> None:
    with pytest.raises(aiosmtplib.SMTPDataError, match="Personne ne lit"):
        await poste.remettre([RETOUR])
    # Of a program nothing is made, and nothing is said to it.
    assert (await poste.remettre([RETOUR], de="")).code == 250
    rebond = (
        f"From: MAILER-DAEMON@exemple.fr\r\nTo: {RETOUR}\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.exemple.fr\r\n\r\n"
        "Final-Recipient: rfc822; a@exemple.fr\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <0123456789abcdef@place.exemple>\r\n\r\nx\r\n--b--\r\n"
    )
    assert (await poste.brut([RETOUR], rebond.encode(), de="")).code == 250
    (retour,) = poste.base.retours
    assert (retour.verdict, retour.envoi_id) == (Verdict.REFUSE, "0123456789abcdef")
    assert poste.base.gardes == []
