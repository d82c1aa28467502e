"""The table of handlers agrees with the table of topics."""

from contracts import topics
from contracts.annonces import EvenementReponse
from contracts.evenements import CATALOGUE
from services.notifications.handlers import HANDLERS
from services.notifications.settings import SERVICE


def test_chaque_topic_lu_a_un_handler_et_aucun_autre() -> None:
    assert {event.topic for event in HANDLERS} == {topic.name for topic in topics.read_by(SERVICE)}


def test_quoi_que_devienne_une_reponse_quelqu_un_l_apprend() -> None:
    assert set(HANDLERS) >= set(CATALOGUE[EvenementReponse.topic].values())
