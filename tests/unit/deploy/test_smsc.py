"""The SMPP centre over real sockets: what clients get, what phones get, and what outlives what."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from smpplib import consts

from deploy.standins.sms_operators import alphabet, controle, parties
from deploy.standins.sms_operators.pannes import Pannes
from deploy.standins.sms_operators.registre import IN_MEMORY, OperatorStore
from deploy.standins.sms_operators.remise import CourrierInjoignable, Sms
from deploy.standins.sms_operators.session import Acces
from deploy.standins.sms_operators.smsc import Smsc
from tests.unit.deploy.smpp import ClientSmpp

ACCES = Acces("place", "secret")
TOUT_DE_SUITE = {"delai_recus_ms": 0}


class Telephones:
    """What phones were brought; `absent`: nobody takes anything."""

    def __init__(self) -> None:
        self.recus: list[Sms] = []
        self.absent = False

    async def remettre(self, sms: Sms) -> None:
        if self.absent:
            raise CourrierInjoignable("absent")
        self.recus.append(sms)


@asynccontextmanager
async def centre(
    telephones: Telephones, path: Path | str = IN_MEMORY, acces: Acces = ACCES
) -> AsyncIterator[tuple[Smsc, int]]:
    registre = OperatorStore(path)
    smsc = Smsc(acces, registre, telephones, Pannes(), premier_delai_s=0.01)
    smsc.pannes.remplacer(TOUT_DE_SUITE)
    try:
        yield smsc, await smsc.demarrer("127.0.0.1", 0)
    finally:
        await smsc.fermer()
        registre.close()


Ouvert = tuple[Smsc, ClientSmpp, Telephones]


@pytest.fixture
async def lie() -> AsyncIterator[Ouvert]:
    """A centre and a client that is bound to it."""
    telephones = Telephones()
    async with centre(telephones) as (smsc, port), ClientSmpp(port) as client:
        assert await client.lier() == consts.SMPP_ESME_ROK
        yield smsc, client, telephones


async def jusqu_a(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - the register tells nobody
        await asyncio.sleep(0)


@pytest.mark.parametrize("commande", ["bind_transceiver", "bind_transmitter", "bind_receiver"])
@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [
        ("place", "secret", consts.SMPP_ESME_ROK),
        ("place", "faux", consts.SMPP_ESME_RINVPASWD),
        ("autre", "secret", consts.SMPP_ESME_RINVSYSID),
        ("", "", consts.SMPP_ESME_RINVSYSID),
    ],
)
async def test_seul_qui_a_le_mot_de_passe_se_connecte(
    commande: str, system_id: str, password: str, status: int
) -> None:
    async with centre(Telephones()) as (_, port), ClientSmpp(port) as client:
        assert await client.lier(commande, system_id, password) == status
        if status == consts.SMPP_ESME_ROK:
            assert await client.lier(commande) == consts.SMPP_ESME_RALYBND
        else:
            assert await client.ferme()


async def test_un_sms_est_au_telephone_avant_son_acquittement_puis_vient_son_accuse(lie: Ouvert) -> None:
    _, client, telephones = lie
    sequence = client.soumettre("Besoin à 10 €".encode("latin-1", "ignore"), registered_delivery=0)
    answer = await client.recu()
    assert (answer.command, answer.sequence, answer.status) == ("submit_sm_resp", sequence, 0)
    (sms,) = telephones.recus
    assert (sms.operateur, sms.de, sms.a, sms.reference) == (
        "smsc",
        "PLACE",
        "+33612345678",
        answer.message_id.decode(),
    )

    octets = alphabet.encoder("Besoin à 10 €")[1][0]
    client.soumettre(octets, registered_delivery=1)
    first, second = await client.recu(), await client.recu()
    answer, receipt = sorted((first, second), key=lambda pdu: str(pdu.command), reverse=True)
    assert telephones.recus[-1].texte == "Besoin à 10 €"
    assert (receipt.command, receipt.esm_class, receipt.message_state) == ("deliver_sm", 4, 2)
    assert receipt.receipted_message_id == answer.message_id
    text = receipt.short_message.decode()
    assert text.startswith(f"id:{answer.message_id.decode()} sub:001 dlvrd:001 submit date:")
    assert text.endswith(" stat:DELIVRD err:000 text:")
    assert (receipt.source_addr, receipt.destination_addr) == (b"33612345678", b"PLACE")


@pytest.mark.parametrize(
    ("texte", "codage", "octets"),
    [
        ("J’arrive", alphabet.UCS_2, "J’arrive".encode("utf-16-be")),
        ("نعم", alphabet.UCS_2, "نعم".encode("utf-16-be")),
        ("été", alphabet.LATIN_1, "été".encode("latin-1")),
        ("", alphabet.GSM, b""),
        ("[€]", alphabet.GSM, b"\x1b\x3c\x1b\x65\x1b\x3e"),
    ],
)
async def test_chaque_alphabet_est_lu(lie: Ouvert, texte: str, codage: int, octets: bytes) -> None:
    _, client, telephones = lie
    client.soumettre(octets, data_coding=codage)
    assert (await client.recu()).status == consts.SMPP_ESME_ROK
    assert [sms.texte for sms in telephones.recus] == [texte]


def _udh(parts: list[bytes]) -> list[tuple[bytes, dict[str, Any]]]:
    return [(octets, {"esm_class": 0x40}) for octets in parties.avec_en_tete(parts, 9)]


def _sar(parts: list[bytes]) -> list[tuple[bytes, dict[str, Any]]]:
    return [
        (part, {"sar_msg_ref_num": 9, "sar_total_segments": len(parts), "sar_segment_seqnum": numero})
        for numero, part in enumerate(parts, start=1)
    ]


@pytest.mark.parametrize("decouper", [_udh, _sar])
async def test_des_parties_en_desordre_font_un_sms_et_ont_chacune_leur_accuse(
    lie: Ouvert, decouper: Callable[[list[bytes]], list[tuple[bytes, dict[str, Any]]]]
) -> None:
    smsc, client, telephones = lie
    smsc.pannes.remplacer({"recus_retenus": True})
    texte = "Besoin de bras demain, répondez OUI. " * 12
    codage, parts = alphabet.encoder(texte)
    ids = set()
    for octets, champs in reversed(decouper(parts)):
        assert not telephones.recus
        client.soumettre(octets, data_coding=codage, registered_delivery=1, **champs)
        ids.add((await client.recu()).message_id)
    (sms,) = telephones.recus
    assert (sms.texte, sms.parties, len(ids)) == (texte, len(parts), len(parts))
    assert smsc.registre.compte()["recus"] == len(parts)


async def test_la_meme_partie_repetee_ne_fait_pas_un_second_sms(lie: Ouvert) -> None:
    _, client, telephones = lie
    first, last = parties.avec_en_tete([b"a" * 153, b"fin"], 3)
    for octets in (first, first, last):
        client.soumettre(octets, esm_class=0x40)
        assert (await client.recu()).status == consts.SMPP_ESME_ROK
    assert [sms.texte for sms in telephones.recus] == ["a" * 153 + "fin"]


async def test_une_partie_acquittee_survit_au_centre(tmp_path: Path) -> None:
    telephones = Telephones()
    first, last = parties.avec_en_tete([b"a" * 153, b"fin"], 3)
    for octets in (first, last):
        async with centre(telephones, tmp_path / "x") as (_, port), ClientSmpp(port) as client:
            await client.lier()
            client.soumettre(octets, esm_class=0x40)
            assert (await client.recu()).status == consts.SMPP_ESME_ROK
    assert [sms.texte for sms in telephones.recus] == ["a" * 153 + "fin"]


async def test_un_long_message_peut_arriver_entier(lie: Ouvert) -> None:
    _, client, telephones = lie
    client.soumettre(b"", message_payload=b"a" * 1000)
    assert (await client.recu()).status == consts.SMPP_ESME_ROK
    assert [(sms.texte, sms.parties) for sms in telephones.recus] == [("a" * 1000, 7)]


@pytest.mark.parametrize(
    ("champs", "status"),
    [
        ({"destination_addr": "PLACE", "dest_addr_ton": 5}, consts.SMPP_ESME_RINVDSTADR),
        ({"destination_addr": ""}, consts.SMPP_ESME_RINVDSTADR),
        ({"data_coding": 4}, consts.SMPP_ESME_RX_P_APPN),
        ({"esm_class": 0x40, "octets": b"\xff\x00"}, consts.SMPP_ESME_RINVESMCLASS),
        ({"esm_class": 0x40, "octets": b"\x05\x00\x03\x01\x02\x03x"}, consts.SMPP_ESME_RINVESMCLASS),
    ],
)
async def test_un_message_absurde_est_refuse_et_le_suivant_pris(
    lie: Ouvert, champs: dict[str, Any], status: int
) -> None:
    _, client, telephones = lie
    client.soumettre(**champs)
    answer = await client.recu()
    assert (answer.status, answer.message_id or b"") == (status, b"")
    client.soumettre()
    assert (await client.recu()).status == consts.SMPP_ESME_ROK
    assert len(telephones.recus) == 1


async def test_des_octets_quelconques_recoivent_un_refus_de_leur_commande(lie: Ouvert) -> None:
    _, client, telephones = lie
    for code, corps, command, status in (
        (0x00000099, b"", "generic_nack", consts.SMPP_ESME_RINVCMDID),
        (0x00000003, b"", "generic_nack", consts.SMPP_ESME_RINVCMDID),
        (0x00000004, b"sans fin", "submit_sm_resp", consts.SMPP_ESME_RINVPARLEN),
        (0x00000004, b"\0" * 7, "submit_sm_resp", consts.SMPP_ESME_RINVCMDLEN),
        (0x00000004, b"\0" * 16 + b"\x05abc", "submit_sm_resp", consts.SMPP_ESME_RINVMSGLEN),
        (0x00000004, b"\0" * 17 + b"\x02\x0c\x00\x09\x01", "submit_sm_resp", consts.SMPP_ESME_RINVOPTPARSTREAM),
    ):
        client.brut(code, corps)
        answer = await client.recu()
        assert (answer.command, answer.status, answer.sequence) == (command, status, 77)
    client.brut(0x15, longueur=5)
    assert (await client.recu()).status == consts.SMPP_ESME_RINVCMDLEN
    assert await client.ferme()
    assert telephones.recus == []


async def test_un_parametre_inconnu_est_ignore(lie: Ouvert) -> None:
    _, client, telephones = lie
    head = b"\0\x05\0PLACE\0\x01\x0133612345678\0" + b"\0" * 8
    client.brut(0x04, head + b"\x00\x03oui" + b"\x14\x99\x00\x02zz")
    assert (await client.recu()).status == consts.SMPP_ESME_ROK
    assert [sms.texte for sms in telephones.recus] == ["oui"]


async def test_un_emetteur_ne_recoit_rien_et_un_recepteur_n_envoie_rien() -> None:
    async with centre(Telephones()) as (smsc, port), ClientSmpp(port) as sender, ClientSmpp(port) as receiver:
        sender.soumettre()
        assert (await sender.recu()).status == consts.SMPP_ESME_RINVBNDSTS
        await sender.lier("bind_transmitter")
        await smsc.entrant("+33612345678", "PLACE", "OUI")
        sender.soumettre(registered_delivery=1)
        assert (await sender.recu()).command == "submit_sm_resp"
        await receiver.lier("bind_receiver")
        found = [await receiver.recu(), await receiver.recu()]
        assert sorted(pdu.esm_class for pdu in found) == [0, 4]
        receiver.soumettre()
        while (answer := await receiver.recu()).command != "submit_sm_resp":
            pass
        assert answer.status == consts.SMPP_ESME_RINVBNDSTS


async def test_un_sms_recu_vient_en_parties_qui_refont_le_texte(lie: Ouvert) -> None:
    smsc, client, _ = lie
    texte = "Oui, je viens avec ma sœur 🙂 " * 10
    reference = await smsc.entrant("+33612345678", "PLACE", texte)
    number = len(alphabet.encoder(texte)[1])
    read = []
    for _ in range(number):
        pdu = await client.recu()
        assert (pdu.esm_class, pdu.data_coding, pdu.source_addr) == (0x40, 8, b"33612345678")
        assert pdu.receipted_message_id.decode() == reference
        read.append(parties.lire(pdu.short_message))
        client.repondre(pdu)
    read.sort(key=lambda part: part[0].numero if part[0] else 0)
    assert alphabet.decoder(b"".join(octets for _, octets in read), 8) == texte
    await jusqu_a(lambda: smsc.registre.compte()["entrants"] == 0)


async def test_ce_qui_n_a_pas_ete_pris_revient_meme_apres_un_redemarrage(tmp_path: Path) -> None:
    telephones = Telephones()
    async with centre(telephones, tmp_path / "x") as (smsc, port), ClientSmpp(port) as client:
        await client.lier()
        await smsc.entrant("+33612345678", "PLACE", "OUI")
        refused = await client.recu()
        client.repondre(refused, consts.SMPP_ESME_RX_T_APPN)
        again = await client.recu()
        assert (again.short_message, again.receipted_message_id) == (b"OUI", refused.receipted_message_id)
    async with centre(telephones, tmp_path / "x") as (smsc, port), ClientSmpp(port) as client:
        await client.lier()
        last = await client.recu()
        assert last.receipted_message_id == refused.receipted_message_id
        client.repondre(last)
        await jusqu_a(lambda: smsc.registre.compte()["entrants"] == 0)


async def test_ce_qu_une_connexion_perdue_a_laisse_vient_par_la_suivante(lie: Ouvert) -> None:
    smsc, client, _ = lie
    await smsc.entrant("+33612345678", "PLACE", "OUI")
    await client.recu()
    client.writer.transport.abort()
    async with ClientSmpp(client._port) as other:
        await other.lier()
        assert (await other.recu()).short_message == b"OUI"


async def test_chaque_cote_demande_si_l_autre_est_la() -> None:
    async with centre(Telephones(), acces=Acces("place", "secret", silence_s=0.05)) as (_, port):
        async with ClientSmpp(port) as client:
            assert (await client.demander("enquire_link")).command == "enquire_link_resp"
            asked = await client.recu()
            assert asked.command == "enquire_link"
            client.repondre(asked)
            # It is asked again, and says nothing this time.
            assert (await client.recu()).command == "enquire_link"
            assert await client.ferme()


async def test_qui_s_en_va_a_d_abord_sa_reponse(lie: Ouvert) -> None:
    _, client, _ = lie
    client.soumettre()
    client.envoyer("unbind")
    assert [(await client.recu()).command, (await client.recu()).command] == ["submit_sm_resp", "unbind_resp"]
    assert await client.ferme()


async def test_sans_les_telephones_rien_n_est_acquitte(lie: Ouvert) -> None:
    smsc, client, telephones = lie
    telephones.absent = True
    client.soumettre(registered_delivery=1)
    assert (await client.recu()).status == consts.SMPP_ESME_RSYSERR
    assert smsc.registre.compte()["recus"] == 0
    telephones.absent = False
    client.soumettre()
    assert (await client.recu()).status == consts.SMPP_ESME_ROK


async def test_les_pannes_ralentissent_refusent_et_coupent(lie: Ouvert) -> None:
    smsc, client, telephones = lie
    smsc.pannes.remplacer({"limiter": 1, "refuser": 1, "couper": 1, "delai_ms": 1})
    for status in (consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RINVDSTADR):
        client.soumettre()
        assert (await client.recu()).status == status
    assert telephones.recus == []
    client.soumettre()
    assert await client.ferme()
    # Taken, and the client will never know from this connection.
    assert len(telephones.recus) == 1


async def test_au_dela_du_debit_les_envois_sont_refuses(lie: Ouvert) -> None:
    smsc, client, telephones = lie
    smsc.pannes.remplacer({"debit_par_s": 0.001})
    for _ in range(3):
        client.soumettre()
    answers = sorted([(await client.recu()).status for _ in range(3)])
    assert answers == [0, consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RTHROTTLED]
    assert len(telephones.recus) == 1


async def _recus(
    lie: Ouvert, pannes: dict[str, Any], number: int, liberer: dict[str, Any]
) -> tuple[list[Any], list[Any]]:
    """The ids of two messages submitted under `pannes`, and the receipts that come once these are `liberer`."""
    smsc, client, _ = lie
    smsc.pannes.remplacer({"delai_recus_ms": 0, "recus_retenus": True, **pannes})
    ids = []
    for _ in range(2):
        client.soumettre(registered_delivery=1)
        ids.append((await client.recu()).message_id)
    smsc.pannes.remplacer(liberer)
    smsc.facteur.reveiller()
    receipts = [await client.recu() for _ in range(number)]
    return ids, receipts


async def test_les_accuses_retenus_finissent_par_partir(lie: Ouvert) -> None:
    ids, receipts = await _recus(lie, {}, 2, {})
    assert [receipt.receipted_message_id for receipt in receipts] == ids


async def test_receipts_come_newest_first(lie: Ouvert) -> None:
    ids, receipts = await _recus(lie, {}, 2, {"recus_desordre": True})
    assert [receipt.receipted_message_id for receipt in receipts] == ids[::-1]


async def test_les_accuses_viennent_deux_fois_et_disent_ce_qui_leur_est_demande(lie: Ouvert) -> None:
    ids, receipts = await _recus(lie, {"recus_doubles": True, "recus": "non_livre"}, 4, {})
    assert [receipt.receipted_message_id for receipt in receipts] == [ids[0], ids[0], ids[1], ids[1]]
    assert {receipt.message_state for receipt in receipts} == {5}
    assert all(
        b" dlvrd:000 " in receipt.short_message and b"stat:UNDELIV" in receipt.short_message for receipt in receipts
    )


async def test_seuls_les_echecs_ont_un_accuse_quand_eux_seuls_sont_demandes(lie: Ouvert) -> None:
    smsc, client, _ = lie
    smsc.pannes.remplacer({"recus_retenus": True})
    client.soumettre(registered_delivery=2)
    await client.recu()
    assert smsc.registre.compte()["recus"] == 0
    smsc.pannes.remplacer({"recus_retenus": True, "recus": "refuse"})
    client.soumettre(registered_delivery=2)
    await client.recu()
    assert smsc.registre.compte()["recus"] == 1


async def test_son_port_http_prend_les_pannes_et_les_sms_et_refuse_l_absurde(lie: Ouvert) -> None:
    smsc, client, _ = lie
    async with TestServer(controle.construire(smsc, "PLACE")) as server, ClientSession(server.make_url("/")) as http:
        async with http.get("/sante/vivant") as answer:
            assert answer.status == 200
        async with http.post("/api/entrants", json={"de": "+33612345678", "texte": "OUI"}) as answer:
            assert answer.status == 202
        pdu = await client.recu()
        assert (pdu.short_message, pdu.destination_addr, pdu.dest_addr_ton) == (b"OUI", b"PLACE", 5)
        for path, sent in (
            ("/api/entrants", {"de": "0612345678", "texte": "OUI"}),
            ("/api/entrants", {"de": "+33612345678", "texte": 3}),
            ("/api/entrants", {"de": "+33612345678", "texte": "x" * 5001}),
            ("/api/entrants", {"de": "+33612345678", "texte": "", "a": "x" * 30}),
            ("/api/entrants", []),
            ("/api/pannes", {"autre": 1}),
        ):
            async with http.post(path, json=sent) as answer:
                assert answer.status == 422, sent
                assert await answer.text()
        for data, status in ((b"\xff", 422), (b"[" * 20_000, 422), (b" " * 70_000, 413)):
            async with http.post("/api/pannes", data=data) as answer:
                assert answer.status == status
        async with http.post("/api/pannes", json={"limiter": 2}) as answer:
            assert (await answer.json())["limiter"] == 2
        async with http.get("/api/etat") as answer:
            assert (await answer.json())["dus"] == {"recus": 0, "entrants": 1}
