"""CloudEvents on Kafka: what is written can be read, and what cannot be read says why."""

import datetime as dt
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, ConfigDict, ValidationError

from kit.errors import InvalidMessage, RetryLater, is_outage, is_poison
from kit.messaging.events import Record, decode, encode, headers_of
from tests.faits import Fait

TOPIC = "kit.essai.v1"
AT = dt.datetime(2027, 3, 13, 9, 30, tzinfo=dt.UTC)


class Essai(Fait):
    model_config = ConfigDict(frozen=True)

    topic: ClassVar[str] = TOPIC
    texte: str
    nombre: int
    a: AwareDatetime
    suite: list["Essai"] = []


CATALOGUE = {TOPIC: {"Essai": Essai}}
# UTF-8 has no lone surrogates; Python's text has.
texts = st.text(st.characters(exclude_categories=["Cs"]))
instants = st.integers(0, 32_000_000_000_000).map(lambda ms: AT + dt.timedelta(milliseconds=ms))


def essais(suite: st.SearchStrategy[list[Essai]]) -> st.SearchStrategy[Essai]:
    return st.builds(Essai, id=texts, texte=texts, nombre=st.integers(), a=instants, suite=suite)


def received(message: Any) -> Record:
    raw = [(name, value.encode()) for name, value in message.headers.items()]
    return Record(message.topic, 0, 7, message.key, message.value, headers_of(raw), 0)


@given(event=essais(st.lists(essais(st.just([])), max_size=3)), event_id=st.text("abc-", min_size=1, max_size=128))
def test_ce_qui_est_ecrit_se_lit_en_entier(event: Essai, event_id: str) -> None:
    message = encode(event, event_id=event_id, source="essais", at=AT)
    found = decode(received(message), TOPIC, CATALOGUE)
    assert (found.id, found.event) == (event_id, event)
    assert message.key == event.key.encode()


def test_les_en_tetes_sont_ceux_d_un_cloudevent() -> None:
    event = Essai(id="e-1", texte="", nombre=1, a=AT)
    message = encode(event, event_id="abc", source="essais", at=AT)
    assert message.headers == {
        "ce_specversion": "1.0",
        "ce_id": "abc",
        "ce_type": "Essai",
        "ce_source": "/essais",
        "ce_subject": "e-1",
        "ce_time": "2027-03-13T09:30:00+00:00",
        "content-type": "application/json",
    }


HEADERS = {"ce_id": "abc", "ce_type": "Essai"}
BODY = b'{"id": "e", "texte": "t", "nombre": 1, "a": "2027-03-13T09:30:00Z"}'


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        ({}, BODY, "not a CloudEvent"),
        ({"ce_type": "Essai"}, BODY, "not a CloudEvent"),
        ({"ce_id": "abc"}, BODY, "not a CloudEvent"),
        ({**HEADERS, "ce_id": "a" * 129}, BODY, "more than 128"),
        ({**HEADERS, "ce_type": "Autre"}, BODY, "unknown event type 'Autre'"),
        (HEADERS, None, "the body is empty"),
        (HEADERS, b"", "Invalid JSON"),
        (HEADERS, b"\xff\xfe", "Invalid JSON"),
        (HEADERS, b"[]", "Input should be an object"),
        (HEADERS, b"[" * 5000, "Invalid JSON"),
        (HEADERS, BODY.replace(b"1", b'"un"', 1), "nombre"),
        (HEADERS, BODY.replace(b"Z", b""), "timezone"),
    ],
)
def test_ce_qui_est_illisible_l_est_avec_sa_raison(headers: dict[str, str], body: bytes | None, said: str) -> None:
    with pytest.raises((InvalidMessage, ValidationError), match=said) as caught:
        decode(Record(TOPIC, 0, 0, None, body, headers, 0), TOPIC, CATALOGUE)
    assert is_poison(caught.value)
    assert not is_outage(caught.value)


@given(headers=st.dictionaries(st.sampled_from(["ce_id", "ce_type", "x"]), texts), body=st.none() | st.binary())
def test_aucun_octet_ne_fait_echouer_la_lecture_autrement(headers: dict[str, str], body: bytes | None) -> None:
    with pytest.raises((InvalidMessage, ValidationError)):
        decode(Record(TOPIC, 0, 0, None, body, headers, 0), TOPIC, CATALOGUE)


def test_un_evenement_d_un_autre_topic_est_inconnu_ici() -> None:
    with pytest.raises(InvalidMessage, match=r"on autre\.topic\.v1"):
        decode(Record("autre.topic.v1", 0, 0, None, BODY, HEADERS, 0), "autre.topic.v1", CATALOGUE)


def test_les_champs_qu_un_lecteur_ne_connait_pas_sont_laisses() -> None:
    body = BODY.replace(b"{", b'{"nouveau": {"a": [1]}, ', 1)
    assert decode(Record(TOPIC, 0, 0, None, body, HEADERS, 0), TOPIC, CATALOGUE).event.texte == "t"


@given(st.binary())
def test_un_en_tete_est_du_texte_quels_que_soient_ses_octets(raw: bytes) -> None:
    assert isinstance(headers_of([("x", raw)])["x"], str)


@pytest.mark.parametrize(
    ("error", "outage", "poison"),
    [
        (ConnectionRefusedError(), True, False),
        (TimeoutError(), True, False),
        (RetryLater("no"), False, False),
        (InvalidMessage("no"), False, True),
        (ZeroDivisionError(), False, False),
    ],
)
def test_chaque_erreur_a_un_seul_sort(error: Exception, outage: bool, poison: bool) -> None:
    assert (is_outage(error), is_poison(error)) == (outage, poison)
