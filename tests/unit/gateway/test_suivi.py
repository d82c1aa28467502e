"""What became of a message, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envois import Etat
from gateway.pages.outcomes import Sort, sort


@pytest.mark.parametrize(
    ("etat", "motif", "libelle", "detail"),
    [
        ("en_file", None, "En cours d’envoi", ""),
        ("remise", None, "En cours d’envoi", ""),
        ("en_file", "pause", "En attente", "pause"),
        ("en_file", "heures_calmes", "En attente", "aux heures"),
        ("remis", "smtp 250", "Envoyé", ""),
        ("livre", "smpp DELIVRD 000", "Arrivé", ""),
        ("non_livre", "dsn 4.2.2", "Pas arrivé", "messagerie"),
        ("echec_permanent", "smtp 550 5.1.1", "Pas arrivé", "refusé"),
        ("echec_technique", "injoignable", "Pas arrivé", "ne répondait pas"),
        ("incertain", "bail_echu", "Peut-être arrivé", "confirmer"),
        ("annulee", "budget", "Pas envoyé", "cette semaine"),
        ("annulee", "pause", "Pas envoyé", "pause"),
        ("annulee", "annonce_declinee", "Pas envoyé", "pas cette fois"),
        ("annulee", "desabonne", "Pas envoyé", "arrêté cette alerte"),
        ("annulee", "annonce_close", "Pas envoyé", "pourvu"),
        ("sans_consentement", None, "Pas envoyé", "accepté"),
        ("regroupee", "resume", "Dans un résumé", ""),
        ("etat_de_demain", "motif_de_demain", "Enregistré", ""),
    ],
)
def test_chaque_etat_a_son_mot_et_sa_raison(etat: str, motif: str | None, libelle: str, detail: str) -> None:
    found = sort({"etat": etat, "motif": motif})
    assert found.libelle == libelle
    assert detail in found.detail.replace("\u00a0", " ")
    assert bool(found.detail) == bool(detail)


def test_chaque_etat_du_registre_a_son_mot() -> None:
    assert all(sort({"etat": etat}).libelle != "Enregistré" for etat in Etat)


def test_un_resume_dit_quand() -> None:
    assert sort({"etat": "regroupee", "resume_at": "2026-12-05T07:00:00Z"}).resume_at == "2026-12-05T07:00:00Z"
    assert sort({"etat": "regroupee"}).resume_at is None


@given(st.text(), st.none() | st.text())
def test_un_code_inconnu_ne_dit_rien_de_faux(etat: str, motif: str | None) -> None:
    assert sort({"etat": f"x{etat}", "motif": f"x{motif}"}) == Sort("Enregistré", "en-cours")
