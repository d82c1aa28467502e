"""Forms → JSON bodies, filters → queries, refusals → fields, paths → services, documents → one document."""

import pytest

from gateway.openapi import merge
from gateway.pages.forms import (
    Saisie,
    annonce,
    annonce_refaite,
    annonce_saisie,
    association,
    auteur,
    errors_by_field,
    filtres,
    number,
    page_number,
    profil,
    profil_de_recherche,
    profil_saisi,
    recherche,
)
from gateway.pages.rendering import date, heure, jours, nombre
from gateway.proxy import ROUTES, route
from gateway.public_reads import is_public


def test_une_annonce_saisie_devient_le_corps_attendu_du_service() -> None:
    saisie = Saisie.of(
        [
            ("sens", "besoin"),
            ("nature", "materiel"),
            ("titre", "  Trente costumes "),
            ("description", "Pour la troupe."),
            ("categories", "vetements-costumes"),
            ("cession", "don"),
            ("places", "30"),
            ("quartier", "fives"),
            ("date_debut", ""),
            ("urgent", "oui"),
            ("lieu_prive", "12 rue des Jardins, code 1234"),
            ("file", object()),
        ]
    )
    body = annonce(saisie)
    assert (body["titre"], body["places"], body["urgent"], body["a_distance"]) == ("Trente costumes", 30, True, False)
    assert body["categories"] == ["vetements-costumes"]
    assert "date_debut" not in body
    assert annonce(annonce_saisie({**body, "lieu": {"quartier": "fives"}}, body)) == body


@pytest.mark.parametrize(("text", "expected"), [("3", 3), ("2,5", 2.5), ("1 000", 1000), ("trois", "trois"), ("", "")])
def test_les_nombres_se_lisent_comme_les_gens_les_ecrivent(text: str, expected: object) -> None:
    assert number(text) == expected


def test_authors() -> None:
    assert auteur(Saisie({"auteur": ["association:a1"], "auteur_nom": ["x"]})) == {
        "type": "association",
        "association_id": "a1",
    }
    assert auteur(Saisie({"auteur": ["personne_morale"], "auteur_nom": ["Textiles"]})) == {
        "type": "personne_morale",
        "nom": "Textiles",
    }
    assert auteur(Saisie({"auteur": ["particulier"], "auteur_nom": [""]})) == {"type": "particulier"}


def test_une_association_et_une_alerte_saisies_deviennent_leur_corps() -> None:
    signed = association(Saisie({"nom": ["A"], "rna": ["w59 5012345"], "engagement": ["oui"]}), "v1")
    assert signed["rna"] == "W595012345"
    assert signed["engagement"] == {"version": "v1", "accepte": True}
    assert "siren" not in signed
    wanted = profil(Saisie({"sens": ["besoin"], "rayon_km": ["2,5"], "natures": ["materiel", ""]}))
    assert (wanted["rayon_km"], wanted["natures"], wanted["a_distance"]) == (2.5, ["materiel"], False)
    assert (wanted["mineur"], wanted["pmr"]) == (False, False)
    assert profil(Saisie({"mineur": ["oui"], "pmr": ["oui"]})).items() >= {"mineur": True, "pmr": True}.items()


def test_une_alerte_se_remplit_de_ce_qui_est_enregistre_ou_cherche() -> None:
    stored = {
        "sens": "offre",
        "natures": ["materiel"],
        "rayon_km": 2.5,
        "version": 4,
        "pmr": True,
        "lieu": {"quartier": "fives"},
    }
    again = profil(profil_saisi(stored))
    assert again.items() >= {"sens": "offre", "natures": ["materiel"], "rayon_km": 2.5, "quartier": "fives"}.items()
    assert (again["pmr"], again["mineur"], again["a_distance"]) == (True, False, False)
    wanted = profil(profil_de_recherche({"q": "romans", "nature": "materiel", "domaine": "sante-pour-tous"}))
    assert wanted.items() >= {"sens": "besoin", "natures": ["materiel"], "domaines": ["sante-pour-tous"]}.items()
    assert "quartier" not in wanted


def test_les_filtres_font_une_meme_recherche_dans_tous_les_ordres() -> None:
    chosen = filtres({"page": "2", "nature": " materiel ", "q": "", "inconnu": "x", "sens": "besoin"})
    assert chosen == {"sens": "besoin", "nature": "materiel"}
    assert recherche(chosen, 2) == "sens=besoin&nature=materiel&page=2&taille=20"
    assert [page_number(text) for text in ("3", "0", "-1", "x", "²", "99999999")] == [3, 1, 1, 1, 1, 10_000]


