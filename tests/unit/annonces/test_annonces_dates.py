"""The days of an annonce: which ones can be, and until when it stays online."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commun import JOURS, PARIS
from services.annonces import dates
from services.annonces.dates import (
    DUREE_HABITUELLE,
    DUREE_MAXIMALE,
    HORIZON,
    ChampInvalide,
    Dates,
    fin_de_parution,
    fin_du_jour,
)
from tests.unit.annonces.fabrique import NOW

AUJOURDHUI = NOW.astimezone(PARIS).date()


def jours(debut: str | None = None, fin: str | None = None, creneaux: Any = ()) -> Dates:
    lus = [dt.date.fromisoformat(jour) if jour else None for jour in (debut, fin)]
    return Dates(lus[0], lus[1], creneaux)


@pytest.mark.parametrize(
    ("voulues", "champ", "dit"),
    [
        (jours("2026-04-02", "2026-04-01"), "date_fin", "précède"),
        (jours(None, "2026-03-01"), "date_fin", "passée"),
        (jours("2020-01-01"), "date_debut", "passée"),
        (jours("2026-03-01", "2026-03-20"), "date_debut", "passée"),
        (jours("2028-03-04"), "date_debut", "deux ans"),
        (jours("2026-03-10", "2099-01-01"), "date_fin", "deux ans"),
        (jours("2026-12-05", "2026-12-05", ["mardi-matin"]), "creneaux", "est un samedi"),
        (jours("2026-12-05", None, ["samedi-matin", "mardi-matin"]), "creneaux", "mardi matin"),
        (jours("2026-12-05", "2026-12-06", ["lundi-soir"]), "creneaux", "pas de lundi"),
        (jours(None, "2026-03-04", ["jeudi-soir"]), "creneaux", "pas de jeudi"),
    ],
)
def test_des_jours_qui_ne_peuvent_pas_etre_sont_refuses_a_leur_champ(voulues: Dates, champ: str, dit: str) -> None:
    with pytest.raises(ChampInvalide, match=dit) as refus:
        dates.verifier(voulues, NOW)
    assert refus.value.champ == champ


@pytest.mark.parametrize(
    "voulues",
    [
        jours(),
        jours(None, None, ["mardi-matin"]),
        jours("2026-03-02", "2026-03-02"),
        jours("2026-03-02"),
        jours("2026-12-05", None, ["samedi-matin", "samedi-soir"]),
        jours("2026-12-05", "2026-12-11", ["vendredi-soir"]),
        jours(None, "2026-03-04", ["lundi-soir", "mercredi-soir"]),
    ],
)
def test_des_jours_qui_s_accordent_sont_acceptes(voulues: Dates) -> None:
    dates.verifier(voulues, NOW)


def test_ce_qui_a_commence_se_corrige_sans_changer_son_premier_jour() -> None:
    commencee = jours("2026-03-01", "2026-03-20")
    assert commencee.debut
    dates.verifier(commencee, NOW, debut_connu=commencee.debut)
    with pytest.raises(ChampInvalide, match="passée"):
        dates.verifier(commencee, NOW, debut_connu=commencee.debut - dt.timedelta(days=1))
    with pytest.raises(ChampInvalide, match="passée"):
        dates.verifier(jours("2026-03-01"), NOW, debut_connu=commencee.debut)


def test_une_annonce_reste_en_ligne_jusqu_a_la_fin_de_son_dernier_jour() -> None:
    assert fin_de_parution(jours(), None, NOW) == NOW + DUREE_HABITUELLE
    assert fin_de_parution(jours("2026-12-02"), None, NOW) == dt.datetime(2026, 12, 2, 23, tzinfo=dt.UTC)
    assert fin_de_parution(jours("2026-06-01", "2026-06-03"), None, NOW) == dt.datetime(2026, 6, 3, 22, tzinfo=dt.UTC)
    assert fin_de_parution(jours(None, "2027-12-14"), None, NOW) == dt.datetime(2027, 12, 14, 23, tzinfo=dt.UTC)


def test_une_annonce_sans_date_reste_en_ligne_le_temps_que_son_auteur_choisit() -> None:
    voulue = dt.datetime(2026, 4, 1, 10, 0, 0, 123456, tzinfo=dt.UTC)
    assert fin_de_parution(jours(), voulue, NOW) == voulue.replace(microsecond=123000)


@pytest.mark.parametrize(
    ("voulues", "voulue", "dit"),
    [
        (jours(), NOW, "passée"),
        (jours(), NOW + DUREE_MAXIMALE + dt.timedelta(seconds=1), "180"),
        (jours("2026-12-05"), fin_du_jour(dt.date(2026, 12, 4)), "05/12/2026"),
        (jours("2026-12-05"), fin_du_jour(dt.date(2026, 12, 6)), "05/12/2026"),
    ],
)
def test_une_fin_qui_contredit_les_jours_est_refusee(voulues: Dates, voulue: dt.datetime, dit: str) -> None:
    with pytest.raises(ChampInvalide, match=dit) as refus:
        fin_de_parution(voulues, voulue, NOW)
    assert refus.value.champ == "expire_at"


_JOURS = st.dates(AUJOURDHUI - dt.timedelta(days=40), AUJOURDHUI + HORIZON + dt.timedelta(days=40))


@given(st.none() | _JOURS, st.none() | _JOURS, st.sets(st.sampled_from(JOURS)))
def test_ce_qui_est_accepte_a_encore_un_jour_a_venir_et_chaque_creneau_y_tombe(
    debut: dt.date | None, fin: dt.date | None, semaine: set[str]
) -> None:
    voulues = Dates(debut, fin, [f"{jour}-matin" for jour in sorted(semaine)])
    try:
        dates.verifier(voulues, NOW)
    except ChampInvalide:
        return
    dernier = voulues.dernier_jour
    if dernier is None:
        return
    assert (debut or AUJOURDHUI) >= AUJOURDHUI
    assert fin_de_parution(voulues, None, NOW) == fin_du_jour(dernier) > NOW
    tous = [(debut or AUJOURDHUI) + dt.timedelta(days=n) for n in range((dernier - (debut or AUJOURDHUI)).days + 1)]
    assert semaine <= {JOURS[jour.weekday()] for jour in tous}


@pytest.mark.parametrize(
    ("jour", "heure_utc"),
    [("2026-03-28", 23), ("2026-03-29", 22), ("2026-10-24", 22), ("2026-10-25", 23)],
)
def test_un_jour_finit_a_minuit_a_paris_en_toute_saison(jour: str, heure_utc: int) -> None:
    fin = fin_du_jour(dt.date.fromisoformat(jour))
    assert (fin.date().isoformat(), fin.hour) == (jour, heure_utc)


@given(st.dates(max_value=dt.date(9999, 12, 30)))
def test_chaque_jour_a_une_fin(jour: dt.date) -> None:
    assert fin_du_jour(jour).tzinfo is dt.UTC
