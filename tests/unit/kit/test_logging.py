"""What a library repeats is written once in a while, with how many it stands for."""

import logging
import sys
from collections.abc import Iterator

import orjson
import pytest
import structlog

from kit import logging as kit_logging
from kit.logging import RepeatFilter


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(
    text: str = "Unable connect to node %s", args: tuple[object, ...] = (1,), name: str = "a"
) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, __file__, 1, text, args, None)


def test_la_meme_ligne_passe_une_fois_par_periode_et_dit_combien_elle_en_remplace() -> None:
    clock = Clock()
    repetitions = RepeatFilter(10, clock)
    assert [repetitions.filter(record()) for _ in range(4)] == [True, False, False, False]
    clock.now += 10
    later = record()
    assert repetitions.filter(later)
    assert later.__dict__["held_back"] == 3
    clock.now += 10
    alone = record()
    assert repetitions.filter(alone)
    assert "held_back" not in alone.__dict__


def test_une_autre_ligne_un_autre_journal_ou_une_autre_erreur_passe() -> None:
    repetitions = RepeatFilter(10, Clock())
    assert repetitions.filter(record())
    assert repetitions.filter(record(args=(2,)))
    assert repetitions.filter(record(name="b"))
    for reason in ("one", "another"):
        failed = record()
        try:
            raise KeyError(reason)
        except KeyError:
            failed.exc_info = sys.exc_info()
        assert repetitions.filter(failed)


def test_des_arguments_faux_ne_sont_pas_notre_erreur() -> None:
    assert RepeatFilter(10, Clock()).filter(record(args=(1, 2)))


def test_une_ligne_qui_ne_revient_pas_est_oubliee() -> None:
    clock = Clock()
    repetitions = RepeatFilter(10, clock)
    for number in range(5000):
        clock.now += 1
        assert repetitions.filter(record(args=(number,)))
    assert len(repetitions._seen) <= RepeatFilter._MOST


@pytest.fixture
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_as_before")
def test_les_lignes_de_toutes_les_bibliotheques_sont_filtrees(capsys: pytest.CaptureFixture[str]) -> None:
    kit_logging.configure("essai", "worker")
    for _ in range(3):
        logging.getLogger("aiokafka.client").error("Unable connect to node with id %s", 7)
    [line] = [orjson.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert line["event"] == "Unable connect to node with id 7"
    assert (line["service"], line["logger"]) == ("essai", "aiokafka.client")
