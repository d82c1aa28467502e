"""An image holds what the tests ran with, and can be built from wheels alone."""

import re
import subprocess
from pathlib import Path

import pytest

from deploy.layout import ROOT
from deploy.stack.processes import PROCESSES
from requirements.lock import find_uv, uv_environment

FOLDER = ROOT / "requirements"
EXTRAS = sorted({process.extra for process in PROCESSES} | {"catcher"})


def pins(path: Path) -> set[str]:
    return set(re.findall(r"^[a-z0-9][a-z0-9._-]*==[^ ]+", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("extra", EXTRAS)
def test_chaque_version_d_un_service_est_celle_des_essais(extra: str) -> None:
    assert pins(FOLDER / f"{extra}.txt") <= pins(FOLDER / "dev.txt")


@pytest.mark.parametrize("extra", [*EXTRAS, "dev"])
def test_chaque_version_a_son_empreinte_et_aucun_verrou_ne_nomme_de_depot(extra: str) -> None:
    text = (FOLDER / f"{extra}.txt").read_text()
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text


# Python and glibc of the image: python:3.11-slim is Debian 12 (glibc 2.36) or newer.
DOCKERFILE = (ROOT / "Dockerfile").read_text()
GLIBC = "manylinux_2_36"
# faust-streaming has no wheel for ARM: docs/conteneurs.md says how such a machine builds.
TARGETS = [("x86_64", EXTRAS), ("aarch64", [extra for extra in EXTRAS if extra != "matching"])]


def test_l_image_installe_son_verrou_depuis_des_roues_verifiees() -> None:
    assert re.findall(r"pip install (.+)", DOCKERFILE) == [
        "--no-cache-dir --require-hashes --only-binary :all: -r /tmp/requirements.txt"
    ]


@pytest.mark.parametrize(("machine", "extras"), TARGETS, ids=[machine for machine, _ in TARGETS])
def test_chaque_paquet_des_images_a_une_roue_pour_leur_python_et_leur_systeme(
    machine: str, extras: list[str], tmp_path: Path
) -> None:
    """All locks in one resolution, which takes seconds: they agree on every version."""
    [python] = re.findall(r"^ARG PYTHON_IMAGE=python:(3\.\d+)-slim$", DOCKERFILE, re.MULTILINE)
    locks = [FOLDER / f"{extra}.txt" for extra in extras]
    command = [find_uv(), "pip", "install", "--dry-run", "--no-build", "--require-hashes"]
    command += ["--python-version", python, "--python-platform", f"{machine}-{GLIBC}", "--target", str(tmp_path)]
    command += [argument for lock in locks for argument in ("-r", str(lock))]
    resolved = subprocess.run(command, cwd=ROOT, env=uv_environment(), capture_output=True, text=True)
    assert resolved.returncode == 0, resolved.stderr
    installed = set(re.findall(r"^ \+ (\S+==\S+)$", resolved.stderr, re.MULTILINE))
    assert installed
    assert installed <= set().union(*map(pins, locks))
