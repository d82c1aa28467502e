"""The table of handlers agrees with the table of topics."""

from contracts import topics
from contracts.annonces import EvenementReponse
from contracts.evenements import CATALOGUE
from services.notifications.handlers import HANDLERS
from services.notifications.settings import SERVICE


def test_a_handler_for_something_of_every_topic_that_we_read_and_of_no_other() -> None:
    assert {event.topic for event in HANDLERS} == {topic.name for topic in topics.read_by(SERVICE)}


def test_whatever_becomes_of_an_answer_somebody_is_told() -> None:
    assert set(HANDLERS) >= set(CATALOGUE[EvenementReponse.topic].values())
