"""One rule for addresses: what the door takes, notifications takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from kit.addresses import normalize
from services.notifications.requetes import Adresse

ADRESSE = TypeAdapter(Adresse)


@pytest.mark.parametrize(
    "address", ["x" * 65 + "@example.org", "a" * 64 + "@" + "b." * 100 + "fr", "a@b", "a@[1.2.3.4]", '"a b"@c.fr']
)
def test_une_adresse_qu_aucun_serveur_ne_prendrait_est_refusee_partout(address: str) -> None:
    for read in (normalize, ADRESSE.validate_python):
        with pytest.raises(ValueError, match=r"adresse e-mail|at most"):
            read(address)


@given(st.emails() | st.from_regex(r"[!-~]{1,70}@[a-z0-9.-]{1,30}\.(fr|org)", fullmatch=True))
def test_ce_que_la_porte_prend_notifications_le_prend_tel_quel(address: str) -> None:
    try:
        normal = normalize(address)
    except ValueError:
        return
    assert ADRESSE.validate_python(normal) == normal
