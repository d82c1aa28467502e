"""The sentence that says why."""

import pytest

from contracts.matching import CodeRaison, Raison
from services.notifications.messages.raisons import distance, phrase

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("metres", "attendu"),
    [
        (0, "moins de 100 m"),
        (94, "moins de 100 m"),
        (120, "100 m"),
        (351, "350 m"),
        (974, "950 m"),
        (975, "1 km"),
        (1_049, "1 km"),
        (1_234, "1,2 km"),
        (9_949, "9,9 km"),
        (9_951, "10 km"),
        (12_345, "12 km"),
    ],
)
def test_les_distances_ont_la_precision_utile(metres: int, attendu: str) -> None:
    mots = attendu.rsplit(" ", 1)
    assert distance(metres) == NBSP.join(mots)


def test_toutes_les_raisons_tiennent_sur_une_ligne_dans_leur_ordre() -> None:
    raisons = [
        Raison(code=CodeRaison.DISTANCE, valeur="1234"),
        Raison(code=CodeRaison.CRENEAU, valeur="samedi-matin"),
        Raison(code=CodeRaison.CATEGORIE, valeur="vehicule-transport"),
        Raison(code=CodeRaison.CERTIFICATION, valeur="permis-b"),
        Raison(code=CodeRaison.URGENT),
    ]
    assert phrase(raisons) == f"à 1,2{NBSP}km de chez vous · samedi matin · véhicule · permis B · urgent"


@pytest.mark.parametrize(
    ("raison", "attendu"),
    [
        (Raison(code=CodeRaison.A_DISTANCE), "à distance"),
        (Raison(code=CodeRaison.DOMAINE, valeur="solidarite-et-insertion"), "solidarité et insertion"),
        (Raison(code=CodeRaison.NATURE, valeur="materiel"), "matériel"),
        (Raison(code=CodeRaison.NATURE, valeur="inconnue"), "inconnue"),
        (Raison(code=CodeRaison.CATEGORIE, valeur="pas-encore-connue"), "pas encore connue"),
    ],
)
def test_chaque_sorte_de_raison_a_ses_mots(raison: Raison, attendu: str) -> None:
    assert phrase([raison]) == attendu


def test_les_memes_mots_ne_sont_dits_qu_une_fois() -> None:
    assert phrase([Raison(code=CodeRaison.URGENT), Raison(code=CodeRaison.URGENT)]) == "urgent"
