"""Refusals: each error that our models can produce has a French sentence, whole, that names the field."""

import datetime as dt
import re
import string
from enum import StrEnum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticKnownError

from kit.http import problems
from kit.http.problems import FieldProblem, Problem, fields, invalid, not_found, sentence, to_response

NBSP = "\u00a0"


class Couleur(StrEnum):
    ROUGE = "rouge"
    BLEU = "bleu"


class Boite(BaseModel):
    model_config = ConfigDict(extra="forbid")

    haut: int


class Formulaire(BaseModel):
    """One field for each kind of value that a request may hold."""

    model_config = ConfigDict(extra="forbid")

    texte: str = Field(default="abc", min_length=2, max_length=5, pattern="^[a-z]+$")
    entier: int = Field(default=5, ge=1, le=9)
    ouvert: float = Field(default=1, gt=0, lt=10, allow_inf_nan=False)
    oui: bool = True
    jour: dt.date = dt.date(2027, 3, 13)
    instant: AwareDatetime | None = None
    liste: list[int] = Field(default=[1], min_length=1, max_length=3)
    couleur: Couleur = Couleur.ROUGE
    mot: Literal["un", "deux"] = "un"
    boite: Boite = Boite(haut=1)
    table: dict[str, int] = {}
    paire: str = ""

    @field_validator("paire")
    @classmethod
    def _pair(cls, value: str) -> str:
        if len(value) % 2:
            raise ValueError("Il faut un nombre pair de lettres.")
        return value


def errors(values: Any) -> list[dict[str, Any]]:
    with pytest.raises(ValidationError) as caught:
        Formulaire.model_validate(values)
    return [dict(error) for error in caught.value.errors()]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"texte": 3}, "Un texte est attendu."),
    ({"texte": "a"}, "Il faut au moins 2 caractère(s)."),
    ({"texte": "abcdef"}, "Il faut au plus 5 caractères."),
    ({"texte": "ABC"}, "Le format n’est pas le bon."),
    ({"entier": "x"}, "Un nombre entier est attendu."),
    ({"entier": None}, "Un nombre entier est attendu."),
    ({"entier": 1.5}, "Un nombre entier est attendu."),
    ({"entier": 0}, "La valeur doit être au moins 1."),
    ({"entier": 10}, "La valeur doit être au plus 9."),
    ({"ouvert": "x"}, "Un nombre est attendu."),
    ({"ouvert": []}, "Un nombre est attendu."),
    ({"ouvert": 0}, "La valeur doit être supérieure à 0."),
    ({"ouvert": 10}, "La valeur doit être inférieure à 10."),
    ({"ouvert": float("nan")}, "Un nombre fini est attendu."),
    ({"oui": "peut-être"}, "« vrai » ou « faux » est attendu."),
    ({"oui": []}, "« vrai » ou « faux » est attendu."),
    ({"jour": "demain"}, "Une date (AAAA-MM-JJ) est attendue."),
    ({"jour": []}, "Une date (AAAA-MM-JJ) est attendue."),
    ({"liste": 1}, "Une liste est attendue."),
    ({"liste": []}, "Il faut au moins 1 élément(s)."),
    ({"liste": [1, 2, 3, 4]}, "Il faut au plus 3 éléments."),
    ({"couleur": "vert"}, "La valeur n’est pas l’une de celles permises : 'rouge' ou 'bleu'."),
    ({"mot": "trois"}, "La valeur n’est pas l’une de celles permises : 'un' ou 'deux'."),
    ({"boite": 3}, "Un objet est attendu."),
    ({"boite": {}}, "Ce champ est obligatoire."),
    ({"boite": {"haut": 1, "bas": 2}}, "Ce champ n’existe pas."),
    ({"table": 3}, "Un objet est attendu."),
    ({"paire": "abc"}, "Il faut un nombre pair de lettres."),
]


@pytest.mark.parametrize(("values", "said"), WRONG)
def test_chaque_sorte_d_erreur_a_sa_phrase(values: dict[str, Any], said: str) -> None:
    [error] = errors(values)
    assert sentence(error).replace(NBSP, " ") == said


