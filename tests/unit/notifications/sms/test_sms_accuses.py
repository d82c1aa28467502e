import asyncio
import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.canaux.feedback import Retour, Verdict
from services.notifications.canaux.sms.smpp.multipart import MultipartReceipts
from services.notifications.canaux.sms.smpp.pdu import (
    Adresse,
    Malforme,
    Message,
    Pdu,
    Tlv,
    corps_submit,
    lire_entete,
    lire_message,
)
from services.notifications.canaux.sms.smpp.receipts import Accuse, est_accuse, lire_accuse
from tests.unit.notifications.sms.smsc import ACCUSE, texte_accuse

NOUS, EUX = Adresse("38600", 3, 0), Adresse("33612345678", 1, 1)
AT = dt.datetime(2026, 11, 25, 10, tzinfo=dt.UTC)


def accuse(contenu: bytes = b"", esm_class: int = ACCUSE, **tlv: bytes) -> Message:
    return Message(EUX, NOUS, contenu, esm_class, 0, {Tlv[nom.upper()]: valeur for nom, valeur in tlv.items()})


@pytest.mark.parametrize(
    ("recu", "attendu"),
    [
        (accuse(texte_accuse("m1", "DELIVRD")), Accuse("m1", Verdict.LIVRE, "smpp DELIVRD 000")),
        (accuse(texte_accuse("m1", "UNDELIV", "001")), Accuse("m1", Verdict.NON_LIVRE, "smpp UNDELIV 001")),
        (accuse(texte_accuse("m1", "EXPIRED", "0B")), Accuse("m1", Verdict.NON_LIVRE, "smpp EXPIRED 0B")),
        (accuse(texte_accuse("m1", "REJECTD", "010")), Accuse("m1", Verdict.REFUSE, "smpp REJECTD 010")),
        (accuse(texte_accuse("m1", "ACCEPTD")), Accuse("m1", None, "smpp ACCEPTD 000")),
        (accuse(b"ID:m1 STAT:delivrd"), Accuse("m1", Verdict.LIVRE, "smpp DELIVRD")),
        (accuse(reference_accusee=b"m1\0", etat=b"\x02"), Accuse("m1", Verdict.LIVRE, "smpp DELIVRD")),
        (accuse(reference_accusee=b"m1", etat=b"\x05"), Accuse("m1", Verdict.NON_LIVRE, "smpp UNDELIV")),
        (
            accuse(texte_accuse("autre", "DELIVRD"), reference_accusee=b"m1\0", etat=b"\x08"),
            Accuse("m1", Verdict.REFUSE, "smpp REJECTD 000"),
        ),
        # GSM, unknown subscriber: nobody has this number.
        (
            accuse(texte_accuse("m1", "UNDELIV", "099"), erreur_reseau=b"\x03\x00\x01"),
            Accuse("m1", Verdict.REFUSE, "smpp UNDELIV 001"),
        ),
        (
            accuse(texte_accuse("m1", "UNDELIV"), erreur_reseau=b"\x03\x00\x1b"),
            Accuse("m1", Verdict.NON_LIVRE, "smpp UNDELIV 027"),
        ),
        # Another network than GSM, and another length: a code of which nobody knows what it means.
        (
            accuse(texte_accuse("m1", "UNDELIV", "099"), erreur_reseau=b"\x02\x00\x01"),
            Accuse("m1", Verdict.NON_LIVRE, "smpp UNDELIV 001"),
        ),
        (
            accuse(texte_accuse("m1", "UNDELIV", "099"), erreur_reseau=b"\x03\x01"),
            Accuse("m1", Verdict.NON_LIVRE, "smpp UNDELIV 099"),
        ),
        (
            accuse(texte_accuse("m1", "UNDELIV", "099"), erreur_reseau=b"\x03\x01\x02"),
            Accuse("m1", Verdict.NON_LIVRE, "smpp UNDELIV 258"),
        ),
        (accuse(reference_accusee=b"m1", etat=b"\x01"), Accuse("m1", None, "smpp ENROUTE")),
        (accuse(reference_accusee=b"m1", etat=b"\x03"), Accuse("m1", Verdict.NON_LIVRE, "smpp EXPIRED")),
        (accuse(reference_accusee=b"m1", etat=b"\x04"), Accuse("m1", Verdict.NON_LIVRE, "smpp DELETED")),
        (accuse(reference_accusee=b"m1", etat=b"\x06"), Accuse("m1", None, "smpp ACCEPTD")),
        (accuse(reference_accusee=b"m1", etat=b"\x07"), Accuse("m1", Verdict.NON_LIVRE, "smpp UNKNOWN")),
        (accuse(b"id:m1 stat:DELIVRD text:x text:stat:REJECTD"), Accuse("m1", Verdict.LIVRE, "smpp DELIVRD")),
        (accuse(b""), None),
        (accuse(b"id:m1"), None),
        (accuse(b"id:m1 stat:BIZARRE"), None),
        (accuse(b"stat:DELIVRD"), None),
        (accuse(b"sub:001 text:id:m1 stat:DELIVRD"), None),
    ],
)
def test_ce_que_dit_un_accuse(recu: Message, attendu: Accuse | None) -> None:
    assert est_accuse(recu)
    assert lire_accuse(recu) == attendu


