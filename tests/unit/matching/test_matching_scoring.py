"""The rule of concern on one annonce and one profil."""

import datetime as dt
import math
from typing import Any

import pytest

from contracts.annonces import Annonce, EtatAnnonce
from contracts.commun import Auteur, Lieu, Nature, Sens, TypeAuteur
from contracts.matching import CodeRaison, Profil
from services.matching import scoring

AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
WAZEMMES = Lieu(quartier="wazemmes", lat=50.6250, lon=3.0500)
HELLEMMES = Lieu(quartier="hellemmes", lat=50.6270, lon=3.1110)


def annonce(**changes: Any) -> Annonce:
    values: dict[str, Any] = {
        "annonce_id": "a1",
        "version": 2,
        "etat": EtatAnnonce.PUBLIEE,
        "sens": Sens.BESOIN,
        "nature": Nature.LOGISTIQUE,
        "titre": "Une camionnette samedi",
        "description": "Pour déménager des livres.",
        "categories": ["vehicule-transport"],
        "creneaux": ["samedi-matin"],
        "lieu": WAZEMMES,
        "places": 1,
        "places_restantes": 1,
        "auteur": Auteur(type=TypeAuteur.ASSOCIATION, compte_id="auteur"),
        "deposee_at": AT,
        "expire_at": AT,
    }
    return Annonce(**(values | changes))


def profil(**changes: Any) -> Profil:
    values: dict[str, Any] = {
        "profil_id": "p1",
        "version": 1,
        "compte_id": "c1",
        "sens": Sens.BESOIN,
        "lieu": HELLEMMES,
        "rayon_km": 10,
        "cree_at": AT,
    }
    return Profil(**(values | changes))


def test_les_raisons_viennent_dans_l_ordre_attendu() -> None:
    match = scoring.correspond(
        annonce(urgent=True, domaines=["sport-pour-tous"], certifications=["permis-b"]),
        profil(
            categories=["livres", "vehicule-transport"],
            creneaux=["samedi-soir", "samedi-matin"],
            domaines=["sport-pour-tous"],
            certifications=["permis-b"],
        ),
    )
    assert match is not None
    assert match.distance_m == pytest.approx(4311, abs=30)
    assert [(raison.code, raison.valeur) for raison in match.raisons] == [
        (CodeRaison.DISTANCE, str(match.distance_m)),
        (CodeRaison.CRENEAU, "samedi-matin"),
        (CodeRaison.CATEGORIE, "vehicule-transport"),
        (CodeRaison.DOMAINE, "sport-pour-tous"),
        (CodeRaison.CERTIFICATION, "permis-b"),
        (CodeRaison.URGENT, ""),
    ]
    assert match.score == 30 + 10 + 10 + 5 + 10 + 12


def test_un_profil_vide_est_concerne_par_tout_dans_son_rayon() -> None:
    match = scoring.correspond(annonce(), profil())
    assert match is not None
    assert [raison.code for raison in match.raisons] == [CodeRaison.DISTANCE]


@pytest.mark.parametrize(
    "changes",
    [
        {"actif": False},
        {"sens": Sens.OFFRE},
        {"compte_id": "auteur"},
        {"natures": [Nature.BENEVOLAT, Nature.COMPETENCE]},
        {"categories": ["livres"]},
        {"creneaux": ["dimanche-soir"]},
        {"rayon_km": 4},
    ],
)
def test_chaque_condition_exclut_a_elle_seule(changes: dict[str, Any]) -> None:
    assert scoring.correspond(annonce(), profil()) is not None
    assert scoring.correspond(annonce(), profil(**changes)) is None


def test_les_domaines_n_excluent_que_nommes_des_deux_cotes() -> None:
    assert (
        scoring.correspond(annonce(domaines=["sport-pour-tous"]), profil(domaines=["protection-de-la-nature"])) is None
    )
    assert scoring.correspond(annonce(), profil(domaines=["protection-de-la-nature"])) is not None
    assert scoring.correspond(annonce(domaines=["sport-pour-tous"]), profil()) is not None


