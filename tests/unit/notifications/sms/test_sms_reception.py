import asyncio
import datetime as dt
from typing import Any

import pytest

from kit.clock import FixedClock
from services.notifications.canaux.feedback import Retour, SmsRecu, Verdict
from services.notifications.canaux.sms.gsm7 import decouper, encoder
from services.notifications.canaux.sms.smpp.concatenation import entete
from services.notifications.canaux.sms.smpp.inbound import Redeliveries
from tests.attente import Bientot
from tests.unit.notifications.sms.smsc import ACCUSE, ENTETE, Boite, Smsc, pdu, session, smsc, texte_accuse

NUMERO = "+33612345678"


def horloge() -> FixedClock:
    return FixedClock(dt.datetime(2026, 11, 25, 10, tzinfo=dt.UTC))


async def livrer(bientot: Bientot, le_smsc: Smsc, contenu: bytes, **champs: Any) -> int:
    """Delivers, waits for the answer, and returns its status."""
    sequence = le_smsc.livrer(contenu, **champs)
    await bientot(lambda: le_smsc.statut(sequence) is not None)
    statut = le_smsc.statut(sequence)
    assert statut is not None
    return statut


async def test_un_accuse_est_transmis_puis_acquitte(bientot: Bientot) -> None:
    boite, clock = Boite(), horloge()
    async with smsc() as le_smsc, session(le_smsc, boite, clock=clock) as ouverte:
        recu = await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")
        assert await livrer(bientot, le_smsc, texte_accuse("m1", "DELIVRD"), esm_class=ACCUSE) == 0
    assert boite.recus == [Retour("operateur", Verdict.LIVRE, "smpp DELIVRD 000", clock.now(), recu.reference)]


async def test_un_accuse_par_tlv_est_lu(bientot: Bientot) -> None:
    boite = Boite()
    async with smsc() as le_smsc, session(le_smsc, boite):
        await livrer(bientot, le_smsc, b"", esm_class=ACCUSE, receipted_message_id="m9", message_state=5)
    [retour] = boite.recus
    assert isinstance(retour, Retour)
    assert (retour.reference, retour.verdict, retour.motif) == ("m9", Verdict.NON_LIVRE, "smpp UNDELIV")


async def test_un_accuse_en_double_ou_dans_le_desordre_passe_chaque_fois(bientot: Bientot) -> None:
    boite = Boite()
    async with smsc() as le_smsc, session(le_smsc, boite) as ouverte:
        for numero in range(2):
            await ouverte.envoyer(NUMERO, "bonjour", f"envoi-{numero}")
        for reference in ("m2", "m1", "m2"):
            await livrer(bientot, le_smsc, texte_accuse(reference, "DELIVRD"), esm_class=ACCUSE)
    assert [recu.reference for recu in boite.recus] == ["m2", "m1", "m2"]


