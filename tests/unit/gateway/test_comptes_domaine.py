"""Addresses, hashes, codes, consents, erasure."""

import datetime as dt

import pytest

from contracts.comptes import EtatCompte
from contracts.notifications import Canal
from gateway.domain import (
    AdresseInvalide,
    CompteConnu,
    code_depuis,
    consentir,
    effacer,
    empreinte,
    hash_code,
    lire_code,
    normaliser,
)

NOW = dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)


def compte() -> CompteConnu:
    return CompteConnu("c1", "e" * 64, cree_at=NOW, roles=frozenset({"moderateur"}), verifie_at=NOW)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (" Prenom.Nom@Exemple.FR ", "prenom.nom@exemple.fr"),
        ("a+b@exemple.fr", "a+b@exemple.fr"),
        ("asso@école.fr", "asso@xn--cole-9oa.fr"),
    ],
)
def test_one_person_one_address(typed: str, expected: str) -> None:
    assert normaliser(typed) == expected


@pytest.mark.parametrize("typed", ["", "a", "a@", "@b.fr", "a b@c.fr", "a@b.fr\r\nBcc: x@y.fr", "é@exemple.fr"])
def test_bad_addresses_are_refused_in_french(typed: str) -> None:
    with pytest.raises(AdresseInvalide, match="adresse e-mail"):
        normaliser(typed)


def test_hashes_need_their_key_and_their_address() -> None:
    assert empreinte(b"k1", "a@b.fr") != empreinte(b"k2", "a@b.fr")
    assert hash_code(b"k1", "e1", "123456") != hash_code(b"k1", "e2", "123456")
    assert "a@b.fr" not in empreinte(b"k1", "a@b.fr")


def test_codes_have_six_digits_however_they_are_typed() -> None:
    assert code_depuis(7) == "000007"
    assert lire_code(" 123 456\N{NO-BREAK SPACE}") == "123456"
    assert lire_code("１２３") == ""


def test_consent_is_kept_with_its_proof_and_given_once() -> None:
    given = consentir(compte(), Canal.EMAIL, "abonnement", NOW)
    (consent,) = given.consentements
    assert (consent.accorde, consent.preuve, consent.at, given.version) == (True, "abonnement", NOW, 2)
    assert consentir(given, Canal.EMAIL, "autre", NOW) is given


def test_erasure_leaves_an_id_without_a_person() -> None:
    left = effacer(consentir(compte(), Canal.EMAIL, "x", NOW))
    assert (left.compte_id, left.empreinte, left.roles, left.consentements) == ("c1", None, frozenset(), ())
    assert (left.etat, left.version, left.public().etat) == (EtatCompte.EFFACE, 3, EtatCompte.EFFACE)
