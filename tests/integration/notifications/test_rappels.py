"""What providers call back: believed when signed and fresh, applied once, and only forwards."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from contracts.notifications import DesabonnementDemande
from kit.ids import new_id
from services.notifications.canaux.callback_signature import signer
from tests.integration.notifications.abonne import abonner
from tests.integration.notifications.conftest import SECRET_RELAIS, Lire, Poste
from tests.integration.notifications.faits import annonce, correspondances, destinataire
from tests.integration.notifications.operateurs import SECRET

SMS, EMAIL, COURRIEL = "sms/http", "email", "courriel-retour"
DOMAINE = "place-des-assos.example"


def signe(porte: str, octets: bytes, *, secret: str | None = None, retard_s: int = 0) -> dict[str, str]:
    at = str(int(time.time()) - retard_s)
    return {
        "X-Horodatage": at,
        "X-Signature": signer(octets, at, secret or (SECRET if porte == SMS else SECRET_RELAIS)),
    }


async def appeler(poste: Poste, porte: str, octets: bytes, entetes: dict[str, str] | None = None) -> int:
    entetes = signe(porte, octets) if entetes is None else entetes
    encodes = {nom.encode(): valeur.encode() for nom, valeur in entetes.items()}
    return (await poste.api.post(f"/v1/rappels/{porte}", content=octets, headers=encodes)).status_code


async def mail_parti(poste: Poste) -> dict[str, Any]:
    """The row of an alert by mail that was handed over."""
    compte_id, _ = await poste.inscrire()
    await poste.publier(correspondances(annonce(), destinataire(compte_id)))
    return await poste.dans_l_etat("remis", compte_id=compte_id)


def evenement(envoi_id: str, genre: str, code: str | None = None) -> bytes:
    return json.dumps([{"message_id": f"<{envoi_id}@{DOMAINE}>", "event": genre, "code": code}]).encode()


def dsn(envoi_id: str, _: str = "", statut: str = "5.1.1") -> bytes:
    return (
        "From: MAILER-DAEMON@relais.example\r\nTo: ne-pas-repondre@place-des-assos.example\r\n"
        "Subject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nCould not be delivered to quelqu-un@exemple.fr.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relais.example\r\n\r\n"
        f"Final-Recipient: rfc822; quelqu-un@exemple.fr\r\nAction: failed\r\nStatus: {statut}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{envoi_id}@{DOMAINE}>\r\n\r\n--b--\r\n"
    ).encode()


def arf(envoi_id: str) -> bytes:
    return (
        "From: feedback@relais.example\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is a complaint.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{envoi_id}@{DOMAINE}>\r\n\r\n--b--\r\n"
    ).encode()


def accuse(envoi_id: str, statut: str = "delivered") -> bytes:
    return json.dumps({"type": "receipt", "id": new_id(), "reference": envoi_id, "status": statut}).encode()


REFUS: list[tuple[str, Callable[[str], bytes]]] = [
    (SMS, lambda id_: accuse(id_, "rejected")),
    (EMAIL, lambda id_: evenement(id_, "bounce", "550 5.1.1")),
    (COURRIEL, dsn),
]


@pytest.mark.parametrize(("porte", "refus"), REFUS, ids=["sms", "email", "courriel-retour"])
async def test_un_rappel_contrefait_vieux_ou_altere_ne_change_rien_et_le_vrai_si(
    poste: Poste, porte: str, refus: Callable[[str], bytes]
) -> None:
    ligne = await mail_parti(poste)
    octets = refus(ligne["_id"])
    bons = signe(porte, octets)
    for entetes in (
        {},
        {"X-Signature": bons["X-Signature"]},
        signe(porte, octets, secret="un autre"),
        signe(porte, octets, retard_s=6 * 60),
        signe(porte, octets, retard_s=-6 * 60),
        signe(porte, octets + b" "),
        {**bons, "X-Horodatage": str(int(bons["X-Horodatage"]) + 1)},
        {**bons, "X-Horodatage": "hier"},
        {**bons, "X-Signature": "é"},
    ):
        assert await appeler(poste, porte, octets, entetes) == 401
    assert (await poste.ligne(_id=ligne["_id"]))["etat"] == "remis"
    # Recorded by somebody and sent again within its five minutes, it says the same.
    assert [await appeler(poste, porte, octets, bons) for _ in range(3)] == [204] * 3
    assert (await poste.ligne(_id=ligne["_id"]))["etat"] == "echec_permanent"
    assert await poste.db.retours.count_documents({"envoi_id": ligne["_id"]}) == 1


@pytest.mark.parametrize("porte", [SMS, EMAIL])
@pytest.mark.parametrize("octets", [b"", b"{", b"[1]", b'{"id": 3}', b'[{"message_id": "x"}]', b"\xff\xfe"])
async def test_un_rappel_signe_et_absurde_donne_400(poste: Poste, porte: str, octets: bytes) -> None:
    assert await appeler(poste, porte, octets) == 400


async def test_un_courriel_de_retour_qui_n_est_pas_un_rebond_est_pris_et_oublie(poste: Poste) -> None:
    ligne = await mail_parti(poste)
    for octets in (b"", b"\xff\xfe", b"Subject: Absence\r\n\r\nJe suis en vacances.", dsn("x" * 32)):
        assert await appeler(poste, COURRIEL, octets) == 204
    assert (await poste.ligne(_id=ligne["_id"]))["etat"] == "remis"


async def test_un_fournisseur_inconnu_donne_404(poste: Poste) -> None:
    octets = accuse(new_id())
    assert await appeler(poste, "sms/smpp", octets, signe(SMS, octets)) == 404


@pytest.mark.parametrize(
    ("mots", "fin"),
    [
        (["delivered", "undelivered"], "livre"),
        (["undelivered", "delivered"], "livre"),
        (["undelivered", "rejected", "delivered"], "echec_permanent"),
        (["delivered", "rejected"], "livre"),
        (["sent", "undelivered", "queued"], "non_livre"),
    ],
)
async def test_des_accuses_en_desordre_ne_menent_qu_en_avant(poste: Poste, mots: list[str], fin: str) -> None:
    ligne = await mail_parti(poste)
    recus = [accuse(ligne["_id"], mot) for mot in mots]
    for octets in (*recus, *recus):
        assert await appeler(poste, SMS, octets) == 204
    trouvee = await poste.ligne(_id=ligne["_id"])
    assert trouvee["etat"] == fin
    assert "reprise_at" not in trouvee
    # All are kept, and none is left to be applied.
    derniers = len([mot for mot in mots if mot not in ("sent", "queued")])
    assert await poste.db.retours.count_documents({"envoi_id": ligne["_id"], "applique": True}) == derniers


async def test_un_accuse_qui_depasse_la_marque_de_remise_s_applique_ensuite(poste: Poste) -> None:
    ligne = await mail_parti(poste)
    reference = new_id()
    # What another deliverer has in hand: nobody has noted yet what the provider calls it.
    await poste.db.envois.update_one(
        {"_id": ligne["_id"]}, {"$set": {"etat": "remise", "lot": "un-autre", "fournisseur": "http"}}
    )
    recu = {"type": "receipt", "id": reference, "reference": None, "status": "delivered"}
    assert await appeler(poste, SMS, json.dumps(recu).encode()) == 204
    assert await appeler(poste, EMAIL, evenement(ligne["_id"], "delivered")) == 204
    assert await poste.db.retours.count_documents({"envoi_id": ligne["_id"], "applique": False}) == 1
    await poste.db.envois.update_one(
        {"_id": ligne["_id"]}, {"$set": {"etat": "remis", "reference": reference}, "$unset": {"lot": ""}}
    )
    await poste.dans_l_etat("livre", _id=ligne["_id"])

    async def applied() -> bool:
        qui = {"$or": [{"envoi_id": ligne["_id"]}, {"reference": reference}]}
        return await poste.db.retours.count_documents({**qui, "applique": True}) == 2

    await poste.bientot(applied)


async def test_un_rebond_est_dit_avec_son_code_sans_garder_d_adresse(poste: Poste) -> None:
    ligne = await mail_parti(poste)
    assert await appeler(poste, COURRIEL, dsn(ligne["_id"])) == 204
    trouvee = await poste.dans_l_etat("echec_permanent", _id=ligne["_id"])
    assert trouvee["motif"] == "dsn 5.1.1"
    retour = await poste.db.retours.find_one({"envoi_id": ligne["_id"]})
    assert "exemple.fr" not in repr([trouvee, retour])
    boite_pleine = await mail_parti(poste)
    assert await appeler(poste, COURRIEL, dsn(boite_pleine["_id"], statut="4.2.2")) == 204
    assert (await poste.dans_l_etat("non_livre", _id=boite_pleine["_id"]))["motif"] == "dsn 4.2.2"


@pytest.mark.parametrize("par_courriel", [True, False])
async def test_une_plainte_desabonne_de_ce_profil_une_fois(poste: Poste, lire: Lire, par_courriel: bool) -> None:
    ligne = await mail_parti(poste)
    profil_id = ligne["profil_id"]
    for _ in range(2):
        if par_courriel:
            assert await appeler(poste, COURRIEL, arf(ligne["_id"])) == 204
        else:
            assert await appeler(poste, EMAIL, evenement(ligne["_id"], "complaint")) == 204
    await poste.dans_l_etat("livre", _id=ligne["_id"])
    [event] = await lire(lambda e: isinstance(e, DesabonnementDemande) and e.profil_id == profil_id)
    assert event.envoi_id == ligne["_id"]
    suite = annonce()
    await poste.publier(correspondances(suite, destinataire(ligne["compte_id"], profil_id)))
    assert (await poste.dans_l_etat("annulee", annonce_id=suite.annonce_id))["motif"] == "desabonne"


@pytest.mark.parametrize(("recus", "etat"), [("non_livre", "non_livre"), ("refuse", "echec_permanent")])
async def test_ce_que_les_operateurs_disent_d_un_sms_est_au_registre(poste: Poste, recus: str, etat: str) -> None:
    qui = await abonner(poste)
    operateurs = poste.operateurs
    pannes = (operateurs.smsc.pannes, operateurs.fournisseur.pannes)
    for panne in pannes:
        panne.remplacer({"recus": recus, "recus_doubles": True, "delai_recus_ms": 0})
    try:
        de = await qui.aurait_une_alerte()
        ligne = await poste.dans_l_etat(etat, annonce_id=de.annonce_id, canal="sms")
    finally:
        for panne in pannes:
            panne.remplacer({"delai_recus_ms": 0})
    assert ligne["motif"].split()[0] == ligne["fournisseur"]
