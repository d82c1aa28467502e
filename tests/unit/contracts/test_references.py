"""The reference lists: complete, well-formed, and usable as codes in events."""

import re
import typing

import pytest

from contracts import references
from contracts.commun import Nature
from contracts.moderation import Issue, TypeCible

LISTES = typing.get_args(references.Liste)
TAILLES = {
    "domaines": 10,
    "activites": 38,
    "materiels": 14,
    "publics": 9,
    "creneaux": 21,
    "certifications": 5,
    "quartiers": 12,
    "engagements": 7,
}


def test_every_file_is_a_list_and_every_list_a_file() -> None:
    assert {path.stem for path in references.DOSSIER.glob("*.json")} == set(LISTES)


@pytest.mark.parametrize("liste", LISTES)
def test_codes_are_slugs_with_a_label_and_a_source(liste: references.Liste) -> None:
    valeurs = references.valeurs(liste)
    assert references.source(liste)
    assert valeurs
    for code, valeur in valeurs.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
        assert valeur.code == code
        assert valeur.libelle.strip() == valeur.libelle != ""
    assert len({valeur.libelle for valeur in valeurs.values()}) == len(valeurs)


@pytest.mark.parametrize("liste", LISTES)
def test_no_code_is_given_twice(liste: references.Liste) -> None:
    document, par_code = references._liste(liste)
    assert len(document.valeurs) == len(par_code)


@pytest.mark.parametrize(("liste", "taille"), TAILLES.items())
def test_lists_are_complete(liste: references.Liste, taille: int) -> None:
    assert len(references.valeurs(liste)) == taille


def test_categories_are_the_disjoint_union_of_activites_and_materiels() -> None:
    activites, materiels = references.valeurs("activites"), references.valeurs("materiels")
    assert not set(activites) & set(materiels)
    assert list(references.categories()) == [*activites, *materiels]


def test_creneaux_follow_the_week() -> None:
    codes = list(references.valeurs("creneaux"))
    assert codes[:3] == ["lundi-matin", "lundi-apres-midi", "lundi-soir"]
    assert codes[15] == "samedi-matin"
    assert codes[-1] == "dimanche-soir"


def test_quartiers_lie_in_the_city() -> None:
    for quartier in references.quartiers().values():
        assert 50.59 < quartier.lat < 50.67
        assert 2.95 < quartier.lon < 3.15


def test_materiels_say_their_nature() -> None:
    assert references.materiels()["vehicule-transport"].nature is Nature.LOGISTIQUE
    assert references.materiels()["vetements-costumes"].nature is Nature.MATERIEL


def test_every_decision_that_needs_a_reason_has_some() -> None:
    for cible in TypeCible:
        for issue in (Issue.A_CORRIGER, Issue.REFUSEE):
            assert [m for m in references.motifs().values() if issue in m.issues and cible in m.cibles]
    assert references.motifs()["valeurs"].engagement_requis


def test_french_sentences_use_no_break_spaces() -> None:
    textes = [m.explication for m in references.motifs().values()] + [
        e.resume for e in references.engagements().values()
    ]
    for texte in textes:
        assert not re.search(r" [:;!?»]|« ", texte), texte
        assert texte.endswith(".")
        assert "'" not in texte


def test_engagements_are_numbered_in_order_and_versioned() -> None:
    assert [engagement.numero for engagement in references.engagements().values()] == [1, 2, 3, 4, 5, 6, 7]
    assert references.version_engagement()


def test_labels_inside_a_sentence() -> None:
    assert references.valeur("categories", "vehicule-transport").dans_une_phrase == "véhicule"
    assert references.valeur("categories", "travaux-manuels").dans_une_phrase == "travaux manuels"
    assert references.libelle("creneaux", "samedi-matin") == "samedi matin"


def test_an_unknown_code_is_an_error() -> None:
    with pytest.raises(references.CodeInconnu):
        references.libelle("domaines", "inconnu")


def test_lists_cannot_be_changed_by_who_reads_them() -> None:
    with pytest.raises(TypeError):
        references.valeurs("domaines")["x"] = references.Valeur(code="x", libelle="x")  # type: ignore[index]  # the point of the test