async def test_un_accuse_avant_la_reponse_au_submit_passe_quand_meme(bientot: Bientot) -> None:
    boite = Boite()
    async with smsc() as le_smsc, session(le_smsc, boite) as ouverte:

        async def accuser_dabord(recu: Any) -> None:
            le_smsc.livrer(texte_accuse(f"m{len(le_smsc.submits)}", "DELIVRD"), esm_class=ACCUSE)
            await le_smsc.accepter(recu)

        le_smsc.au_submit = accuser_dabord
        assert (await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")).reference == "m1"
        await bientot(lambda: len(boite.recus) == 1)
        # In three parts: delivered once, under the id of the first.
        recu = await ouverte.envoyer(NUMERO, "a" * 400, "envoi-2")
        await bientot(lambda: len(boite.recus) == 2)
    assert [retour.reference for retour in boite.recus] == ["m1", recu.reference]


async def test_un_accuse_intermediaire_ou_illisible_est_acquitte_sans_suite(bientot: Bientot) -> None:
    boite = Boite()
    async with smsc() as le_smsc, session(le_smsc, boite):
        assert await livrer(bientot, le_smsc, texte_accuse("m1", "ENROUTE"), esm_class=0x20) == 0
        assert await livrer(bientot, le_smsc, b"\xff\xfe", esm_class=ACCUSE) == 0
    assert not boite.recus


@pytest.mark.parametrize(
    "contenu",
    [
        b"id:1025 sub:001 dlvrd:001 submit date:2610011000 done date:2610011001 stat:DELIVRD err:000 text:",
        b"id:1025 sub:001 dlvrd:001 submit date:2610011000 done date:2610011001 stat:DELIVRD err:000 text:OUI",
        b" ID:1025 DONE DATE:2610011001 STAT:delivrd",
        b"id: 1025 err:000 stat: DELIVRD",
        "id:1025 sub:001 dlvrd:001 stat:DELIVRD err:000 text:".encode("utf-16-be"),
    ],
)
@pytest.mark.parametrize("esm_class", [0, 0x10, 0x08, ACCUSE, 0x20])
async def test_un_accuse_n_est_jamais_pris_pour_le_sms_d_une_personne(
    contenu: bytes, esm_class: int, bientot: Bientot
) -> None:
    boite = Boite()
    codage = 8 if b"\0" in contenu else 0
    async with smsc() as le_smsc, session(le_smsc, boite):
        assert await livrer(bientot, le_smsc, contenu, esm_class=esm_class, data_coding=codage) == 0
    [recu] = boite.recus
    assert isinstance(recu, Retour)
    assert (recu.reference, recu.verdict) == ("1025", Verdict.LIVRE)


@pytest.mark.parametrize(
    ("ton", "adresse", "attendu"),
    [
        (2, "0639980001", "+33639980001"),
        (2, "639980001", "+33639980001"),
        (2, "0612345678", "+33612345678"),
        (2, "612345678", "+33612345678"),
        (0, "0639980001", "+33639980001"),
        (2, "0692123456", "+262692123456"),
        (1, "33639980001", "+33639980001"),
        (1, "0033639980001", "+33639980001"),
        (0, "0033639980001", "+33639980001"),
    ],
)
async def test_le_numero_de_qui_ecrit_est_lu_comme_l_operateur_l_ecrit(
    ton: int, adresse: str, attendu: str, bientot: Bientot
) -> None:
    boite = Boite()
    async with smsc() as le_smsc, session(le_smsc, boite):
        assert await livrer(bientot, le_smsc, b"OUI", source_addr_ton=ton, source_addr=adresse) == 0
    [recu] = boite.recus
    assert isinstance(recu, SmsRecu)
    assert recu.de == attendu


async def test_ce_qui_n_est_pas_enregistre_est_redemande(bientot: Bientot) -> None:
    boite = Boite(echecs=1)
    async with smsc() as le_smsc, session(le_smsc, boite):
        assert await livrer(bientot, le_smsc, b"OUI") == 0x64
        assert await livrer(bientot, le_smsc, b"OUI") == 0
    assert [recu.texte for recu in boite.recus if isinstance(recu, SmsRecu)] == ["OUI"]


async def test_rien_n_est_acquitte_avant_d_etre_enregistre(bientot: Bientot) -> None:
    enregistre, permis = asyncio.Event(), asyncio.Event()

    async def recevoir(_: Retour | SmsRecu) -> None:
        enregistre.set()
        await permis.wait()

    async with smsc() as le_smsc, session(le_smsc, recevoir) as ouverte:
        sequence = le_smsc.livrer(b"OUI")
        await enregistre.wait()
        # The session goes on meanwhile.
        await ouverte.envoyer(NUMERO, "bonjour", "envoi-1")
        assert le_smsc.statut(sequence) is None
        permis.set()
        await bientot(lambda: le_smsc.statut(sequence) == 0)


async def test_trop_de_messages_a_la_fois_sont_remis_a_plus_tard(bientot: Bientot) -> None:
    permis = asyncio.Event()

    async def recevoir(_: Retour | SmsRecu) -> None:
        await permis.wait()

    async with smsc() as le_smsc, session(le_smsc, recevoir):
        sequences = [le_smsc.livrer(b"OUI %d" % numero) for numero in range(101)]
        await bientot(lambda: le_smsc.statut(sequences[-1]) == 0x14)
        permis.set()
        await bientot(lambda: all(le_smsc.statut(sequence) == 0 for sequence in sequences[:-1]))


@pytest.mark.parametrize(
    ("contenu", "champs", "texte"),
    [
        (b"OUI", {}, "OUI"),
        (b"", {}, ""),
        (b"\x05\x00 va", {}, "é@ va"),
        ("نعم".encode("utf-16-be"), {"data_coding": 8}, "نعم"),
        (b"", {"message_payload": b"OUI 3"}, "OUI 3"),
        ("STOP".encode("utf-16-be"), {"data_coding": 0x18}, "STOP"),
        ("STOP".encode("utf-16-be"), {"data_coding": 0x19}, "STOP"),
        (b"Arr\x04t", {"data_coding": 0x10}, "Arrèt"),
        (b"Arr\x04t", {"data_coding": 0x11}, "Arrèt"),
        (b"Arr\x04t", {"data_coding": 0xF1}, "Arrèt"),
        (b"Arr\x04t", {"data_coding": 0x40}, "Arrèt"),
        # Somebody has pressed « OK » or written back: SMPP calls that a user acknowledgement.
        (b"OUI", {"esm_class": 0x10}, "OUI"),
        (b"id: non, stat: rien", {}, "id: non, stat: rien"),
    ],
)
async def test_le_sms_d_une_personne(contenu: bytes, champs: dict[str, Any], texte: str, bientot: Bientot) -> None:
    boite, clock = Boite(), horloge()
    async with smsc() as le_smsc, session(le_smsc, boite, clock=clock):
        assert await livrer(bientot, le_smsc, contenu, **champs) == 0
    [recu] = boite.recus
    assert isinstance(recu, SmsRecu)
    assert (recu.de, recu.texte, recu.at, recu.fournisseur) == (NUMERO, texte, clock.now(), "operateur")
    assert NUMERO[1:] not in recu.reference


@pytest.mark.parametrize("data_coding", [0, 8])
async def test_un_sms_de_dix_parties_dans_le_desordre_se_recompose(data_coding: int, bientot: Bientot) -> None:
    texte = ("Je viens avec dix amis. " if data_coding == 0 else "سآتي مع أصدقائي ") * 60
    decoupe = decouper(texte[: 153 * 10 if data_coding == 0 else 67 * 10])
    assert (len(decoupe.parties), decoupe.codage) == (10, data_coding)
    boite = Boite()
    async with smsc() as le_smsc, session(le_smsc, boite):
        for rang in (10, 3, 1, 2, 9, 3, 4, 8, 5, 7, 6):
            contenu = entete(200, 10, rang) + encoder(decoupe.parties[rang - 1], decoupe.codage)
            assert await livrer(bientot, le_smsc, contenu, esm_class=ENTETE, data_coding=data_coding) == 0
    [recu] = boite.recus
    assert isinstance(recu, SmsRecu)
    assert recu.texte == "".join(decoupe.parties)


async def test_la_derniere_partie_non_enregistree_redonne_tout_le_message(bientot: Bientot) -> None:
    boite = Boite(echecs=1)
    async with smsc() as le_smsc, session(le_smsc, boite):
        assert await livrer(bientot, le_smsc, entete(1, 2, 1) + b"OUI ", esm_class=ENTETE) == 0
        assert await livrer(bientot, le_smsc, entete(1, 2, 2) + b"merci", esm_class=ENTETE) == 0x64
        assert await livrer(bientot, le_smsc, entete(1, 2, 2) + b"merci", esm_class=ENTETE) == 0
        assert await livrer(bientot, le_smsc, entete(1, 2, 2) + b"merci", esm_class=ENTETE) == 0
    assert [recu.texte for recu in boite.recus if isinstance(recu, SmsRecu)] == ["OUI merci"]


async def test_un_long_sms_incomplet_est_transmis_tel_qu_il_est_arrive(bientot: Bientot) -> None:
    boite, clock = Boite(echecs=1), horloge()
    async with smsc() as le_smsc, session(le_smsc, boite, clock=clock) as ouverte:
        await livrer(bientot, le_smsc, entete(1, 2, 2) + b"merci", esm_class=ENTETE)
        clock.advance(minutes=11)
        with pytest.raises(ConnectionError):
            await ouverte._reception.abandonner()
        await ouverte._reception.abandonner()
        await ouverte._reception.abandonner()
    assert [recu.texte for recu in boite.recus if isinstance(recu, SmsRecu)] == ["[…]merci"]


@pytest.mark.parametrize("source", ["INFO", "38600", ""])
async def test_un_expediteur_a_qui_on_ne_peut_repondre_est_acquitte_sans_suite(source: str, bientot: Bientot) -> None:
    boite = Boite()
    async with smsc() as le_smsc, session(le_smsc, boite):
        assert await livrer(bientot, le_smsc, b"OUI", source_addr=source, source_addr_ton=5) == 0
    assert not boite.recus


async def test_un_deliver_illisible_est_rejete_et_la_session_continue(bientot: Bientot) -> None:
    boite = Boite()
    async with smsc() as le_smsc, session(le_smsc, boite):
        entier = pdu("deliver_sm", 3, source_addr="33612345678", short_message=b"OUI")
        coupe = entier[:-4]
        le_smsc.ecrire(len(coupe).to_bytes(4, "big") + coupe[4:])
        await bientot(lambda: le_smsc.statut(3) == 0x66)
        assert await livrer(bientot, le_smsc, b"OUI") == 0
    assert len(boite.recus) == 1


async def test_deux_oui_sont_deux_messages_mais_une_redite_n_en_est_pas_un(bientot: Bientot) -> None:
    boite, clock = Boite(), horloge()
    async with smsc() as le_smsc, session(le_smsc, boite, clock=clock) as ouverte:
        await livrer(bientot, le_smsc, b"OUI")
        await livrer(bientot, le_smsc, b"OUI")
        await le_smsc.couper()
        await bientot(lambda: len(le_smsc.binds) == 2)
        await ouverte.pret()
        await livrer(bientot, le_smsc, b"OUI")
    premier, second, redite = (recu.reference for recu in boite.recus)
    assert premier != second
    assert redite == second


def test_longtemps_apres_les_memes_mots_sont_un_autre_message() -> None:
    clock = horloge()
    redites = Redeliveries(clock)
    premiere = redites.reference("oui", 1)
    assert redites.reference("oui", 2) == premiere, "not acknowledged yet"
    redites.acquitter("oui")
    clock.advance(minutes=2)
    redites.nouvelle_connexion()
    autre = redites.reference("oui", 1)
    assert autre != premiere, "acknowledged long before the connection was lost"
    clock.advance(minutes=16)
    assert redites.reference("oui", 2) != autre, "not acknowledged, but too long ago"
