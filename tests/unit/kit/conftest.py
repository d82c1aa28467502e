"""The log of the code under test, as somebody would read it."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from kit import logging as kit_logging
from kit.http import problems, web
from kit.messaging import processor


@pytest.fixture
def lines_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """`lines_of("request")`: the lines of that name so far."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    kit_logging.configure("essai", "api")
    # A logger keeps the configuration with which it wrote first, which may be that of an earlier test.
    for module in (problems, processor, web):
        monkeypatch.setattr(module, "log", kit_logging.get_logger(module.__name__))

    def read(name: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in written.getvalue().splitlines()]
        return [line for line in lines if line["event"] == name]

    yield read
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
