"""What was read is said in If-Match; anything else is refused before it harms."""

import pytest
from pydantic import BaseModel

from kit.problems import Problem
from kit.versions import etag, respond, stale, version_read


class Thing(BaseModel):
    version: int


class Page(BaseModel):
    total: int


def test_a_version_comes_back_as_it_went_out() -> None:
    assert version_read(etag(7)) == 7
    assert version_read(' W/"7" ') == 7


@pytest.mark.parametrize("if_match", ["7", '"x"', "*", "", '"-1"', '"12345678901"', '"1", "2"'])
def test_what_never_was_ours_is_stale(if_match: str) -> None:
    with pytest.raises(Problem) as refused:
        version_read(if_match)
    assert refused.value.status == 412


def test_an_edit_must_say_what_it_read() -> None:
    with pytest.raises(Problem) as refused:
        version_read(None)
    assert refused.value.status == 428


def test_a_stale_edit_learns_the_version_that_is_there() -> None:
    assert stale(3).headers == {"ETag": '"3"'}


def test_an_answer_carries_its_version_where_it_has_one() -> None:
    answer = respond(Thing(version=2), 201, location="/v1/choses/c1")
    assert (answer.status_code, answer.headers["etag"], answer.headers["location"]) == (201, '"2"', "/v1/choses/c1")
    assert answer.body == b'{"version":2}'
    assert "etag" not in respond(Page(total=0)).headers