def test_une_annonce_sans_creneau_convient_a_tous() -> None:
    assert scoring.correspond(annonce(creneaux=[]), profil(creneaux=["lundi-soir"])) is not None


def test_qui_aide_doit_avoir_les_certifications() -> None:
    asked = annonce(certifications=["permis-b", "psc1"])
    assert scoring.correspond(asked, profil(certifications=["permis-b"])) is None
    assert scoring.correspond(asked, profil(certifications=["psc1", "bafa", "permis-b"])) is not None


def test_une_offre_apporte_les_certifications_demandees() -> None:
    offre = annonce(sens=Sens.OFFRE, certifications=["permis-b"])
    assert scoring.correspond(offre, profil(sens=Sens.OFFRE)) is not None
    assert scoring.correspond(offre, profil(sens=Sens.OFFRE, certifications=["permis-b"])) is not None
    assert scoring.correspond(offre, profil(sens=Sens.OFFRE, certifications=["psc1"])) is None


def test_a_distance_le_lieu_ne_compte_pas() -> None:
    remote = annonce(a_distance=True, lieu=Lieu(lat=-21.1, lon=55.5))
    match = scoring.correspond(remote, profil(a_distance=True))
    assert match is not None
    assert match.distance_m is None
    assert match.raisons[0].code is CodeRaison.A_DISTANCE
    assert scoring.correspond(remote, profil(a_distance=False)) is None


def test_la_nature_n_est_une_raison_que_faute_de_mieux() -> None:
    chosen = [Nature.LOGISTIQUE]
    plain = scoring.correspond(annonce(), profil(natures=chosen))
    exact = scoring.correspond(annonce(), profil(natures=chosen, categories=["vehicule-transport"]))
    assert plain is not None
    assert exact is not None
    assert CodeRaison.NATURE in [raison.code for raison in plain.raisons]
    assert CodeRaison.NATURE not in [raison.code for raison in exact.raisons]
    assert exact.score - plain.score == scoring.POIDS_CATEGORIE


def test_les_longues_listes_de_creneaux_sont_coupees_dans_les_raisons() -> None:
    slots = [f"{day}-matin" for day in ("lundi", "mardi", "mercredi", "jeudi", "vendredi")]
    match = scoring.correspond(annonce(creneaux=slots), profil(creneaux=slots))
    assert match is not None
    assert sum(raison.code is CodeRaison.CRENEAU for raison in match.raisons) == scoring.RAISONS_PAR_LISTE


def test_codes_given_twice_count_once() -> None:
    once = scoring.correspond(annonce(), profil(categories=["vehicule-transport"]))
    twice = scoring.correspond(
        annonce(categories=["vehicule-transport"] * 2), profil(categories=["vehicule-transport"] * 2)
    )
    assert once == twice


@pytest.mark.parametrize("km", [0.05, 1.0, 12.5, 63.9])
def test_la_distance_est_celle_de_la_sphere(km: float) -> None:
    lat = 50.6 + math.degrees(km * 1000 / scoring.RAYON_TERRE_M)
    chord2 = scoring.corde2(scoring.vecteur(50.6, 3.05), scoring.vecteur(lat, 3.05))
    assert scoring.metres(chord2) == pytest.approx(km * 1000, abs=1.5)
    assert chord2 <= scoring.seuil(km + 0.002)
    assert chord2 > scoring.seuil(km - 0.002)


def test_l_ordre_est_total() -> None:
    here = scoring.correspond(annonce(), profil(profil_id="b", lieu=WAZEMMES))
    also_here = scoring.correspond(annonce(), profil(profil_id="a", lieu=WAZEMMES))
    better = scoring.correspond(annonce(), profil(profil_id="c", categories=["vehicule-transport"]))
    assert here
    assert also_here
    assert better
    assert sorted([here, also_here, better], key=scoring.ordre) == [better, also_here, here]


