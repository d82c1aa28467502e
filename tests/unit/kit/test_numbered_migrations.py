"""Migrations of every service: numbered from 1, all of them in the table, in their order."""

import importlib
import re
from pathlib import Path

import pytest

from kit.database.migrations import Schema

ROOT = Path(__file__).resolve().parents[3]
NAME = re.compile(r"m(\d{4})_[a-z0-9_]+")
PACKAGES = ["gateway", *(f"services.{path.name}" for path in sorted((ROOT / "services").iterdir()) if path.is_dir())]
PACKAGES = [name for name in PACKAGES if (ROOT / name.replace(".", "/") / "__init__.py").exists()]
MIGRATED = [name for name in PACKAGES if (ROOT / name.replace(".", "/") / "migrations").is_dir()]


def schema_of(package: str) -> Schema:
    module = importlib.import_module(f"{package}.schema")
    if hasattr(module, "SCHEMA"):
        return module.SCHEMA  # type: ignore[no-any-return]  # the test says so
    settings = importlib.import_module(f"{package}.settings").Reglages()
    return module.schema(settings)  # type: ignore[no-any-return]  # the test says so


def test_les_cinq_bases_ont_un_schema() -> None:
    assert len(PACKAGES) == 5
    for package in PACKAGES:
        assert isinstance(schema_of(package), Schema), package


@pytest.mark.parametrize("package", MIGRATED)
def test_les_migrations_sont_toutes_dans_la_table_a_leur_numero(package: str) -> None:
    folder = ROOT / package.replace(".", "/") / "migrations"
    files = sorted(path.stem for path in folder.glob("m*.py"))
    table = [step.__module__.rpartition(".")[2] for step in schema_of(package).migrations]
    assert table == files
    numbers = [match[1] for name in table if (match := NAME.fullmatch(name))]
    assert [int(number) for number in numbers] == list(range(1, len(table) + 1))


@pytest.mark.parametrize("package", PACKAGES)
def test_deux_index_d_une_collection_n_ont_pas_le_meme_nom(package: str) -> None:
    named = [(index.collection, index.named) for index in schema_of(package).indexes]
    assert len(named) == len(set(named))
