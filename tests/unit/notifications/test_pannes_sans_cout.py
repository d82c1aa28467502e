"""An outage costs nothing, however long: a message then has all its attempts, whatever the number of rounds."""

import datetime as dt
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from contracts.envois import Etat, Motif
from contracts.notifications import Canal
from services.notifications import domain
from services.notifications.domain import Suite

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


@dataclass
class Ligne:
    """What the ledger does with attempts: a claim adds one, `rendue` takes it back."""

    etat: Etat = Etat.EN_FILE
    tentatives: int = 0

    def prendre(self) -> None:
        assert self.etat in domain.venant_de(Etat.REMISE)
        self.etat = Etat.REMISE
        self.tentatives += 1

    def marquer(self, suite: Suite) -> None:
        assert self.etat in domain.venant_de(suite.etat)
        self.etat = suite.etat
        self.tentatives -= suite.rendue


@given(st.lists(st.integers(0, 1000), min_size=domain.TENTATIVES_MAX, max_size=domain.TENTATIVES_MAX))
def test_le_nombre_de_tours_d_une_panne_ne_compte_pas(rounds: list[int]) -> None:
    """An outage of so many rounds before each refusal: all refusals but the last are followed by another attempt."""
    ligne = Ligne()
    for essai, combien in enumerate(rounds, start=1):
        for _ in range(combien):
            ligne.prendre()
            ligne.marquer(domain.non_commencee(NOW))
        assert ligne.tentatives == essai - 1
        ligne.prendre()
        suite = domain.apres_report(ligne.tentatives, "smtp 451", NOW)
        ligne.marquer(suite)
        assert (suite.reprise_at is not None) == (essai < domain.TENTATIVES_MAX)


@given(st.integers(0, 1000), st.sampled_from(list(Canal)))
def test_un_tour_de_panne_est_suivi_du_prochain_aussi_vite_que_du_premier(rounds: int, canal: Canal) -> None:
    """Its pause does not grow: whoever comes back after ten minutes is not made to wait five more."""
    ligne = Ligne()
    for _ in range(rounds):
        ligne.prendre()
        suite = domain.non_commencee(NOW)
        ligne.marquer(suite)
        assert suite == Suite(Etat.ECHEC_TEMPORAIRE, Motif.INJOIGNABLE, NOW + domain.REPRISES[0], rendue=True)
    ligne.prendre()
    # An unknown outcome after it has the fate of a first one.
    assert domain.apres_inconnue(canal, ligne.tentatives, Motif.ISSUE_INCONNUE, NOW) == domain.apres_inconnue(
        canal, 1, Motif.ISSUE_INCONNUE, NOW
    )