SAMEDI = dt.date(2026, 12, 5)


def test_un_samedi_date_n_alerte_pas_qui_n_est_libre_que_le_mardi() -> None:
    date = annonce(date_debut=SAMEDI, date_fin=SAMEDI, creneaux=[])
    assert scoring.correspond(date, profil(creneaux=["mardi-matin"])) is None
    assert scoring.correspond(date, profil(creneaux=["mardi-matin", "samedi-soir"])) is not None
    assert scoring.correspond(date, profil()) is not None


def test_une_date_sans_fin_est_un_seul_jour() -> None:
    assert scoring.correspond(annonce(date_debut=SAMEDI, creneaux=[]), profil(creneaux=["dimanche-matin"])) is None


@pytest.mark.parametrize("sens", list(Sens))
def test_les_demi_journees_nommees_sont_celles_de_la_date(sens: Sens) -> None:
    date = annonce(sens=sens, date_debut=SAMEDI, date_fin=SAMEDI, creneaux=["samedi-matin", "mardi-matin"])
    assert scoring.correspond(date, profil(sens=sens, creneaux=["samedi-soir"])) is None
    assert scoring.correspond(date, profil(sens=sens, creneaux=["mardi-matin"])) is None
    assert scoring.correspond(date, profil(sens=sens, creneaux=["samedi-matin"])) is not None


def test_une_semaine_entiere_convient_a_tous() -> None:
    longue = annonce(date_debut=SAMEDI, date_fin=SAMEDI + dt.timedelta(days=6), creneaux=[])
    assert scoring.correspond(longue, profil(creneaux=["mardi-matin"])) is not None


def test_d_une_simple_date_aucune_demi_journee_n_est_dite() -> None:
    match = scoring.correspond(annonce(date_debut=SAMEDI, creneaux=[]), profil(creneaux=["samedi-matin"]))
    autre = scoring.correspond(annonce(date_debut=SAMEDI, creneaux=[]), profil())
    assert match is not None
    assert autre is not None
    assert [raison.code for raison in match.raisons] == [CodeRaison.DISTANCE]
    assert match.score > autre.score


def test_un_mineur_ne_recoit_que_ce_qui_lui_est_ouvert() -> None:
    assert scoring.correspond(annonce(), profil(mineur=True)) is None
    assert scoring.correspond(annonce(ouvert_aux_mineurs=True), profil(mineur=True)) is not None
    assert scoring.correspond(annonce(a_distance=True), profil(mineur=True)) is None


def test_qui_se_deplace_mal_ne_recoit_que_des_lieux_accessibles_ou_ce_qui_se_fait_de_chez_soi() -> None:
    assert scoring.correspond(annonce(), profil(pmr=True)) is None
    assert scoring.correspond(annonce(accessible_pmr=True), profil(pmr=True)) is not None
    assert scoring.correspond(annonce(a_distance=True), profil(pmr=True)) is not None


@pytest.mark.parametrize(
    ("distance_m", "points"),
    [
        (0, 20),
        (1_000, 20),
        (1_001, 16),
        (2_000, 16),
        (2_001, 12),
        (5_000, 12),
        (5_001, 8),
        (10_000, 8),
        (10_001, 4),
        (20_000, 4),
        (20_001, 0),
    ],
)
def test_plus_c_est_pres_plus_cela_compte(distance_m: int, points: int) -> None:
    assert scoring.proximite(distance_m) == points


@pytest.mark.parametrize("km", [1, 64, 200, 500])
def test_une_distance_est_juste_au_metre_jusqu_a_cinq_cents_kilometres(km: int) -> None:
    corde = 2 * math.sin(km * 1000 / scoring.RAYON_TERRE_M / 2)
    assert scoring.metres(corde**2) == km * 1000