def test_un_sms_d_une_personne_n_est_pas_un_accuse() -> None:
    assert not est_accuse(accuse(b"OUI", esm_class=0))
    assert est_accuse(accuse(esm_class=0, reference_accusee=b"m1\0", etat=b"\x02"))


@given(st.binary(max_size=120))
def test_aucun_corps_ne_fait_tomber_la_lecture(corps: bytes) -> None:
    try:
        lu = lire_message(corps)
    except Malforme:
        return
    lire_accuse(lu)


@given(st.binary(max_size=254), st.integers(0, 255))
def test_ce_qui_est_soumis_se_relit(contenu: bytes, esm_class: int) -> None:
    message = Message(NOUS, EUX, contenu, esm_class, 8)
    corps = corps_submit(message)
    assert lire_message(corps) == message
    longueur, lu = lire_entete(Pdu(4, 0, 7, corps).octets()[:16])
    assert (longueur, lu) == (len(corps), Pdu(4, 0, 7))


def test_un_tlv_inconnu_ou_coupe_ne_fait_pas_perdre_les_autres() -> None:
    connu, inconnu, coupe = b"\x00\x1e\x00\x03m1\0", b"\x14\x00\x00\x02zz", b"\x04\x27\x00\x09\x02"
    lu = lire_message(corps_submit(Message(EUX, NOUS, b"")) + inconnu + connu + coupe)
    assert lu.tlv == {0x1400: b"zz", Tlv.REFERENCE_ACCUSEE: b"m1\0"}


def retour(reference: str, verdict: Verdict = Verdict.LIVRE, motif: str = "smpp DELIVRD 000") -> Retour:
    return Retour("operateur", verdict, motif, AT, reference)


async def test_un_message_en_parties_est_livre_quand_toutes_le_sont() -> None:
    parties = MultipartReceipts()
    with parties.envoi(3) as groupe:
        for reference in ("a", "b", "c"):
            parties.noter(groupe, reference)
    assert await parties.rejoindre(retour("b")) is None
    assert await parties.rejoindre(retour("b")) is None
    assert await parties.rejoindre(retour("a")) is None
    assert await parties.rejoindre(retour("c")) == retour("a")
    assert await parties.rejoindre(retour("b")) == retour("a")


async def test_une_seule_partie_non_livree_suffit() -> None:
    parties = MultipartReceipts()
    with parties.envoi(2) as groupe:
        parties.noter(groupe, "a")
        parties.noter(groupe, "b")
    echec = retour("b", Verdict.NON_LIVRE, "smpp EXPIRED 000")
    attendu = retour("a", Verdict.NON_LIVRE, "smpp EXPIRED 000")
    assert await parties.rejoindre(echec) == attendu
    assert await parties.rejoindre(retour("a")) == attendu


async def test_les_parties_d_un_envoi_manque_ne_disent_rien_de_son_sort() -> None:
    parties = MultipartReceipts()
    with contextlib.suppress(ConnectionError), parties.envoi(2) as groupe:
        parties.noter(groupe, "a")
        raise ConnectionError
    assert await parties.rejoindre(retour("a")) is None


async def test_un_accuse_plus_rapide_que_la_reponse_attend_son_message() -> None:
    parties = MultipartReceipts()
    with parties.envoi(2) as groupe:
        parties.noter(groupe, "a")
        avance = asyncio.create_task(parties.rejoindre(retour("b")))
        await asyncio.sleep(0)
        parties.noter(groupe, "b")
    assert await avance is None
    assert await parties.rejoindre(retour("a")) == retour("a")


async def test_un_accuse_inconnu_passe_tel_quel() -> None:
    parties = MultipartReceipts(attente_s=0)
    assert await parties.rejoindre(retour("x")) == retour("x")
    with parties.envoi(2):
        assert await parties.rejoindre(retour("x")) == retour("x")
