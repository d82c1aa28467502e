"""Callbacks of providers: only what they signed, with our secret, just now."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.canaux.callback_signature import Falsifie, Malforme, Perime, RappelRefuse, signer, verifier

NOW = dt.datetime(2026, 11, 25, 10, tzinfo=dt.UTC)
ICI = int(NOW.timestamp())
SECRET = "partagé"
CORPS = b'[{"id": "h1", "status": "delivered"}]'


def entetes(corps: bytes = CORPS, ecart_s: int = 0, secret: str = SECRET) -> dict[str, str]:
    horodatage = str(ICI + ecart_s)
    return {"X-Horodatage": horodatage, "X-Signature": signer(corps, horodatage, secret)}


def test_la_signature_est_celle_que_les_fournisseurs_calculent_deja() -> None:
    """Written down once, so that no change of ours can refuse a provider that is set up today.

    printf '%s' '1764064800.[]' | openssl dgst -sha256 -hmac secret
    """
    connue = "9c21dc74f1c3e4af6ed7303408cbe8d1b35090f778245681ce94d6e8a8479020"
    assert signer(b"[]", "1764064800", "secret") == connue


def test_un_rappel_signe_est_cru_quelle_que_soit_la_casse() -> None:
    bons = entetes()
    verifier(CORPS, bons, SECRET, NOW)
    verifier(CORPS, {nom.lower(): f" {valeur} " for nom, valeur in bons.items()}, SECRET, NOW)
    verifier(CORPS, {**bons, "X-Signature": "sha256=" + bons["X-Signature"].upper()}, SECRET, NOW)


def test_un_horodatage_est_signe_tel_qu_il_est_ecrit() -> None:
    horodatage = f"0{ICI}"
    verifier(CORPS, {"X-Horodatage": horodatage, "X-Signature": signer(CORPS, horodatage, SECRET)}, SECRET, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"X-Signature": "", "X-Horodatage": ""},
        {"X-Signature": ""},
        {"X-Horodatage": ""},
        {"X-Signature": "0" * 64},
        {"X-Signature": "é"},
        {"X-Signature": entetes(secret="autre")["X-Signature"]},
        {"X-Signature": entetes(CORPS + b" ")["X-Signature"]},
        {"X-Horodatage": str(ICI + 1)},
        {"X-Horodatage": "demain"},
        {"X-Horodatage": "²"},
        {"X-Horodatage": "٣"},
        {"X-Horodatage": "1" * 13},
    ],
)
def test_un_rappel_contrefait_n_est_pas_cru(changes: dict[str, str]) -> None:
    with pytest.raises(Falsifie):
        verifier(CORPS, {**entetes(), **changes}, SECRET, NOW)


def test_sans_secret_aucun_rappel_n_est_cru() -> None:
    with pytest.raises(Falsifie, match="no secret"):
        verifier(CORPS, entetes(secret=""), "", NOW)


@pytest.mark.parametrize("ecart_s", [301, -301, -86_400])
def test_un_rappel_rejoue_est_refuse(ecart_s: int) -> None:
    with pytest.raises(Perime):
        verifier(CORPS, entetes(ecart_s=ecart_s), SECRET, NOW)


@pytest.mark.parametrize("ecart_s", [300, -300])
def test_cinq_minutes_sont_admises(ecart_s: int) -> None:
    verifier(CORPS, entetes(ecart_s=ecart_s), SECRET, NOW)


def test_un_contrefacteur_n_apprend_rien_de_notre_horloge() -> None:
    with pytest.raises(Falsifie):
        verifier(CORPS, entetes(ecart_s=-301, secret="autre"), SECRET, NOW)


def test_un_corps_trop_grand_est_refuse_avant_d_etre_lu() -> None:
    juste, trop = b" " * (1 << 20), b" " * ((1 << 20) + 1)
    verifier(juste, entetes(juste), SECRET, NOW)
    with pytest.raises(Malforme):
        verifier(trop, entetes(trop), SECRET, NOW)


@given(st.binary(max_size=80), st.text(max_size=20), st.text(max_size=80))
def test_aucun_rappel_ne_fait_tomber_la_verification(corps: bytes, horodatage: str, signature: str) -> None:
    with pytest.raises(RappelRefuse):
        verifier(corps, {"X-Horodatage": horodatage, "X-Signature": signature}, SECRET, NOW)
