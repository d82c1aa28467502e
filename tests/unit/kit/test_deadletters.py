"""What becomes of a message that cannot be processed, and when it is held instead of buried."""

import asyncio
import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from pydantic import BaseModel, ValidationError

from kit.errors import Held, InvalidMessage, RetryLater
from kit.messaging import deadletters
from kit.messaging.breaker import LIMIT, OPEN_FOR, TRIALS, Breaker, State
from kit.messaging.deadletters import (
    DEAD,
    HELD,
    DeadLetters,
    attempts,
    dead_letter_topic,
    due_ms,
    held_topic,
    origin,
    retry_topic,
    to_replay,
)
from kit.messaging.events import Message, Record


class Sent:
    """Stands where a Producer does."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.error: Exception | None = None

    async def publish(self, messages: Sequence[Message]) -> None:
        if self.error is not None:
            raise self.error
        self.messages += messages


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(headers: dict[str, str] | None = None, topic: str = "kit.essai.v1") -> Record:
    return Record(topic, 3, 42, b"cle", b"\xff not json", headers or {"ce_id": "e1"}, 0)


class Clock:
    def __init__(self, seconds: Seconds) -> None:
        self._seconds = seconds

    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self._seconds.now, dt.UTC)


class Memory:
    """States of the breaker, where a database does not forget them."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}

    async def load(self) -> dict[str, State]:
        return dict(self.states)

    async def replace(self, topic: str, state: State) -> bool:
        self.states[topic] = replace(state, revision=state.revision + 1)
        return True


def letters(sent: Sent, seconds: Seconds, memory: Memory | None = None) -> DeadLetters:
    breaker = Breaker(memory or Memory(), Clock(seconds), "lecteur")
    return DeadLetters(sent, "lecteur", breaker, monotonic=seconds)  # type: ignore[arg-type]  # a fake producer


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


async def test_une_lettre_morte_garde_ses_octets_et_dit_d_ou_elle_vient_et_pourquoi(
    sent: Sent, seconds: Seconds
) -> None:
    await letters(sent, seconds).bury([(record(), InvalidMessage("unknown event type"))])
    [message] = sent.messages
    assert message.topic == dead_letter_topic("kit.essai.v1", "lecteur") == "kit.essai.v1.lecteur.dlq"
    assert (message.key, message.value) == (b"cle", b"\xff not json")
    assert message.headers["ce_id"] == "e1"
    assert message.headers[deadletters.ORIGIN_TOPIC] == "kit.essai.v1"
    assert message.headers[deadletters.ORIGIN_PARTITION] == "3"
    assert message.headers[deadletters.ORIGIN_OFFSET] == "42"
    assert message.headers[deadletters.REASON] == "unknown event type"
    assert message.headers[deadletters.ERROR_TYPE] == "InvalidMessage"
    assert "InvalidMessage" in message.headers[deadletters.STACK]


class Adresse(BaseModel):
    numero: int


async def test_une_raison_ne_repete_pas_ce_qui_a_ete_lu(sent: Sent, seconds: Seconds) -> None:
    with pytest.raises(ValidationError) as caught:
        Adresse.model_validate({"numero": "06 12 34 56 78"})
    await letters(sent, seconds).bury([(record(), caught.value)])
    assert sent.messages[0].headers[deadletters.REASON].startswith("numero: ")
    assert "06 12" not in sent.messages[0].headers[deadletters.REASON]


async def test_un_nouvel_essai_attend_toujours_plus_puis_finit_en_lettre_morte(sent: Sent, seconds: Seconds) -> None:
    dead_letters = letters(sent, seconds)
    current = record()
    waits = []
    for attempt in range(1, len(deadletters.RETRY_DELAYS_S) + 1):
        before = time.time() * 1000
        await dead_letters.retry_or_bury(current, RetryLater("not there yet"))
        message = sent.messages[-1]
        assert message.topic == retry_topic("kit.essai.v1", "lecteur")
        waits.append(int(message.headers[deadletters.DUE_MS]) - before)
        current = record(dict(message.headers), message.topic)
        assert attempts(current) == attempt
        assert origin(current) == "kit.essai.v1"
    assert waits == sorted(waits)
    await dead_letters.retry_or_bury(current, RetryLater("not there yet"))
    assert sent.messages[-1].topic == dead_letter_topic("kit.essai.v1", "lecteur")
    assert sent.messages[-1].headers[deadletters.ORIGIN_OFFSET] == "42"


def test_un_nombre_d_essais_illisible_compte_pour_zero() -> None:
    assert attempts(record({deadletters.ATTEMPT: "beaucoup"})) == 0


@pytest.mark.parametrize("text", ["²", "-1", "9" * 5000, ""])
def test_des_en_tetes_qui_ne_sont_pas_nos_nombres_ne_retardent_rien(text: str) -> None:
    retried = record({deadletters.ATTEMPT: text, deadletters.DUE_MS: text}, retry_topic("kit.essai.v1", "lecteur"))
    assert attempts(retried) == 0
    assert due_ms(retried) == 0


def test_rien_n_attend_plus_que_le_plus_long_delai() -> None:
    retried = record({deadletters.DUE_MS: str(10**14)}, retry_topic("kit.essai.v1", "lecteur"))
    assert due_ms(retried) == retried.timestamp_ms + deadletters.RETRY_DELAYS_S[-1] * 1000


