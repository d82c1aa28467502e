"""Whatever JSON is sent to a request model of ours, what is wrong with it is said in French."""

import importlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from deploy.stack.processes import SERVICES
from kit.http import problems
from kit.http.problems import sentence

for _name in ("gateway.app", *(f"services.{service}.app" for service in SERVICES)):
    importlib.import_module(_name)


def subclasses(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


# Unknown fields are refused by what people send, and by how a provider is described (canaux), which whoever installs
# the platform writes, and reads errors of in English.
MODELS = sorted(
    {
        model
        for model in subclasses(BaseModel)
        if model.__module__.split(".")[0] in ("gateway", "services")
        and model.model_config.get("extra") == "forbid"
        and ".canaux." not in model.__module__
    },
    key=lambda model: (model.__module__, model.__qualname__),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("aé1-. ", max_size=8) | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=6,
)


def test_chaque_service_a_des_modeles_de_demande() -> None:
    assert {model.__module__.split(".")[1] for model in MODELS} >= {"annonces", "moderation", "matching"}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.__module__}.{model.__qualname__}")
def test_chaque_erreur_a_sa_phrase_en_francais(model: type[BaseModel]) -> None:
    names = st.sampled_from([*model.model_fields, "autre"])

    @settings(max_examples=40)
    @given(st.dictionaries(names, json_values, max_size=4))
    def no_json_brings_out_another_sentence(values: dict[str, object]) -> None:
        try:
            model.model_validate(values)
        except ValidationError as error:
            for found in error.errors():
                said = sentence(found)
                assert said != problems._DEFAULT_SENTENCE, found["type"]
                assert said.endswith((".", "?"))
                assert "{" not in said

    no_json_brings_out_another_sentence()
