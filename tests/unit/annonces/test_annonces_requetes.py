"""What may be typed, and what is made of it: text, codes, places."""

from typing import Any

import pytest
from pydantic import ValidationError

from contracts import references
from contracts.commun import Nature
from services.annonces.dates import ChampInvalide
from services.annonces.requetes import (
    AnnonceModifiee,
    AssociationDeposee,
    AuteurSaisi,
)
from tests.unit.annonces.fabrique import NOW


def saisie(**champs: Any) -> AnnonceModifiee:
    return AnnonceModifiee.model_validate(
        {
            "sens": "besoin",
            "nature": "logistique",
            "titre": "Une camionnette pour samedi",
            "description": "Nous cherchons une camionnette.",
            "categories": ["vehicule-transport"],
            "quartier": "fives",
            "places": 1,
            **champs,
        }
    )


def test_un_texte_est_rogne_et_compose() -> None:
    lue = saisie(titre="  Une fe\u0302te au quartier  ", description="  Une ligne,\r\nune autre ligne.\n ")
    assert lue.titre == "Une fête au quartier"
    assert lue.description == "Une ligne,\nune autre ligne."


@pytest.mark.parametrize("mauvais", ["\u0000", "\u0007", "\u001b", "\u0085", "\u202e", "\u2066", "\ud800"])
@pytest.mark.parametrize("champ", ["titre", "description"])
def test_les_caracteres_de_controle_sont_refuses(champ: str, mauvais: str) -> None:
    with pytest.raises(ValidationError, match="caractères de contrôle"):
        saisie(**{champ: f"Un texte assez long {mauvais} pour passer"})


def test_un_titre_a_une_ligne() -> None:
    with pytest.raises(ValidationError, match="caractères de contrôle"):
        saisie(titre="Deux\nlignes")


@pytest.mark.parametrize(
    ("champs", "message"),
    [
        ({"lat": 50.6}, "ensemble"),
        ({"quartier": None}, "quartier"),
        ({"quartier": "brooklyn"}, "quartier connu"),
        ({"domaines": ["inconnu"]}, "domaine connu"),
        ({"creneaux": ["samedi-nuit"]}, "créneau connu"),
        ({"certifications": ["permis-c"]}, "certification connue"),
    ],
)
def test_un_lieu_est_un_quartier_ou_un_point_connu(champs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        saisie(**champs)


def test_un_quartier_vaut_son_centre_et_un_point_lui_meme() -> None:
    centre = references.quartiers()["fives"]
    assert (saisie().lieu().lat, saisie().lieu().lon) == (centre.lat, centre.lon)
    assert saisie(lat=50.1, lon=3.2).lieu().lat == 50.1


@pytest.mark.parametrize("nature", list(Nature))
def test_les_categories_conviennent_a_la_nature(nature: Nature) -> None:
    cession = "don" if nature is Nature.MATERIEL else None
    for code in references.categories():
        if code in references.valeurs("activites"):
            convient = nature in (Nature.BENEVOLAT, Nature.COMPETENCE)
        else:
            convient = references.materiels()[code].nature == nature
        lue = saisie(nature=nature, categories=[code], cession=cession)
        if convient:
            assert lue.contenu(NOW).categories == [code]
        else:
            with pytest.raises(ChampInvalide) as caught:
                lue.contenu(NOW)
            assert caught.value.champ == "categories"


def test_le_materiel_est_donne_ou_prete() -> None:
    with pytest.raises(ChampInvalide, match="don"):
        saisie(nature="materiel", categories=["livres"]).contenu(NOW)
    with pytest.raises(ChampInvalide, match="matériel"):
        saisie(nature="benevolat", categories=["maraude"], cession="don").contenu(NOW)


@pytest.mark.parametrize(
    "champs",
    [
        {"type": "association"},
        {"type": "particulier", "association_id": "a1"},
        {"type": "personne_morale"},
        {"type": "particulier", "nom": "Jeanne"},
        {"type": "personne_morale", "nom": "Société", "siren": "123456789"},
        {"type": "personne_morale", "nom": "Société", "autre": 1},
    ],
)
def test_un_auteur_incoherent_est_refuse(champs: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AuteurSaisi.model_validate(champs)


def test_une_association_signe_l_engagement_actuel() -> None:
    corps = {
        "nom": "Les Jardins",
        "siren": "732 829 320 00074",
        "description": "Nous cultivons un jardin partagé.",
        "quartier": "fives",
        "engagement": {"version": references.version_engagement(), "accepte": True},
    }
    inscrite = AssociationDeposee.model_validate(corps)
    assert inscrite.version_engagement() == references.version_engagement()
    assert inscrite.presentation().siren == "732829320"
    for engagement in (
        {"version": "ancienne", "accepte": True},
        {**inscrite.engagement.model_dump(), "accepte": False},
    ):
        with pytest.raises(ChampInvalide) as caught:
            AssociationDeposee.model_validate({**corps, "engagement": engagement}).version_engagement()
        assert caught.value.champ == "engagement"
    del corps["siren"]
    with pytest.raises(ValidationError, match="RNA"):
        AssociationDeposee.model_validate(corps)


@pytest.mark.parametrize(
    ("champ", "valeur"),
    [
        ("expire_at", "9999-12-31T23:59:59-12:00"),
        ("expire_at", "0001-01-01T00:00:00+14:00"),
        ("expire_at", 1795600000),
        ("date_debut", "9999-12-31"),
        ("date_fin", "9999-12-31"),
        ("date_debut", "2026-12-05T00:00:00"),
        ("urgent", 1),
        ("urgent", "oui"),
        ("places", True),
        ("places", "3"),
        ("places", 2**64),
        ("lat", "50.6"),
    ],
)
def test_ce_que_la_description_de_l_api_ne_permet_pas_est_refuse_a_son_champ(champ: str, valeur: object) -> None:
    with pytest.raises(ValidationError) as refus:
        saisie(**{champ: valeur})
    assert refus.value.errors()[0]["loc"] == (champ,)
