"""What was read is said in If-Match; anything else is refused before it harms."""

import pytest
from pydantic import BaseModel

from kit.http.problems import Problem
from kit.http.versions import etag, respond, stale, version_read


class Thing(BaseModel):
    version: int


class Page(BaseModel):
    total: int


def test_une_version_revient_comme_elle_est_partie() -> None:
    assert version_read(etag(7)) == 7
    assert version_read(' W/"7" ') == 7


@pytest.mark.parametrize("if_match", ["7", '"x"', "*", "", '"-1"', '"12345678901"', '"1", "2"'])
def test_ce_qui_n_a_jamais_ete_de_nous_est_perime(if_match: str) -> None:
    with pytest.raises(Problem) as refused:
        version_read(if_match)
    assert refused.value.status == 412


def test_qui_modifie_dit_ce_qu_il_a_lu() -> None:
    with pytest.raises(Problem) as refused:
        version_read(None)
    assert refused.value.status == 428


def test_une_modification_perimee_apprend_la_version_actuelle() -> None:
    assert stale(3).headers == {"ETag": '"3"'}


def test_une_reponse_porte_sa_version_si_elle_en_a_une() -> None:
    answer = respond(Thing(version=2), 201, location="/v1/choses/c1")
    assert (answer.status_code, answer.headers["etag"], answer.headers["location"]) == (201, '"2"', "/v1/choses/c1")
    assert answer.body == b'{"version":2}'
    assert "etag" not in respond(Page(total=0)).headers
