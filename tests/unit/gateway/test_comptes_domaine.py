"""Addresses, hashes, codes, consents, erasure."""

import datetime as dt

import pytest

from contracts.comptes import EtatCompte
from contracts.notifications import Canal
from gateway.domain import (
    CompteConnu,
    accordes,
    code_depuis,
    consentir,
    effacer,
    empreinte,
    hash_code,
    lire_code,
    retirer,
    revenir,
)
from kit.addresses import normalize

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
def test_une_personne_a_une_seule_adresse(typed: str, expected: str) -> None:
    assert normalize(typed) == expected


@pytest.mark.parametrize(
    "typed",
    [
        "x" * 65 + "@example.org",
        "a@" + "b" * 250 + ".fr",
        "",
        "a",
        "a@",
        "@b.fr",
        "a b@c.fr",
        "a@b.fr\r\nBcc: x@y.fr",
        "é@exemple.fr",
    ],
)
def test_une_mauvaise_adresse_est_refusee_en_francais(typed: str) -> None:
    with pytest.raises(ValueError, match="adresse e-mail"):
        normalize(typed)


def test_une_empreinte_depend_de_sa_cle_et_de_l_adresse() -> None:
    assert empreinte(b"k1", "a@b.fr") != empreinte(b"k2", "a@b.fr")
    assert hash_code(b"k1", "e1", "123456") != hash_code(b"k1", "e2", "123456")
    assert "a@b.fr" not in empreinte(b"k1", "a@b.fr")


def test_un_code_a_six_chiffres_quelle_que_soit_sa_saisie() -> None:
    assert code_depuis(3_000_007, 6) == "000007"
    assert lire_code(" 123 456\N{NO-BREAK SPACE}") == "123456"
    assert lire_code("１２３") == ""


def test_un_consentement_est_garde_avec_sa_preuve_et_donne_une_fois() -> None:
    given = consentir(compte(), Canal.EMAIL, "abonnement", NOW)
    (consent,) = given.consentements
    assert (consent.accorde, consent.preuve, consent.at, given.version) == (True, "abonnement", NOW, 2)
    assert consentir(given, Canal.EMAIL, "autre", NOW) is given


def test_le_dernier_mot_compte_et_le_retrait_est_garde_avec_sa_preuve() -> None:
    given = consentir(compte(), Canal.SMS, "code reçu par SMS", NOW)
    later = NOW + dt.timedelta(days=1)
    left = retirer(given, Canal.SMS, "préférences d’alerte", later)
    (word,) = left.consentements
    assert (word.accorde, word.preuve, word.at, left.version) == (False, "préférences d’alerte", later, 3)
    assert accordes(left) == frozenset()
    assert retirer(left, Canal.SMS, "autre", later) is left
    assert retirer(left, Canal.EMAIL, "autre", later) is left
    assert accordes(consentir(left, Canal.SMS, "encore", later)) == {Canal.SMS}


def test_un_accord_renouvele_a_une_nouvelle_date() -> None:
    given = consentir(compte(), Canal.SMS, "code", NOW)
    later = NOW + dt.timedelta(days=1)
    again = consentir(given, Canal.SMS, "préférences", later, renouveler=True)
    assert [(c.preuve, c.at) for c in again.consentements] == [("préférences", later)]


def test_un_accord_repris_laisse_ce_qui_etait_avant_sauf_si_un_autre_mot_est_venu() -> None:
    before = retirer(consentir(compte(), Canal.EMAIL, "a", NOW), Canal.EMAIL, "b", NOW)
    after = consentir(before, Canal.EMAIL, "c", NOW)
    (earlier,), (given,) = before.consentements, after.consentements
    assert revenir(after, given, earlier).consentements == before.consentements
    assert revenir(after, given, None).consentements == ()
    renewed = consentir(after, Canal.EMAIL, "d", NOW, renouveler=True)
    assert revenir(renewed, given, earlier) is renewed


def test_l_effacement_laisse_un_identifiant_sans_personne() -> None:
    left = effacer(consentir(compte(), Canal.EMAIL, "x", NOW))
    assert (left.compte_id, left.empreinte, left.roles, left.consentements) == ("c1", None, frozenset(), ())
    assert (left.etat, left.version, left.public().etat) == (EtatCompte.EFFACE, 3, EtatCompte.EFFACE)
