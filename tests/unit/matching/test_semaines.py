"""Weeks begin on Monday; an annonce counts once in each of its domaines, however often its event comes."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from services.matching import weekly_counts
from services.matching.weekly_counts import SEMAINE_S, Cellule

instants = st.integers(1_577_836_800, 2_208_988_800).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC))


@given(instants, instants)
def test_deux_instants_sont_de_la_meme_semaine_si_leur_lundi_est_le_meme(un: dt.datetime, autre: dt.datetime) -> None:
    def lundi(at: dt.datetime) -> dt.date:
        return at.date() - dt.timedelta(days=at.weekday())

    assert (weekly_counts.debut(un) == weekly_counts.debut(autre)) == (lundi(un) == lundi(autre))


@given(instants)
def test_un_instant_est_dans_sa_fenetre(at: dt.datetime) -> None:
    assert weekly_counts.debut(at) <= weekly_counts.instant(at) < weekly_counts.debut(at) + SEMAINE_S


@given(st.lists(st.tuples(st.integers(0, 11), st.sampled_from("abc"), st.text("xy", min_size=1))))
def test_ce_qui_revient_ne_compte_qu_une_fois(publications: list[tuple[int, str, str]]) -> None:
    table: dict[str, list[str]] = {}
    for partition, domaine, annonce_id in publications:
        cle = weekly_counts.cle(partition, Cellule("besoin", domaine, "lille-centre"))
        table[cle] = weekly_counts.avec(table.get(cle, []), annonce_id)
    nombres = weekly_counts.compter(table.items())
    for domaine in "abc":
        distinctes = {(p, a) for p, d, a in publications if d == domaine}
        assert nombres[Cellule("besoin", domaine, "lille-centre")] == len(distinctes)
