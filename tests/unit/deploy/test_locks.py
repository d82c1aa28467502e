"""An image holds what the tests ran with."""

import re
from pathlib import Path

import pytest

from deploy.layout import ROOT
from deploy.processes import PROCESSES

FOLDER = ROOT / "requirements"
EXTRAS = sorted({process.extra for process in PROCESSES} | {"catcher"})


def pins(path: Path) -> set[str]:
    return set(re.findall(r"^[a-z0-9][a-z0-9._-]*==[^ ]+", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_pin_of_a_service_is_one_of_the_tests(extra: str) -> None:
    assert pins(FOLDER / f"{extra}.txt") <= pins(FOLDER / "dev.txt")


@pytest.mark.parametrize("extra", [*EXTRAS, "dev"])
def test_every_pin_has_its_hash_and_no_lock_names_a_registry(extra: str) -> None:
    text = (FOLDER / f"{extra}.txt").read_text()
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