@pytest.mark.parametrize("values", [{"instant": "hier"}, {"instant": "2027-03-13T10:00:00"}, {"instant": []}])
def test_un_instant_demande_une_date_une_heure_et_un_fuseau(values: dict[str, Any]) -> None:
    [error] = errors(values)
    assert sentence(error) != problems._DEFAULT_SENTENCE


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("aé1-. ", max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Formulaire.model_fields, "autre"]), json_values, min_size=1))
def test_aucun_json_ne_fait_dire_une_phrase_qui_n_est_pas_la_notre(values: dict[str, Any]) -> None:
    try:
        Formulaire.model_validate(values)
    except ValidationError as error:
        for found in error.errors():
            said = sentence(found)
            assert said != problems._DEFAULT_SENTENCE, found["type"]
            assert said.endswith(".")
            assert "{" not in said


@pytest.mark.parametrize("kind", sorted(problems._SENTENCES))
def test_une_phrase_ne_demande_que_ce_que_pydantic_dit(kind: str) -> None:
    """Every {placeholder} is in the context of that error type, and the type is one that pydantic has."""
    asked = {name for _, name, _, _ in string.Formatter().parse(problems._SENTENCES[kind]) if name}
    numbers: dict[str, Any] = dict.fromkeys(("gt", "ge", "lt", "le", "min_length", "max_length", "actual_length"), 1)
    texts = ("expected", "pattern", "error", "class_name", "field_type")
    context = {**numbers, **dict.fromkeys(texts, "x")}
    told = PydanticKnownError(kind, context)  # type: ignore[arg-type]  # any type is tried: an unknown one raises
    assert asked <= set(told.context or {})
    template = told.message_template
    assert asked <= set(re.findall(r"{(\w+)}", template)) | set(context)


@pytest.mark.parametrize("kind", sorted(problems._SENTENCES))
def test_les_phrases_ont_la_typographie_du_francais(kind: str) -> None:
    text = problems._SENTENCES[kind]
    assert text[0].isupper() or text[0] in "«{"
    assert text.endswith(".")
    assert "'" not in text
    assert not re.search(r" [:;!?»]|« ", text), "a no-break space is missing"


def test_les_champs_ont_le_nom_que_leur_donne_le_formulaire() -> None:
    found = fields(
        [
            {"type": "missing", "loc": ("body", "lieu", "lat")},
            {"type": "missing", "loc": ("query", "page")},
            {"type": "json_invalid", "loc": ("body", 12)},
            {"type": "missing", "loc": ("body",)},
            {"type": "int_type", "loc": ("body", "liste", 2)},
        ]
    )
    assert [error["champ"] for error in found] == ["lieu.lat", "page", "corps", "corps", "liste.2"]


def test_une_erreur_imprevue_a_aussi_sa_phrase() -> None:
    assert sentence({"type": "something_new", "loc": ("a",)}) == "La valeur n’est pas valable."


def test_un_probleme_a_la_forme_de_la_rfc() -> None:
    answer = to_response(FieldProblem("titre", "Il faut un titre."))
    assert answer.status_code == 422
    assert answer.media_type == "application/problem+json"
    assert b'"type":"/problemes/donnees-invalides"' in answer.body
    assert '"erreurs":[{"champ":"titre","message":"Il faut un titre."}]' in bytes(answer.body).decode()


def test_un_probleme_peut_en_dire_plus() -> None:
    answer = to_response(Problem(412, "version-depassee", "Version dépassée", "Relisez.", version=4))
    assert b'"version":4' in answer.body


def test_ce_qui_est_introuvable_est_nomme() -> None:
    assert not_found("Cette annonce").detail == "Cette annonce n’existe pas."


def test_un_resume_nomme_les_premiers_champs() -> None:
    summary = invalid(errors({"texte": "a", "entier": 0, "oui": [], "jour": []}))
    assert summary.detail.count(f"»{NBSP}: ") == 3
    assert len(summary.errors) == 4
