"""Many spellings of a public URL are one reading; what the answer depends on makes another one."""

import random
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import references
from gateway.public_reads import lecture

LISTE = "/v1/annonces"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "page=1",
        "page=0001&taille=20",
        "page=%201",
        "sens=&nature=&q=&lat=",
        "page=3&page=1",
        "utm_source=lettre&utm_campaign=%C3%A9t%C3%A9&fbclid=abc&GCLID=1&mc_cid=2",
        "tri=recent",
        "&&page=1&",
    ],
)
def test_ce_qui_ne_change_rien_ne_compte_pas(query: str) -> None:
    found = lecture(LISTE, query)
    assert (found.key, found.kept) == (f"{LISTE}?", True)


def test_l_ordre_et_l_ecriture_ne_comptent_pas() -> None:
    one = lecture(LISTE, "urgent=true&sens=besoin&page=2")
    for other in (
        "page=02&sens=besoin&urgent=TRUE",
        "sens=offre&urgent=1&page=2&sens=besoin",
        "urgent=on&sens=besoin&page=2&x=",
    ):
        assert lecture(LISTE, other) == one
    assert one.query == "page=2&sens=besoin&urgent=true"


@pytest.mark.parametrize("path", ["/v1/annonces/a1", "/v1/associations/s1"])
def test_une_fiche_ne_depend_d_aucun_parametre(path: str) -> None:
    assert lecture(path, "utm_source=x&page=7&n=123") == lecture(path, "")
    assert lecture("/v1/annonces/õ ?#", "").path == "/v1/annonces/%C3%B5%20%3F%23"


@pytest.mark.parametrize(
    "query",
    [
        "q=velo",
        "lat=50.6&lon=3",
        "page=51",
        "page=0",
        "page=²",
        "page=1.0",
        "taille=101",
        "sens=autre",
        "quartier=Fives",
        "quartier=inconnu",
        "urgent=peut-etre",
        "tri=distance",
        "inconnu=1",
        "a=1&" * 60,
    ],
)
def test_ce_qui_n_a_pas_peu_de_valeurs_n_est_pas_garde_et_arrive_au_service(query: str) -> None:
    found = lecture(LISTE, query)
    assert not found.kept
    assert set(parse_qsl(found.query)) == set(parse_qsl(query))


CHOIX = st.fixed_dictionaries(
    {},
    optional={
        "sens": st.sampled_from(["besoin", "offre"]),
        "quartier": st.sampled_from(list(references.quartiers())),
        "urgent": st.sampled_from(["true", "false"]),
        "page": st.integers(2, 50).map(str),
        "taille": st.integers(1, 19).map(str),
    },
)


@given(CHOIX, CHOIX, st.randoms())
def test_deux_recherches_ont_la_meme_cle_si_et_seulement_si_elles_sont_la_meme(
    one: dict[str, str], other: dict[str, str], chance: random.Random
) -> None:
    assert (lecture(LISTE, epeler(one, chance)).key == lecture(LISTE, epeler(other, chance)).key) == (one == other)
    assert dict(parse_qsl(lecture(LISTE, epeler(one, chance)).query)) == one


def epeler(chosen: dict[str, str], chance: random.Random) -> str:
    """One of the many spellings of a search."""
    pairs = [(name, value) for name, value in chosen.items() for _ in range(chance.randint(1, 3))]
    pairs += [(name, "") for name in ("q", "nature", "lat") if chance.random() < 0.5]
    pairs += [(f"utm_{chance.randint(0, 10**9)}", quote(str(chance.random()))) for _ in range(chance.randint(0, 2))]
    chance.shuffle(pairs)
    spelt = [(n, v.zfill(chance.randint(1, 9)) if n in ("page", "taille") and v else v) for n, v in pairs]
    return urlencode(spelt)


def test_dix_mille_ecritures_sont_une_lecture() -> None:
    chance = random.Random(1)
    chosen = {"sens": "besoin", "page": "2", "taille": "10"}
    spelt = {epeler(chosen, chance) for _ in range(11_000)}
    assert len(spelt) > 10_000
    assert len({lecture(LISTE, query).key for query in spelt}) == 1
