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


def test_chaque_fichier_est_une_liste_et_chaque_liste_un_fichier() -> None:
    assert {path.stem for path in references.DOSSIER.glob("*.json")} == set(LISTES)


@pytest.mark.parametrize("liste", LISTES)
def test_un_code_est_un_mot_simple_avec_libelle_et_source(liste: references.Liste) -> None:
    valeurs = references.valeurs(liste)
    assert references.source(liste)
    assert valeurs
    for code, valeur in valeurs.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
        assert valeur.code == code
        assert valeur.libelle.strip() == valeur.libelle != ""
    assert len({valeur.libelle for valeur in valeurs.values()}) == len(valeurs)


@pytest.mark.parametrize("liste", LISTES)
def test_aucun_code_n_est_donne_deux_fois(liste: references.Liste) -> None:
    document, par_code = references._liste(liste)
    assert len(document.valeurs) == len(par_code)


@pytest.mark.parametrize(("liste", "taille"), TAILLES.items())
def test_les_listes_sont_completes(liste: references.Liste, taille: int) -> None:
    assert len(references.valeurs(liste)) == taille


def test_les_categories_reunissent_activites_et_materiels_sans_double() -> None:
    activites, materiels = references.valeurs("activites"), references.valeurs("materiels")
    assert not set(activites) & set(materiels)
    assert list(references.categories()) == [*activites, *materiels]


def test_les_creneaux_suivent_la_semaine() -> None:
    codes = list(references.valeurs("creneaux"))
    assert codes[:3] == ["lundi-matin", "lundi-apres-midi", "lundi-soir"]
    assert codes[15] == "samedi-matin"
    assert codes[-1] == "dimanche-soir"


def test_les_quartiers_sont_dans_la_ville() -> None:
    for quartier in references.quartiers().values():
        assert 50.59 < quartier.lat < 50.67
        assert 2.95 < quartier.lon < 3.15


def test_materiels_say_their_nature() -> None:
    assert references.materiels()["vehicule-transport"].nature is Nature.LOGISTIQUE
    assert references.materiels()["vetements-costumes"].nature is Nature.MATERIEL


def test_chaque_decision_qui_demande_un_motif_en_a() -> None:
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


def test_les_engagements_sont_numerotes_dans_l_ordre_et_versionnes() -> None:
    assert [engagement.numero for engagement in references.engagements().values()] == [1, 2, 3, 4, 5, 6, 7]
    assert references.version_engagement()


def test_un_libelle_se_lit_dans_une_phrase() -> None:
    assert references.valeur("categories", "vehicule-transport").dans_une_phrase == "véhicule"
    assert references.valeur("categories", "travaux-manuels").dans_une_phrase == "travaux manuels"
    assert references.libelle("creneaux", "samedi-matin") == "samedi matin"


def test_un_code_inconnu_est_une_erreur() -> None:
    with pytest.raises(references.CodeInconnu):
        references.libelle("domaines", "inconnu")


def test_qui_lit_une_liste_ne_peut_la_changer() -> None:
    with pytest.raises(TypeError):
        references.valeurs("domaines")["x"] = references.Valeur(code="x", libelle="x")  # type: ignore[index]  # the point of the test
