"""What becomes of a message that cannot be processed, and when a consumer must stop instead of burying."""

import time
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from kit import deadletters
from kit.deadletters import DeadLetters, attempts, dead_letter_topic, due_ms, origin, retry_topic, to_replay
from kit.errors import InvalidMessage, RetryLater, Stop
from kit.events import Message, Record


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


def letters(sent: Sent, seconds: Seconds, **more: Any) -> DeadLetters:
    return DeadLetters(sent, "lecteur", monotonic=seconds, **more)  # type: ignore[arg-type]  # a fake producer


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


async def test_a_dead_letter_keeps_the_raw_bytes_and_tells_where_it_came_from_and_why(
    sent: Sent, seconds: Seconds
) -> None:
    await letters(sent, seconds).bury(record(), InvalidMessage("unknown event type"))
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


async def test_a_reason_does_not_repeat_what_was_read(sent: Sent, seconds: Seconds) -> None:
    with pytest.raises(ValidationError) as caught:
        Adresse.model_validate({"numero": "06 12 34 56 78"})
    await letters(sent, seconds).bury(record(), caught.value)
    assert sent.messages[0].headers[deadletters.REASON].startswith("numero: ")
    assert "06 12" not in sent.messages[0].headers[deadletters.REASON]


async def test_a_retry_waits_longer_each_time_then_dies(sent: Sent, seconds: Seconds) -> None:
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


def test_a_count_of_attempts_that_is_no_number_counts_as_none() -> None:
    assert attempts(record({deadletters.ATTEMPT: "beaucoup"})) == 0


@pytest.mark.parametrize("text", ["²", "-1", "9" * 5000, ""])
def test_headers_that_are_no_numbers_of_ours_neither_raise_nor_delay(text: str) -> None:
    retried = record({deadletters.ATTEMPT: text, deadletters.DUE_MS: text}, retry_topic("kit.essai.v1", "lecteur"))
    assert attempts(retried) == 0
    assert due_ms(retried) == 0


def test_nothing_waits_longer_than_the_longest_delay() -> None:
    retried = record({deadletters.DUE_MS: str(10**14)}, retry_topic("kit.essai.v1", "lecteur"))
    assert due_ms(retried) == retried.timestamp_ms + deadletters.RETRY_DELAYS_S[-1] * 1000


async def test_forged_headers_do_not_lead_a_message_astray(sent: Sent, seconds: Seconds) -> None:
    forged = {"ce_id": "e1", deadletters.ORIGIN_TOPIC: "nowhere", deadletters.ATTEMPT: "3"}
    await letters(sent, seconds).retry_or_bury(record(forged), RetryLater("later"))
    assert sent.messages[0].topic == retry_topic("kit.essai.v1", "lecteur")
    assert sent.messages[0].headers[deadletters.ATTEMPT] == "1"
    assert sent.messages[0].headers[deadletters.ORIGIN_TOPIC] == "kit.essai.v1"


async def test_what_lies_on_a_retry_topic_without_our_headers_is_buried_as_its_name_says(
    sent: Sent, seconds: Seconds
) -> None:
    await letters(sent, seconds).bury(record({}, retry_topic("kit.essai.v1", "lecteur")), InvalidMessage("no"))
    assert sent.messages[0].topic == dead_letter_topic("kit.essai.v1", "lecteur")


async def test_above_the_rate_the_consumer_stops_between_two_batches(sent: Sent, seconds: Seconds) -> None:
    dead_letters = letters(sent, seconds, limit=5, window_s=60)
    dead_letters.check()
    for _ in range(7):
        await dead_letters.bury(record(), InvalidMessage("no"))
    with pytest.raises(Stop):
        dead_letters.check()
    assert len(sent.messages) == 7, "the batch was finished: after a restart none of it is buried again"


async def test_dead_letters_spread_over_time_do_not_stop_it(sent: Sent, seconds: Seconds) -> None:
    dead_letters = letters(sent, seconds, limit=5, window_s=60)
    for _ in range(50):
        seconds.now += 13
        dead_letters.check()
        await dead_letters.bury(record(), InvalidMessage("no"))
    assert len(sent.messages) == 50


async def test_as_many_successes_as_dead_letters_do_not_stop_it(sent: Sent, seconds: Seconds) -> None:
    dead_letters = letters(sent, seconds, limit=5, window_s=60)
    dead_letters.succeeded(1000)
    for _ in range(20):
        await dead_letters.bury(record(), InvalidMessage("no"))
        dead_letters.check()
    seconds.now += 61
    for _ in range(5):
        dead_letters.check()
        await dead_letters.bury(record(), InvalidMessage("no"))
    with pytest.raises(Stop):
        dead_letters.check()


async def test_a_dead_letter_that_cannot_be_published_is_no_dead_letter(sent: Sent, seconds: Seconds) -> None:
    dead_letters = letters(sent, seconds, limit=2)
    sent.error = ConnectionError("away")
    for _ in range(5):
        with pytest.raises(ConnectionError):
            await dead_letters.bury(record(), InvalidMessage("no"))
    sent.error = None
    await dead_letters.bury(record(), InvalidMessage("no"))
    assert len(sent.messages) == 1


async def test_a_replayed_dead_letter_is_what_it_first_was(sent: Sent, seconds: Seconds) -> None:
    dead_letters = letters(sent, seconds)
    first = record({"ce_id": "e1", "traceparent": "00-1-2-01"})
    await dead_letters.retry_or_bury(first, RetryLater("later"))
    retried = record(dict(sent.messages[-1].headers), sent.messages[-1].topic)
    await dead_letters.bury(retried, InvalidMessage("no"))
    buried = record(dict(sent.messages[-1].headers), sent.messages[-1].topic)
    replayed = to_replay(buried)
    assert replayed == Message("kit.essai.v1", first.key, first.value, first.headers)
