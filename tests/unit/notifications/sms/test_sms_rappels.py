import datetime as dt
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.canaux.feedback import Retour, SmsRecu, Verdict
from services.notifications.canaux.sms.webhook import (
    Entetes,
    Falsifie,
    Malforme,
    Perime,
    RappelRefuse,
    signer,
    verifier,
)

NOW = dt.datetime(2026, 11, 25, 10, tzinfo=dt.UTC)
SECRET = "partage"


def rappel(contenu: Any, *, il_y_a_s: int = 0) -> tuple[bytes, dict[str, str]]:
    corps = contenu if isinstance(contenu, bytes) else orjson.dumps(contenu)
    horodatage = str(int(NOW.timestamp()) - il_y_a_s)
    return corps, {"X-Timestamp": horodatage, "X-Signature": signer(corps, horodatage, SECRET)}


def lire(contenu: Any) -> list[Retour | SmsRecu]:
    return verifier(*rappel(contenu), SECRET, NOW, fournisseur="web")


@pytest.mark.parametrize(
    ("accuse", "verdict", "motif"),
    [
        ({"id": "h1", "reference": "e1", "status": "delivered"}, Verdict.LIVRE, "http delivered"),
        (
            {"id": "h1", "reference": "e1", "status": "undelivered", "code": 27},
            Verdict.NON_LIVRE,
            "http undelivered 27",
        ),
        ({"id": "h1", "reference": "e1", "status": "rejected", "code": "E.5"}, Verdict.REFUSE, "http rejected E.5"),
        # Free text of a provider may hold a number.
        (
            {"id": "h1", "reference": "e1", "status": "rejected", "code": "no +33612345678"},
            Verdict.REFUSE,
            "http rejected",
        ),
    ],
)
def test_un_accuse_signe_est_cru(accuse: dict[str, Any], verdict: Verdict, motif: str) -> None:
    assert lire(accuse) == [Retour("web", verdict, motif, NOW, "h1", "e1")]


def test_un_sms_recu_est_lu_avec_les_autres() -> None:
    sms = {"id": "r1", "from": "+33612345678", "text": "OUI 😀", "at": "2026-11-25T10:59:00+01:00"}
    attendu = SmsRecu("web", "r1", "+33612345678", "OUI 😀", dt.datetime(2026, 11, 25, 9, 59, tzinfo=dt.UTC))
    accuse = {"id": "h1", "status": "delivered"}
    assert lire([sms, accuse, {**sms, "from": "INFO"}, {**accuse, "status": "queued"}]) == [
        attendu,
        Retour("web", Verdict.LIVRE, "http delivered", NOW, "h1"),
    ]
    assert lire({**sms, "text": ""}) == [SmsRecu("web", "r1", "+33612345678", "", attendu.at)]


def test_le_meme_rappel_deux_fois_dit_deux_fois_la_meme_chose() -> None:
    accuse = {"id": "h1", "status": "delivered"}
    assert lire(accuse) == lire(accuse)


def test_une_signature_fausse_ou_absente_n_est_pas_crue() -> None:
    corps, entetes = rappel({"id": "h1", "status": "delivered"})
    autre = str(int(entetes["X-Timestamp"]) + 1)
    for faux in (
        {},
        {"X-Timestamp": entetes["X-Timestamp"]},
        {"X-Signature": entetes["X-Signature"]},
        {**entetes, "X-Signature": "0" * 64},
        {**entetes, "X-Signature": "é"},
        {**entetes, "X-Timestamp": autre},
        {**entetes, "X-Timestamp": "demain"},
        {**entetes, "X-Timestamp": "²"},
    ):
        with pytest.raises(Falsifie):
            verifier(corps, faux, SECRET, NOW, fournisseur="web")
    with pytest.raises(Falsifie):
        verifier(corps + b" ", entetes, SECRET, NOW, fournisseur="web")
    with pytest.raises(Falsifie):
        verifier(corps, entetes, "autre", NOW, fournisseur="web")


@pytest.mark.parametrize("il_y_a_s", [301, -301])
def test_un_rappel_rejoue_est_refuse(il_y_a_s: int) -> None:
    corps, entetes = rappel({"id": "h1", "status": "delivered"}, il_y_a_s=il_y_a_s)
    with pytest.raises(Perime):
        verifier(corps, entetes, SECRET, NOW, fournisseur="web")


@pytest.mark.parametrize("il_y_a_s", [300, -300])
def test_cinq_minutes_sont_admises(il_y_a_s: int) -> None:
    corps, entetes = rappel({"id": "h1", "status": "delivered"}, il_y_a_s=il_y_a_s)
    assert verifier(corps, entetes, SECRET, NOW, fournisseur="web")


@pytest.mark.parametrize(
    "contenu",
    [
        b"",
        b"pas du json",
        b"\xff",
        b"null",
        b"[" * 10_000,
        {},
        {"id": "h1", "status": "perdu"},
        {"status": "delivered"},
        {"id": "", "status": "delivered"},
        {"id": "h1", "status": "delivered", "reference": "r" * 500},
        {"id": "r1", "from": "+33612345678", "text": "OUI", "at": "2026-11-25T10:59:00"},
        {"id": "r1", "from": "+33612345678", "text": "a" * 20_000, "at": "2026-11-25T10:59:00Z"},
        [{"id": "h1", "status": "delivered"}] * 1_001,
    ],
)
def test_ce_qui_n_a_pas_le_format_est_refuse(contenu: Any) -> None:
    with pytest.raises(Malforme):
        lire(contenu)


def test_les_entetes_se_choisissent_et_leur_casse_est_libre() -> None:
    corps, entetes = rappel({"id": "h1", "status": "delivered"})
    autres = {"webhook-SIGNATURE": "sha256=" + entetes["X-Signature"].upper(), "webhook-time": entetes["X-Timestamp"]}
    noms = Entetes("Webhook-Signature", "Webhook-Time")
    assert verifier(corps, autres, SECRET, NOW, fournisseur="web", noms=noms)


def test_sans_secret_rien_n_est_verifiable() -> None:
    with pytest.raises(ValueError, match="secret"):
        verifier(*rappel({}), "", NOW, fournisseur="web")


@given(st.binary(max_size=80), st.text(max_size=20), st.text(max_size=80))
def test_aucun_rappel_ne_fait_tomber_la_verification(corps: bytes, horodatage: str, signature: str) -> None:
    with pytest.raises(RappelRefuse):
        verifier(corps, {"X-Timestamp": horodatage, "X-Signature": signature}, SECRET, NOW, fournisseur="web")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_aucun_contenu_signe_ne_fait_tomber_la_lecture(valeur: Any) -> None:
    for contenu in (
        valeur,
        {"id": valeur, "status": valeur},
        {"id": "r", "from": valeur, "text": valeur, "at": valeur},
    ):
        try:
            corps = orjson.dumps(contenu)
        except (TypeError, orjson.JSONEncodeError):
            continue
        try:
            lire(corps)
        except Malforme:
            continue