async def test_des_en_tetes_contrefaits_n_egarent_aucun_message(sent: Sent, seconds: Seconds) -> None:
    forged = {"ce_id": "e1", deadletters.ORIGIN_TOPIC: "nowhere", deadletters.ATTEMPT: "3"}
    await letters(sent, seconds).retry_or_bury(record(forged), RetryLater("later"))
    assert sent.messages[0].topic == retry_topic("kit.essai.v1", "lecteur")
    assert sent.messages[0].headers[deadletters.ATTEMPT] == "1"
    assert sent.messages[0].headers[deadletters.ORIGIN_TOPIC] == "kit.essai.v1"


async def test_sans_nos_en_tetes_un_message_a_reessayer_est_enterre_sous_le_nom_de_son_topic(
    sent: Sent, seconds: Seconds
) -> None:
    await letters(sent, seconds).bury([(record({}, retry_topic("kit.essai.v1", "lecteur")), InvalidMessage("no"))])
    assert sent.messages[0].topic == dead_letter_topic("kit.essai.v1", "lecteur")


HELD_TOPIC = held_topic("kit.essai.v1", "lecteur")


async def buried(dead_letters: DeadLetters, number: int, of: Record | None = None) -> list[str]:
    return await dead_letters.bury([(of or record(), InvalidMessage("no"))] * number)


async def test_un_flot_de_messages_illisibles_est_retenu_et_non_enterre(sent: Sent, seconds: Seconds) -> None:
    outcomes = await buried(letters(sent, seconds), 3000)
    assert outcomes == [DEAD] * LIMIT + [HELD] * (3000 - LIMIT)
    topics = [message.topic for message in sent.messages]
    assert topics == ["kit.essai.v1.lecteur.dlq"] * LIMIT + [HELD_TOPIC] * (3000 - LIMIT)
    assert sent.messages[-1].value == b"\xff not json"


async def test_un_redemarrage_n_en_enterre_pas_davantage(sent: Sent, seconds: Seconds) -> None:
    memory = Memory()
    for _ in range(5):
        await buried(letters(sent, seconds, memory), 200)
    assert sum(message.topic.endswith(".dlq") for message in sent.messages) == LIMIT


async def test_ce_qui_est_retenu_attend_puis_est_essaye_par_petits_nombres(sent: Sent, seconds: Seconds) -> None:
    dead_letters = letters(sent, seconds)
    await buried(dead_letters, LIMIT + 1)
    held = record({"ce_id": "e1"}, HELD_TOPIC)
    assert await dead_letters.pause_s(held) > 0
    with pytest.raises(Held):
        await buried(dead_letters, 1, held)
    seconds.now += OPEN_FOR.total_seconds()
    assert await dead_letters.pause_s(held) == 0
    assert await buried(dead_letters, TRIALS, held) == [DEAD] * TRIALS
    with pytest.raises(Held):
        await buried(dead_letters, 1, held)
    assert await dead_letters.pause_s(held) > 0


async def test_des_lettres_mortes_eparses_ne_retiennent_rien(sent: Sent, seconds: Seconds) -> None:
    dead_letters = letters(sent, seconds)
    for _ in range(5 * LIMIT):
        seconds.now += 1
        assert await buried(dead_letters, 1) == [DEAD]


async def test_autant_de_succes_que_de_lettres_mortes_ne_retiennent_rien(sent: Sent, seconds: Seconds) -> None:
    dead_letters = letters(sent, seconds)
    for _ in range(3 * LIMIT):
        dead_letters.succeeded("kit.essai.v1")
    assert await buried(dead_letters, 3 * LIMIT) == [DEAD] * 3 * LIMIT
    assert await buried(dead_letters, 1) == [HELD]


async def test_un_topic_malade_n_en_retient_pas_un_autre(sent: Sent, seconds: Seconds) -> None:
    dead_letters = letters(sent, seconds)
    await buried(dead_letters, LIMIT + 1)
    assert await buried(dead_letters, 1, record(topic="kit.autre.v1")) == [DEAD]


async def test_une_lettre_morte_n_est_comptee_qu_une_fois_meme_si_kafka_est_absent(
    sent: Sent, seconds: Seconds
) -> None:
    memory = Memory()
    sent.error = ConnectionError("away")
    waiting = asyncio.create_task(buried(letters(sent, seconds, memory), 1))
    for _ in range(20):
        await asyncio.sleep(0)
    sent.error = None
    assert await waiting == [DEAD]
    assert memory.states["kit.essai.v1"].buried == 1
    assert len(sent.messages) == 1


async def test_une_lettre_morte_rejouee_est_ce_qu_elle_etait(sent: Sent, seconds: Seconds) -> None:
    dead_letters = letters(sent, seconds)
    first = record({"ce_id": "e1", "traceparent": "00-1-2-01"})
    await dead_letters.retry_or_bury(first, RetryLater("later"))
    retried = record(dict(sent.messages[-1].headers), sent.messages[-1].topic)
    await dead_letters.bury([(retried, InvalidMessage("no"))])
    buried = record(dict(sent.messages[-1].headers), sent.messages[-1].topic)
    replayed = to_replay(buried)
    assert replayed == Message("kit.essai.v1", first.key, first.value, first.headers)
