"""Who may write from where, whose address counts, when it is enough, and where a login may lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.door_rules import (
    Limit,
    client_address,
    connection_owner,
    limit_key,
    local_path,
    login_path,
    may_write,
    networks,
    retry_after,
)

PUBLIC = "https://place.lille.fr"


@pytest.mark.parametrize(
    ("headers", "with_cookie", "without"),
    [
        ({}, False, True),
        ({"sec-fetch-site": "same-origin"}, True, True),
        ({"sec-fetch-site": "none"}, True, True),
        ({"sec-fetch-site": "same-site"}, False, False),
        ({"sec-fetch-site": "cross-site"}, False, False),
        ({"sec-fetch-site": "cross-site", "origin": PUBLIC}, False, False),
        ({"origin": PUBLIC}, True, True),
        ({"origin": "https://PLACE.lille.fr"}, True, True),
        ({"origin": "http://localhost:8000", "host": "localhost:8000"}, True, True),
        ({"origin": "https://place.lille.fr.mechant.fr"}, False, False),
        ({"origin": "https://place.lille.fr:444"}, False, False),
        ({"origin": "null"}, False, False),
    ],
)
def test_une_ecriture_venue_d_un_autre_site_est_refusee(
    headers: dict[str, str], with_cookie: bool, without: bool
) -> None:
    for by_cookie, expected in ((True, with_cookie), (False, without)):
        assert may_write("POST", "/v1/annonces", headers, by_cookie=by_cookie, public_url=PUBLIC) is expected
    assert may_write("GET", "/v1/annonces", headers, by_cookie=True, public_url=PUBLIC)
    assert may_write("POST", "/desabonnement/j", headers, by_cookie=True, public_url=PUBLIC)
    assert may_write("POST", "/v1/rappels/email", headers, by_cookie=True, public_url=PUBLIC)


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("203.0.113.7", "1.2.3.4", "", "203.0.113.7"),
        ("203.0.113.7", "1.2.3.4", "10.0.0.0/8", "203.0.113.7"),
        ("10.0.0.1", "1.2.3.4", "10.0.0.0/8", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", "10.0.0.0/8", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "10.0.0.0/8", "1.2.3.4"),
        ("10.0.0.1", "", "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", "not an address", "10.0.0.0/8", "10.0.0.1"),
        ("::1", "2001:db8::1", "::1, 10.0.0.0/8", "2001:db8::1"),
        ("10.0.0.1", "6.6.6.6,1.2.3.4:4711", "10.0.0.0/8", "1.2.3.4"),
        ("10.0.0.1", "[2001:db8::1]:4711, [2001:db8::2]", "10.0.0.0/8", "2001:db8::2"),
        ("10.0.0.1", "6.6.6.6,,1.2.3.4,", "10.0.0.0/8", "1.2.3.4"),
    ],
)
def test_le_client_est_le_dernier_relais_qu_aucun_mandataire_de_confiance_n_a_ajoute(
    peer: str, forwarded: str, trusted: str, expected: str
) -> None:
    assert client_address(peer, forwarded, networks(trusted)) == expected


def test_un_foyer_ne_compte_que_pour_un() -> None:
    assert limit_key("2001:db8:0:1::1") == limit_key("2001:db8:0:1:ffff::9") != limit_key("2001:db8:0:2::1")
    assert limit_key("::ffff:192.0.2.1") == "192.0.2.1"
    assert limit_key("testclient") == "unknown"


@pytest.mark.parametrize(
    ("count", "used", "left_ms", "expected"),
    [(3, 3, 1000, None), (3, 4, 1001, 2), (3, 4, 0, 1), (3, 4, -1, 1), (0, 10**6, 1000, None)],
)
def test_retry_after_dit_quand_revenir(count: int, used: int, left_ms: int, expected: int | None) -> None:
    assert retry_after(Limit("x", count, 60), used, left_ms) == expected


@pytest.mark.parametrize(
    "target",
    [None, "", "https://mechant.fr", "//mechant.fr", "/\\mechant.fr", "/a\\b", "/a\nb", "javascript:x", "/connexion"],
)
def test_une_connexion_ne_mene_jamais_ailleurs(target: str | None) -> None:
    assert local_path(target) == "/mon-compte"


@given(st.text())
def test_ce_qui_est_accepte_reste_sur_ce_site(target: str) -> None:
    found = local_path(target)
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))


def test_login_path_keeps_where_somebody_was() -> None:
    assert login_path("/annonces", "q=é&page=2") == "/connexion?retour=/annonces%3Fq%3D%C3%A9%26page%3D2"


def test_les_connexions_comptent_pour_un_foyer_et_celles_d_un_mandataire_pour_personne() -> None:
    trusted = networks("10.0.0.0/8")
    assert connection_owner("203.0.113.7", trusted) == "203.0.113.7"
    assert connection_owner("2001:db8::1", trusted) == connection_owner("2001:db8::2", trusted)
    assert connection_owner("10.1.2.3", trusted) is None