def test_refusals_go_beside_their_field() -> None:
    errors = [
        {"champ": "titre", "message": "Trop court."},
        {"champ": "auteur.nom", "message": "Quel nom ?"},
        {"champ": "domaines.0", "message": "Inconnu."},
        {"champ": "corps", "message": "Où ?"},
    ]
    placed, general = errors_by_field(errors, ("titre", "auteur", "auteur_nom", "domaines"))
    assert placed == {"titre": "Trop court.", "auteur_nom": "Quel nom ?", "domaines": "Inconnu."}
    assert general == ["Où ?"]


def test_french() -> None:
    assert nombre(0, "place", "places") == "0\N{NO-BREAK SPACE}place"
    assert nombre(1200, "place", "places") == "1\N{NARROW NO-BREAK SPACE}200\N{NO-BREAK SPACE}places"
    assert date("2026-12-05") == "5 décembre 2026"
    assert date("2026-12-04T23:30:00Z") == "5 décembre 2026"
    assert heure("2026-07-01T10:05:00Z") == "1 juillet à 12:05"
    assert jours(["dimanche-soir", "lundi-matin", "inconnu"]) == ["lundi matin", "dimanche soir"]


@pytest.mark.parametrize("prefix", ROUTES)
def test_chaque_route_atteint_son_service(prefix: str) -> None:
    assert route(prefix) == route(f"{prefix}/x/y") == ROUTES[prefix]
    assert route(f"{prefix}x") is None


@pytest.mark.parametrize(
    "path",
    ["/v1/interne/x", "/v1/annonces/interne", "/v1/annonces/../x", "/v1/annonces/%2e%2e/x", "/v1//annonces", "/"],
)
def test_ce_qui_n_est_pas_public_n_a_pas_de_route(path: str) -> None:
    assert route(path) is None


def test_seul_ce_qui_est_public_se_garde_en_cache() -> None:
    assert is_public("GET", "/v1/annonces")
    assert is_public("GET", "/v1/annonces/a1")
    assert not is_public("GET", "/v1/annonces/a1/reponses")
    assert not is_public("POST", "/v1/annonces")
    assert not is_public("GET", "/v1/mes/annonces")


def test_une_seule_description_sans_ce_qui_est_interne() -> None:
    def document(path: str, kind: str) -> dict[str, object]:
        return {
            "paths": {path: {"get": {"$ref": "#/components/schemas/Page"}}, "/v1/interne/x": {}},
            "components": {"schemas": {"Page": {"type": kind}, "Commun": {"type": "object"}}},
        }

    merged = merge(
        {"openapi": "3.1.0", "paths": {"/v1/compte": {}}, "components": {"schemas": {"Commun": {"type": "object"}}}},
        {
            "annonces": document("/v1/annonces", "object"),
            "matching": document("/v1/profils", "array"),
            "moderation": None,
        },
        ROUTES,
    )
    assert list(merged["paths"]) == ["/v1/annonces", "/v1/compte", "/v1/profils"]
    assert merged["paths"]["/v1/profils"]["get"]["$ref"] == "#/components/schemas/MatchingPage"
    assert set(merged["components"]["schemas"]) == {"Commun", "Page", "MatchingPage"}
    assert merged["x-services-absents"] == ["moderation"]


def test_refaire_une_annonce_reprend_tout_sauf_ses_jours_passes() -> None:
    stored = {
        "auteur": {"type": "association", "association_id": "a1", "nom": "Les Jardins"},
        "titre": "Une camionnette",
        "places": 3,
        "creneaux": ["samedi-matin"],
        "date_debut": "2026-03-14",
        "date_fin": "2026-03-15",
        "lieu": {"quartier": "fives"},
    }
    saisie = annonce_refaite(stored, {}, "c1")
    assert (saisie.un("titre"), saisie.un("places"), saisie.un("quartier")) == ("Une camionnette", "3", "fives")
    assert (saisie.un("auteur"), saisie.un("cle")) == ("association:a1", "c1")
    assert (saisie.un("date_debut"), saisie.un("date_fin"), saisie.tous("creneaux")) == ("", "", ["samedi-matin"])
