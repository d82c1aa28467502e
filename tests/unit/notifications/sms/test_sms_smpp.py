import asyncio
import struct
from typing import Any

import pytest
from smpplib import smpp

from services.notifications.canaux.base import (
    EchecRemise,
    Inconnu,
    Injoignable,
    NousRefuse,
    Permanent,
    Recu,
    Temporaire,
)
from services.notifications.canaux.sms.fournisseur import Sature
from services.notifications.canaux.sms.gsm7 import decoder
from services.notifications.canaux.sms.smpp.pdu import (
    COURT,
    INTERNATIONAL,
    NOM,
    Adresse,
    Commande,
    Message,
    Pdu,
    corps_bind,
    corps_submit,
)
from services.notifications.canaux.sms.smpp.session import SessionSmpp, Smsc, lire_url
from tests.attente import Bientot
from tests.unit.notifications.sms.smsc import CLIENT, ENTETE, Boite, pdu, session, smsc

NUMERO = "+33612345678"


async def test_un_sms_est_soumis_avec_un_accuse_demande() -> None:
    async with smsc() as le_smsc, session(le_smsc) as ouverte:
        recu = await ouverte.envoyer(NUMERO, "Besoin d'un véhicule à Fives: 5 €", "envoi-1")
    assert recu == Recu("operateur", "m1", 1)
    [soumis] = le_smsc.submits
    assert (soumis.destination_addr, soumis.dest_addr_ton, soumis.dest_addr_npi) == (b"33612345678", 1, 1)
    assert (soumis.source_addr, soumis.source_addr_ton) == (b"PLACE", 5)
    assert (soumis.registered_delivery, soumis.data_coding, soumis.esm_class) == (1, 0, 0)
    assert decoder(soumis.short_message, 0) == "Besoin d'un véhicule à Fives: 5 €"
    [lie] = le_smsc.binds
    assert (lie.system_id, lie.password, lie.interface_version) == (b"place", b"secret", 0x34)


async def test_un_sms_en_arabe_part_en_ucs2() -> None:
    async with smsc() as le_smsc, session(le_smsc) as ouverte:
        await ouverte.envoyer(NUMERO, "مرحبا 😀", "envoi-1")
    [soumis] = le_smsc.submits
    assert soumis.data_coding == 8
    assert soumis.short_message.decode("utf-16-be") == "مرحبا 😀"


@pytest.mark.parametrize(("texte", "parties"), [("à" * 400, 3), ("ب" * 150, 3), ("€" * 153, 3)])
async def test_un_long_sms_part_en_parties_numerotees(texte: str, parties: int) -> None:
    async with smsc() as le_smsc, session(le_smsc) as ouverte:
        assert await ouverte.envoyer(NUMERO, texte, "envoi-1") == Recu("operateur", "m1", parties)
    entetes = [soumis.short_message[:6] for soumis in le_smsc.submits]
    numero = entetes[0][3]
    assert entetes == [bytes((5, 0, 3, numero, parties, rang)) for rang in range(1, parties + 1)]
    assert {soumis.esm_class for soumis in le_smsc.submits} == {ENTETE}
    assert all(len(soumis.short_message) <= 159 for soumis in le_smsc.submits)
    contenu = b"".join(soumis.short_message[6:] for soumis in le_smsc.submits)
    assert decoder(contenu, le_smsc.submits[0].data_coding) == texte


@pytest.mark.parametrize(("texte", "motif"), [("", "sms vide"), ("a" * 40_000, "sms trop long")])
async def test_ce_qui_n_est_pas_un_sms_est_refuse_avant_l_envoi(texte: str, motif: str) -> None:
    async with smsc() as le_smsc, session(le_smsc) as ouverte:
        with pytest.raises(Permanent, match=motif):
            await ouverte.envoyer(NUMERO, texte, "envoi-1")
    assert not le_smsc.submits


