"""What moderators read, for the best and for the strangest of contents."""

import datetime as dt
from typing import Any

import pytest

from contracts import references
from services.moderation.domain import COMPTE_EFFACE
from services.moderation.hints import Champ, Indice
from services.moderation.presentation import auteur, compte, date, duree, engagement, heure, lignes, surligner


def test_les_dates_se_montrent_a_l_heure_de_paris() -> None:
    assert date(dt.datetime(2026, 3, 2, 12, 5, tzinfo=dt.UTC)) == "2 mars 2026 à 13\u00a0h\u00a005"
    assert date(None) == ""


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_une_date_que_paris_n_a_pas_ne_casse_pas_la_page(at: str) -> None:
    assert date(at) == at


@pytest.mark.parametrize(
    ("valeur", "lu"),
    [
        ({"nom": "Les Voisins", "type": "association"}, "Les Voisins"),
        ({"nom": None, "type": "particulier"}, "particulier"),
        ({"type": "personne_morale"}, "entreprise ou institution"),
        ({"type": "martien"}, ""),
    ],
)
def test_un_auteur_se_lit_par_son_nom_ou_par_ce_qu_il_est(valeur: dict[str, Any], lu: str) -> None:
    assert auteur(valeur) == lu


def test_un_compte_ne_montre_jamais_son_identifiant_entier() -> None:
    assert compte("0123456789abcdef") == "compte 01234567"
    assert compte("") == "automatique"
    assert compte("c1", vous="c1") == "vous"
    assert compte(COMPTE_EFFACE) == "compte effacé"


def indice(debut: int, fin: int, champ: Champ = "description") -> Indice:
    return Indice("contact", "numéro", "coordonnees", champ, debut, fin)


def test_les_indices_sont_surlignes_et_tout_le_texte_reste() -> None:
    texte = "<b>Appelez</b> le 06, ou le 07 !"
    indices = [indice(18, 20), indice(28, 30), indice(0, 7, "titre"), indice(19, 25)]
    rendu = surligner(texte, indices, "description")
    assert rendu == (
        "&lt;b&gt;Appelez&lt;/b&gt; le "
        '<mark>06<span class="hors-vue"> (indice\u00a0: numéro)</span></mark>, ou le '
        '<mark>07<span class="hors-vue"> (indice\u00a0: numéro)</span></mark> !'
    )


def test_un_indice_qui_porte_sur_tout_le_texte_ne_le_surligne_pas() -> None:
    assert surligner("TOUT CRIER", [indice(0, 10)], "description") == "TOUT CRIER"
    assert "<mark>TOUT<" in surligner("TOUT CRIER", [indice(0, 4)], "description")
    assert "<mark>CRIER<" in surligner("TOUT CRIER", [indice(5, 10)], "description")


def test_de_ce_qui_n_est_pas_rempli_rien_n_est_montre() -> None:
    assert lignes({}) == []
    assert lignes({"places": 0, "lieu": None, "date_debut": None, "engagement": None}) == [("Nombre", "0")]


def test_ce_qui_est_rempli_se_lit_en_francais() -> None:
    contenu = {
        "sens": "offre",
        "nature": "materiel",
        "cession": "pret",
        "places": 3,
        "date_debut": "2026-03-07",
        "date_fin": "2026-03-08",
        "domaines": ["inconnu-d-ici", "inconnu-aussi"],
        "lieu": {"quartier": "fives"},
        "a_distance": True,
        "accessible_pmr": False,
        "rna": "W595001234",
        "engagement": {"signe_at": "2026-03-02T12:05:00+00:00"},
    }
    assert lignes(contenu) == [
        ("Sens", "offre"),
        ("Nature", "matériel"),
        ("Domaines", "inconnu-d-ici, inconnu-aussi"),
        ("Don ou prêt", "prêt"),
        ("Nombre", "3"),
        ("Dates", "07/03/2026 – 08/03/2026"),
        ("Quartier", "Fives"),
        ("À distance", "oui"),
        ("Numéro RNA", "W595001234"),
        ("Contrat d’engagement signé", "2 mars 2026 à 13\u00a0h\u00a005"),
    ]


def test_un_engagement_se_lit_avec_son_numero() -> None:
    for e in references.engagements().values():
        assert engagement(e.numero) == f"{e.numero}. {e.libelle}"


def test_une_duree_se_lit_dans_l_unite_qui_suffit() -> None:
    assert duree(dt.timedelta(minutes=9)) == "9 minutes"
    # The unbreakable space is CLDR’s choice for hours.
    assert duree(dt.timedelta(hours=3)) == "3\u00a0heures"
    assert heure(dt.datetime(2026, 3, 2, 12, 5, tzinfo=dt.UTC)) == "13\u00a0h\u00a005"
