"""Which provider takes the next message: away from trouble ten points at a time, at once from a dead one, and back."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.clock import FixedClock
from services.notifications.canaux.provider_weights import (
    PAS,
    TOTAL,
    AucunFournisseur,
    Bascule,
    ProviderWeights,
    Raison,
    Thresholds,
    WeightedChoice,
)

MIDI = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


class Banc:
    """Providers with a clock that is told to advance."""

    def __init__(self, configures: dict[str, int], reglages: Thresholds | None = None) -> None:
        self.secondes = 0.0
        self.clock = FixedClock(MIDI)
        self.bascules: list[Bascule] = []
        self.poids = ProviderWeights(
            configures,
            reglages=reglages or Thresholds(),
            monotonic=lambda: self.secondes,
            clock=self.clock,
            rng=random.Random(7),
        )
        self.aiguillage = WeightedChoice(self.poids, self.bascules.append)

    def passer(self, secondes: float) -> None:
        self.secondes += secondes
        self.clock.advance(seconds=secondes)

    def succes(self, nom: str, fois: int = 1, duree_s: float = 0.1) -> None:
        for _ in range(fois):
            self.aiguillage.noter(nom, succes=True, duree_s=duree_s)

    def echecs(self, nom: str, fois: int = 1) -> None:
        for _ in range(fois):
            self.aiguillage.noter(nom, succes=False, duree_s=0.1)

    def erreurs(self, nom: str, fois: int) -> None:
        """Failures between successes: a provider that answers, badly."""
        for _ in range(fois):
            self.succes(nom)
            self.echecs(nom)

    def choix(self, fois: int, exclus: Iterable[str] = ()) -> Counter[str]:
        return Counter(self.aiguillage.choisir(frozenset(exclus)) for _ in range(fois))

    @property
    def points(self) -> dict[str, int]:
        return self.aiguillage.points

    @property
    def pas(self) -> list[tuple[str, str, int, Raison]]:
        return [(bascule.de, bascule.vers, bascule.points, bascule.raison) for bascule in self.bascules]


def test_les_messages_se_partagent_selon_les_poids() -> None:
    choix = Banc({"a": 70, "b": 30}).choix(2000)
    assert 1250 < choix["a"] < 1550
    assert choix.total() == 2000


def test_plus_de_cinquante_erreurs_en_une_minute_deplacent_dix_points() -> None:
    banc = Banc({"a": 60, "b": 40})
    banc.erreurs("a", 50)
    assert banc.bascules == []
    banc.erreurs("a", 1)
    assert banc.bascules == [Bascule(MIDI, "a", "b", 10, Raison.ERREURS, {"a": 50, "b": 50})]


def test_cinquante_et_une_erreurs_en_plus_d_une_minute_ne_deplacent_rien() -> None:
    banc = Banc({"a": 60, "b": 40})
    for _ in range(200):
        banc.erreurs("a", 1)
        banc.passer(1.3)
    assert banc.bascules == []


def test_un_changement_est_suivi_d_une_minute_de_repos() -> None:
    banc = Banc({"a": 60, "b": 40})
    banc.erreurs("a", 200)
    assert banc.points == {"a": 50, "b": 50}
    banc.passer(59)
    banc.erreurs("a", 60)
    assert banc.points == {"a": 50, "b": 50}
    banc.passer(1)
    banc.erreurs("a", 1)
    assert banc.points == {"a": 40, "b": 60}


def test_qui_repond_garde_des_points() -> None:
    banc = Banc({"a": 60, "b": 35, "c": 5})
    for _ in range(20):
        banc.erreurs("a", 60)
        banc.passer(60)
    assert banc.points["a"] == PAS
    for _ in range(20):
        banc.erreurs("c", 60)
        banc.passer(60)
    assert banc.points["c"] == 5


def test_les_points_vont_aux_autres_selon_leur_part() -> None:
    banc = Banc({"a": 40, "b": 36, "c": 24})
    banc.erreurs("a", 51)
    assert banc.pas == [("a", "b", 6, Raison.ERREURS), ("a", "c", 4, Raison.ERREURS)]
    assert all(bascule.poids == {"a": 30, "b": 42, "c": 28} for bascule in banc.bascules)


def test_un_fournisseur_mort_est_quitte_apres_quelques_messages_sans_attendre_le_repos() -> None:
    banc = Banc({"a": 60, "b": 40})
    banc.erreurs("b", 51)
    assert banc.points == {"a": 70, "b": 30}
    banc.echecs("a", Thresholds().suite_max)
    assert banc.points == {"a": 0, "b": 100}
    assert banc.pas[-1] == ("a", "b", 70, Raison.MUET)
    assert banc.choix(200) == {"b": 200}


def test_un_mort_est_essaye_de_nouveau_et_revient_par_dix_points() -> None:
    banc = Banc({"a": 60, "b": 40})
    banc.echecs("a", 5)
    banc.passer(600)
    assert banc.choix(300)["a"] > 0
    assert banc.points == {"a": 10, "b": 90}
    banc.echecs("a", 5)
    assert banc.points == {"a": 0, "b": 100}
    for attendu in (10, 20, 30, 40, 50, 60, 60):
        banc.passer(599)
        banc.choix(1)
        assert banc.points["a"] < attendu or attendu == 60
        banc.passer(1)
        banc.choix(1)
        banc.succes("a")
        assert banc.points["a"] == attendu
    assert {bascule.raison for bascule in banc.bascules[3:]} == {Raison.RETOUR}


def test_un_ennui_qui_dure_retarde_le_retour() -> None:
    banc = Banc({"a": 60, "b": 40})
    banc.erreurs("a", 51)
    banc.passer(590)
    banc.erreurs("a", 51)
    banc.choix(1)
    assert banc.points == {"a": 40, "b": 60}
    banc.passer(590)
    banc.choix(1)
    assert banc.points == {"a": 40, "b": 60}
    banc.passer(10)
    banc.choix(1)
    assert banc.points == {"a": 50, "b": 50}


def test_quand_tous_se_taisent_chacun_est_essaye_selon_ses_poids() -> None:
    banc = Banc({"a": 60, "b": 40})
    banc.echecs("a", 5)
    banc.echecs("b", 50)
    assert banc.points == {"a": 0, "b": 100}
    banc.passer(60)
    banc.echecs("b", 1)
    assert banc.points == {"a": 60, "b": 40}
    assert banc.pas[-1] == ("b", "a", 60, Raison.TOUS_MUETS)
    banc.succes("a", 3)
    banc.echecs("b", 5)
    assert banc.points == {"a": 100, "b": 0}


def test_qui_est_plus_lent_que_l_autre_perd_dix_points() -> None:
    banc = Banc({"a": 50, "b": 50})
    for _ in range(6):
        banc.succes("a", 10, duree_s=1.16)
        banc.succes("b", 10, duree_s=1.0)
        banc.passer(10)
    assert banc.pas == [("a", "b", 10, Raison.LENTEUR)]


@pytest.mark.parametrize(
    ("a", "b", "fois"),
    [
        (1.1, 1.0, 100),  # hardly slower
        (0.04, 0.02, 100),  # twice as slow, and nobody notices
        (9.0, 1.0, 1),  # too few to judge
    ],
)
def test_une_lenteur_sans_consequence_ne_deplace_rien(a: float, b: float, fois: int) -> None:
    banc = Banc({"a": 50, "b": 50})
    for _ in range(6):
        banc.succes("a", fois, duree_s=a)
        banc.succes("b", fois, duree_s=b)
        banc.passer(10)
    assert banc.bascules == []


def test_la_lenteur_d_avant_cinq_minutes_est_oubliee() -> None:
    banc = Banc({"a": 50, "b": 50}, Thresholds(repos_s=0))
    banc.succes("a", 100, duree_s=9.0)
    banc.passer(301)
    for _ in range(6):
        banc.succes("a", 50, duree_s=1.0)
        banc.succes("b", 50, duree_s=1.0)
        banc.passer(10)
    assert banc.bascules == []


def test_qui_vient_de_refuser_n_est_pas_choisi_de_nouveau() -> None:
    banc = Banc({"a": 100, "b": 0, "c": 0})
    assert banc.choix(50) == {"a": 50}
    assert set(banc.choix(50, {"a"})) == {"b", "c"}
    with pytest.raises(AucunFournisseur):
        banc.choix(1, {"a", "b", "c"})


def test_un_fournisseur_seul_reste_le_seul() -> None:
    banc = Banc({"a": 100})
    banc.erreurs("a", 100)
    banc.echecs("a", 100)
    banc.passer(3600)
    assert banc.choix(10) == {"a": 10}
    assert banc.bascules == []


@pytest.mark.parametrize("configures", [{"a": 60, "b": 30}, {"a": 120, "b": -20}, {}])
def test_des_poids_impossibles_sont_refuses(configures: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="somme fait 100"):
        ProviderWeights(configures)


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, int]:
    coupes = sorted(draw(st.lists(st.integers(0, TOTAL), min_size=0, max_size=3)))
    bornes = [0, *coupes, TOTAL]
    return {f"f{rang}": fin - debut for rang, (debut, fin) in enumerate(pairwise(bornes))}


EVENEMENTS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["succes", "lent", "echecs", "erreurs", "choisir"]),
        st.sampled_from([0.0, 0.5, 11.0, 61.0, 600.0]),
        st.integers(1, 12),
    ),
    max_size=60,
)


@given(configurations(), EVENEMENTS)
def test_quoi_qu_il_arrive_les_points_font_cent_et_chaque_changement_est_dit(
    configures: dict[str, int], evenements: list[tuple[int, str, float, int]]
) -> None:
    banc = Banc(configures, Thresholds(erreurs_max=4, mesures_min=3))
    noms = list(configures)
    for rang, quoi, secondes, fois in evenements:
        nom = noms[rang % len(noms)]
        banc.passer(secondes)
        match quoi:
            case "succes":
                banc.succes(nom, fois)
            case "lent":
                banc.succes(nom, fois, duree_s=5.0)
            case "echecs":
                banc.echecs(nom, fois)
            case "erreurs":
                banc.erreurs(nom, fois)
            case "choisir":
                assert set(banc.choix(fois)) <= set(noms)
        assert sum(banc.points.values()) == TOTAL
        assert all(0 <= points <= TOTAL for points in banc.points.values())
    # What was recorded, added to the configured weights, is what there is.
    comptes = dict(configures)
    for bascule in banc.bascules:
        assert bascule.points > 0
        assert bascule.raison in (Raison.MUET, Raison.TOUS_MUETS) or bascule.points <= PAS
        comptes[bascule.de] -= bascule.points
        comptes[bascule.vers] += bascule.points
    assert comptes == banc.points
    if banc.bascules:
        assert banc.bascules[-1].poids == banc.points


@given(configurations(), EVENEMENTS)
def test_qui_repond_toujours_n_est_jamais_sans_points(
    configures: dict[str, int], evenements: list[tuple[int, str, float, int]]
) -> None:
    banc = Banc(configures, Thresholds(erreurs_max=4, mesures_min=3))
    noms = list(configures)
    for rang, quoi, secondes, fois in evenements:
        nom = noms[rang % len(noms)]
        banc.passer(secondes)
        if quoi == "erreurs":
            banc.erreurs(nom, fois)
        else:
            banc.succes(nom, fois, duree_s=5.0 if quoi == "lent" else 0.1)
        banc.choix(1)
        assert all(banc.points[nom] >= min(PAS, configures[nom]) for nom in noms)


@given(configurations(), EVENEMENTS)
def test_apres_deux_heures_de_calme_les_poids_sont_ceux_de_la_configuration(
    configures: dict[str, int], evenements: list[tuple[int, str, float, int]]
) -> None:
    banc = Banc(configures, Thresholds(erreurs_max=4))
    noms = list(configures)
    for rang, quoi, secondes, fois in evenements:
        banc.passer(secondes)
        if quoi in ("echecs", "erreurs"):
            (banc.echecs if quoi == "echecs" else banc.erreurs)(noms[rang % len(noms)], fois)
    for _ in range(12):
        banc.passer(600)
        banc.choix(1)
    assert banc.points == configures


def test_quand_tous_se_taisent_les_points_ne_vont_que_de_qui_en_a_trop_a_qui_en_manque() -> None:
    banc = Banc({"a": 50, "b": 30, "c": 20})
    banc.echecs("a", 5)
    banc.echecs("b", 5)
    banc.passer(60)
    banc.echecs("c", 5)
    assert banc.points == {"a": 50, "b": 30, "c": 20}
    assert [pas for pas in banc.pas if pas[3] is Raison.TOUS_MUETS] == [
        ("c", "a", 50, Raison.TOUS_MUETS),
        ("c", "b", 30, Raison.TOUS_MUETS),
    ]


def test_un_retour_rend_dix_points_en_tout_meme_entre_plusieurs() -> None:
    banc = Banc({"a": 60, "b": 25, "c": 15})
    banc.echecs("a", 5)
    banc.passer(600)
    assert sum(bascule.points for bascule in banc.poids.revenir()) == PAS
    assert banc.points["a"] == PAS


def test_un_succes_remet_a_zero_la_suite_des_echecs() -> None:
    banc = Banc({"a": 50, "b": 50})
    for _ in range(2):
        banc.echecs("a", 4)
        banc.succes("a")
    assert banc.bascules == []
    banc.echecs("a", 5)
    assert banc.pas == [("a", "b", 50, Raison.MUET)]


@pytest.mark.parametrize(
    ("a", "b", "mesures", "juge"),
    [
        (2.0, 1.0, 4, True),  # exactly twice as slow, and exactly enough measurements
        (2.0, 1.0, 3, False),
        (1.75, 1.0, 4, False),
        (0.5, 0.25, 4, True),  # exactly as long as somebody notices
        (0.4375, 0.125, 4, False),
    ],
)
def test_la_lenteur_se_juge_a_partir_de_ses_seuils(a: float, b: float, mesures: int, juge: bool) -> None:
    banc = Banc({"a": 50, "b": 50}, Thresholds(lenteur=2.0, lenteur_min_s=0.5, mesures_min=4, fenetre_lenteur_s=300))
    for _ in range(mesures):
        # One slice for each: slowness is judged when one begins.
        banc.succes("b", duree_s=b)
        banc.succes("a", duree_s=a)
        banc.passer(10)
    assert bool(banc.bascules) is juge


def test_apres_exactement_une_minute_de_repos_un_autre_changement_est_permis() -> None:
    banc = Banc({"a": 50, "b": 50}, Thresholds(lenteur=2.0, mesures_min=1, repos_s=60))
    banc.succes("b", duree_s=1.0)
    banc.succes("a", duree_s=4.0)
    assert len(banc.bascules) == 1
    banc.passer(59)
    banc.succes("a", duree_s=4.0)
    assert len(banc.bascules) == 1
    banc.passer(1)
    banc.succes("b", duree_s=1.0)
    banc.passer(10)
    banc.succes("a", duree_s=4.0)
    assert len(banc.bascules) == 2


def test_sans_hasard_donne_un_fournisseur_est_tire_quand_meme() -> None:
    assert ProviderWeights({"a": 100}).tirer() == "a"