@pytest.mark.parametrize(
    ("statut", "echec", "motif"),
    [
        (0x58, Sature, "smpp 0x58"),
        (0x14, Sature, "smpp 0x14"),
        (0x0B, Permanent, "smpp 0x0b"),
        (0x50, Permanent, "smpp 0x50"),
        (0x01, Permanent, "smpp 0x01"),
        (0x08, Sature, "smpp 0x08"),
        # Our own settings are wrong: the message is not.
        (0x0A, NousRefuse, "smpp 0x0a"),
        (0x48, NousRefuse, "smpp 0x48"),
        (0x15, NousRefuse, "smpp 0x15"),
        (0x0400, Temporaire, "smpp 0x400"),
        (0x04, Injoignable, "smpp 0x04"),
    ],
)
async def test_le_sort_de_chaque_refus(statut: int, echec: type[EchecRemise], motif: str) -> None:
    async with smsc() as le_smsc, session(le_smsc) as ouverte:
        le_smsc.au_submit = le_smsc.refuser(statut)
        with pytest.raises(EchecRemise) as leve:
            await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")
        await ouverte.pret()
        assert (await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")).reference == "m2"
    assert type(leve.value) is echec
    assert (leve.value.motif, leve.value.fournisseur) == (motif, "operateur")


async def test_un_generic_nack_est_un_refus() -> None:
    async with smsc() as le_smsc, session(le_smsc) as ouverte:

        async def nack(recu: Any) -> None:
            le_smsc.ecrire(pdu("generic_nack", recu.sequence, statut=0x03))

        le_smsc.au_submit = nack
        with pytest.raises(Temporaire, match="smpp 0x03"):
            await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")


async def test_une_partie_refusee_pour_l_instant_est_resoumise_seule() -> None:
    async with smsc() as le_smsc, session(le_smsc) as ouverte:
        le_smsc.au_submit = le_smsc.refuser(0, 0x58, 0x14)
        recu = await ouverte.envoyer(NUMERO, "a" * 200, "envoi-1")
    assert (recu.reference, recu.parties) == ("m1", 2)
    assert [soumis.short_message[5] for soumis in le_smsc.submits] == [1, 2, 2, 2]


async def test_une_partie_refusee_pour_de_bon_fait_echouer_le_message() -> None:
    async with smsc() as le_smsc, session(le_smsc) as ouverte:
        le_smsc.au_submit = le_smsc.refuser(0, 0x0B)
        with pytest.raises(Permanent):
            await ouverte.envoyer(NUMERO, "a" * 400, "envoi-1")
    assert len(le_smsc.submits) == 2


async def test_une_coupure_pendant_un_submit_laisse_son_sort_inconnu() -> None:
    async with smsc() as le_smsc, session(le_smsc) as ouverte:
        le_smsc.au_submit = le_smsc.couper
        with pytest.raises(Inconnu, match="smpp sans réponse"):
            await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")
        le_smsc.au_submit = le_smsc.accepter
        await ouverte.pret()
        await ouverte.envoyer(NUMERO, "bonjour", "envoi-2")
    assert len(le_smsc.binds) == 2


async def test_un_submit_sans_reponse_est_inconnu_et_sa_reponse_tardive_ne_derange_personne() -> None:
    tardives: list[int] = []
    async with smsc() as le_smsc, session(le_smsc, reponse=0.05) as ouverte:

        async def garder(recu: Any) -> None:
            tardives.append(recu.sequence)

        le_smsc.au_submit = garder
        with pytest.raises(Inconnu):
            await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")
        le_smsc.au_submit = le_smsc.accepter
        le_smsc.ecrire(pdu("submit_sm_resp", tardives[0], message_id="tard"))
        assert (await ouverte.envoyer(NUMERO, "bonjour", "envoi-2")).reference == "m2"
    assert len(le_smsc.binds) == 1


async def test_sans_smsc_rien_n_est_remis() -> None:
    async with smsc() as le_smsc:
        pass
    ouverte = SessionSmpp(le_smsc.url, "operateur", Boite())
    with pytest.raises(Injoignable):
        await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")


async def test_un_bind_refuse_se_retente() -> None:
    async with smsc() as le_smsc:
        le_smsc.au_bind = 0x0E
        with pytest.raises(Injoignable):
            async with session(le_smsc, pret=0.05):
                pass
        assert le_smsc.binds
        le_smsc.au_bind = 0
        async with session(le_smsc) as ouverte:
            await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")


async def test_la_fenetre_borne_ce_qui_attend_une_reponse(bientot: Bientot) -> None:
    en_attente: list[int] = []
    async with smsc() as le_smsc, session(le_smsc, fenetre=2) as ouverte:

        async def garder(recu: Any) -> None:
            en_attente.append(recu.sequence)

        le_smsc.au_submit = garder
        envois = [asyncio.create_task(ouverte.envoyer(NUMERO, "bonjour", f"envoi-{i}")) for i in range(5)]
        restants = 5
        while restants:
            attendus = min(2, restants)
            await bientot(lambda attendus=attendus: len(en_attente) == attendus)
            # The last first: answers find their requests in any order.
            for sequence in reversed(en_attente):
                le_smsc.ecrire(pdu("submit_sm_resp", sequence, message_id=f"r{sequence}"))
            restants -= len(en_attente)
            en_attente.clear()
        references = [(await envoi).reference for envoi in envois]
    assert references == [f"r{soumis.sequence}" for soumis in le_smsc.submits]


async def test_le_coeur_bat_dans_les_deux_sens(bientot: Bientot) -> None:
    async with smsc() as le_smsc, session(le_smsc, repos=0.01):
        le_smsc.ecrire(pdu("enquire_link", 77))
        await bientot(lambda: (0x80000015, 0, 77) in le_smsc.recus)
        await bientot(lambda: sum(commande == 0x15 for commande, _, _ in le_smsc.recus) >= 2)
    assert len(le_smsc.binds) == 1


async def test_un_smsc_qui_ne_repond_plus_est_quitte(bientot: Bientot) -> None:
    async with smsc() as le_smsc, session(le_smsc, repos=0.01, battement=0.05) as ouverte:
        le_smsc.muet = True
        with pytest.raises(Inconnu):
            await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")
        le_smsc.muet = False
        await bientot(lambda: len(le_smsc.binds) >= 2)


async def test_un_smsc_qui_se_delie_est_rejoint(bientot: Bientot) -> None:
    async with smsc() as le_smsc, session(le_smsc):
        le_smsc.ecrire(pdu("unbind", 5))
        await bientot(lambda: (0x80000006, 0, 5) in le_smsc.recus)
        await bientot(lambda: len(le_smsc.binds) == 2)


async def test_a_l_arret_la_session_finit_puis_prend_conge() -> None:
    async with smsc() as le_smsc:
        fin = asyncio.Event()

        async def lentement(recu: Any) -> None:
            asyncio.get_running_loop().call_later(0.05, asyncio.create_task, le_smsc.accepter(recu))
            fin.set()

        le_smsc.au_submit = lentement
        async with session(le_smsc) as ouverte:
            envoi = asyncio.create_task(ouverte.envoyer(NUMERO, "bonjour", "envoi-1"))
            await fin.wait()
        assert (await envoi).reference == "m1"
    assert le_smsc.recus[-1][0] == 0x06


@pytest.mark.parametrize("longueur", [0, 15, 0x7FFFFFFF, 0xFFFFFFFF])
async def test_une_longueur_absurde_est_refusee_et_la_session_reprend(longueur: int, bientot: Bientot) -> None:
    async with smsc() as le_smsc, session(le_smsc) as ouverte:
        le_smsc.ecrire(struct.pack(">IIII", longueur, 5, 0, 9))
        await bientot(lambda: (0x80000000, 0x02, 0) in le_smsc.recus)
        await bientot(lambda: len(le_smsc.binds) == 2)
        await ouverte.pret()
        await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")


async def test_une_commande_inconnue_est_refusee_et_la_session_continue(bientot: Bientot) -> None:
    async with smsc() as le_smsc, session(le_smsc) as ouverte:
        le_smsc.ecrire(struct.pack(">IIII", 20, 0x0777, 0, 9) + b"abcd")
        le_smsc.ecrire(struct.pack(">IIII", 16, 0x80000777, 0, 10))
        le_smsc.ecrire(struct.pack(">IIII", 16, 0x80000004, 0, 99_999))
        await bientot(lambda: (0x80000000, 0x03, 9) in le_smsc.recus)
        await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")
    assert not [recu for recu in le_smsc.recus if recu[0] == 0x80000000 and recu[2] != 9]
    assert len(le_smsc.binds) == 1


async def test_une_moitie_de_pdu_ne_retient_pas_la_session(bientot: Bientot) -> None:
    async with smsc() as le_smsc, session(le_smsc, repos=0.01, battement=0.05):
        le_smsc.ecrire(struct.pack(">IIII", 1000, 5, 0, 9) + b"debut")
        await bientot(lambda: len(le_smsc.binds) >= 2)


async def test_n_importe_quels_octets_ne_font_pas_tomber_la_session(bientot: Bientot) -> None:
    async with smsc() as le_smsc, session(le_smsc) as ouverte:
        for numero, octets in enumerate([b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 64, bytes(64)], start=2):
            le_smsc.ecrire(octets)
            await bientot(lambda numero=numero: len(le_smsc.binds) == numero)
            await ouverte.pret()
        await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")


@pytest.mark.parametrize(
    ("url", "attendu"),
    [
        ("smpp://a:b@h?source=PLACE", Smsc("h", 2775, "a", "b", Adresse("PLACE", NOM, 0))),
        ("smpps://a:b@h?source=Place%20Lille", Smsc("h", 3550, "a", "b", Adresse("Place Lille", NOM, 0), tls=True)),
        (
            "smpp://a:p%40ss@h:99?source=+33612345678",
            Smsc("h", 99, "a", "p@ss", Adresse("33612345678", INTERNATIONAL, 1)),
        ),
        ("smpp://a:b@h?source=38600", Smsc("h", 2775, "a", "b", Adresse("38600", COURT, 0))),
    ],
)
def test_les_urls(url: str, attendu: Smsc) -> None:
    assert lire_url(url) == attendu


@pytest.mark.parametrize(
    "url",
    [
        "http://a:b@h?source=PLACE",
        "smpp://h?source=PLACE",
        "smpp://a:b@h",
        "smpp://a:b@h?source=UnNomBeaucoupTropLong",
        "smpp://a:b@h?source=été",
        "smpp://a:motdepasse@h?source=PLACE",
        "smpp://a:b@h:port?source=PLACE",
        "smpp://é:b@h?source=PLACE",
    ],
)
def test_les_autres_urls_sont_refusees_sans_etre_repetees(url: str) -> None:
    with pytest.raises(ValueError, match=r"SMPP") as leve:
        lire_url(url)
    assert "motdepasse" not in str(leve.value)


def test_nos_pdus_sont_ceux_de_smpplib() -> None:
    message = Message(Adresse("PLACE", 5, 0), Adresse("33612345678", 1, 1), b"abc", 0x40, 8)
    leur = smpp.make_pdu(
        "submit_sm",
        client=CLIENT,
        source_addr_ton=5,
        source_addr="PLACE",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="33612345678",
        esm_class=0x40,
        data_coding=8,
        registered_delivery=1,
        short_message=b"abc",
    )
    leur.sequence = 7
    assert Pdu(Commande.SUBMIT_SM, 0, 7, corps_submit(message)).octets() == leur.generate()
    leur = smpp.make_pdu("bind_transceiver", client=CLIENT, system_id="place", password="secret")
    leur.sequence = 8
    assert Pdu(Commande.BIND_TRANSCEIVER, 0, 8, corps_bind("place", "secret")).octets() == leur.generate()
