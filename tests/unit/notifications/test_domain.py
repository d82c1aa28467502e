"""The life of an envoi: every step that is allowed, every step that is not, and the fate after each outcome."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envois import Etat, Motif, id_alerte
from contracts.notifications import Canal
from services.notifications import domain
from services.notifications.canaux.sms.canal import ENSEMBLE
from services.notifications.domain import Cloture, Genre, Suite
from services.notifications.registre.ids import alertes_de

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
DEMAIN = NOW + dt.timedelta(hours=20)

PERMISES = {
    (Etat.EN_FILE, Etat.REMISE),
    (Etat.EN_FILE, Etat.ANNULEE),
    (Etat.EN_FILE, Etat.SANS_CONSENTEMENT),
    (Etat.REMISE, Etat.REMIS),
    (Etat.REMISE, Etat.ECHEC_TEMPORAIRE),
    (Etat.REMISE, Etat.ECHEC_PERMANENT),
    (Etat.REMISE, Etat.INCERTAIN),
    (Etat.REMISE, Etat.ANNULEE),
    (Etat.REMISE, Etat.SANS_CONSENTEMENT),
    (Etat.ECHEC_TEMPORAIRE, Etat.REMISE),
    (Etat.ECHEC_TEMPORAIRE, Etat.ANNULEE),
    (Etat.ECHEC_TEMPORAIRE, Etat.SANS_CONSENTEMENT),
    (Etat.INCERTAIN, Etat.REMISE),
    (Etat.INCERTAIN, Etat.ANNULEE),
    (Etat.INCERTAIN, Etat.SANS_CONSENTEMENT),
    # Into a digest; back into the queue when its hour has not come.
    (Etat.EN_FILE, Etat.REGROUPEE),
    (Etat.REMISE, Etat.EN_FILE),
    (Etat.REMISE, Etat.ECHEC_TECHNIQUE),
    # What a receipt or a bounce says later.
    (Etat.REMIS, Etat.LIVRE),
    (Etat.REMIS, Etat.NON_LIVRE),
    (Etat.REMIS, Etat.ECHEC_PERMANENT),
    (Etat.INCERTAIN, Etat.LIVRE),
    (Etat.INCERTAIN, Etat.NON_LIVRE),
    (Etat.INCERTAIN, Etat.ECHEC_PERMANENT),
    (Etat.NON_LIVRE, Etat.LIVRE),
    (Etat.NON_LIVRE, Etat.ECHEC_PERMANENT),
}


@given(st.sampled_from(Etat), st.none() | st.sampled_from(Motif) | st.text(max_size=20))
def test_un_message_qui_finit_sans_etre_envoye_a_une_raison_qui_se_compte(etat: Etat, motif: str | None) -> None:
    raison = domain.non_envoye(etat, motif)
    fini = {Etat.ANNULEE, Etat.SANS_CONSENTEMENT, Etat.ECHEC_PERMANENT, Etat.ECHEC_TECHNIQUE}
    assert (raison is not None) == (etat in fini)
    assert raison is None or raison in {*Motif, domain.REFUSE, domain.ESSAIS_EPUISES}


@pytest.mark.parametrize("vers", Etat)
def test_un_message_n_avance_que_par_les_pas_permis(vers: Etat) -> None:
    assert domain.venant_de(vers) == sorted(de for de in Etat if (de, vers) in PERMISES)


def test_ce_qui_est_fini_n_est_jamais_remis_de_nouveau() -> None:
    for etat in set(Etat) - domain.OUVERTS:
        assert not domain.TRANSITIONS[etat] & domain.OUVERTS


@pytest.mark.parametrize(("tentatives", "secondes"), [(1, 1), (2, 5), (3, 30), (4, 300)])
def test_chaque_essai_manque_attend_plus_longtemps(tentatives: int, secondes: int) -> None:
    suite = domain.apres_report(tentatives, "smtp 451", NOW)
    assert suite == Suite(Etat.ECHEC_TEMPORAIRE, "smtp 451", NOW + dt.timedelta(seconds=secondes))


def test_apres_le_dernier_essai_un_refus_temporaire_est_un_echec_technique() -> None:
    assert domain.apres_report(domain.TENTATIVES_MAX, "smtp 451", NOW) == Suite(Etat.ECHEC_TECHNIQUE, "smtp 451")


def test_ce_qui_n_a_pas_commence_ne_coute_aucun_essai() -> None:
    suite = domain.non_commencee(NOW)
    assert suite.rendue
    assert suite.etat is Etat.ECHEC_TEMPORAIRE
    assert suite.reprise_at is not None


def test_une_issue_inconnue_est_reessayee_puis_reste_inconnue() -> None:
    premiere = domain.apres_inconnue(Canal.EMAIL, 1, Motif.BAIL_ECHU, NOW)
    assert (premiere.etat, premiere.reprise_at) == (Etat.INCERTAIN, NOW + dt.timedelta(seconds=1))
    derniere = domain.apres_inconnue(Canal.EMAIL, domain.TENTATIVES_MAX, Motif.BAIL_ECHU, NOW)
    assert (derniere.etat, derniere.reprise_at) == (Etat.INCERTAIN, None)


@pytest.mark.parametrize("canal", [Canal.SMS, Canal.PUSH])
def test_un_sms_d_issue_inconnue_ne_part_pas_deux_fois(canal: Canal) -> None:
    assert domain.apres_inconnue(canal, 1, Motif.BAIL_ECHU, NOW) == Suite(Etat.INCERTAIN, Motif.BAIL_ECHU)


@pytest.mark.parametrize(
    ("change", "attendu"),
    [
        ({}, None),
        ({"desabonne": True}, Suite(Etat.ANNULEE, Motif.DESABONNE)),
        ({"close": True}, Suite(Etat.ANNULEE, Motif.ANNONCE_CLOSE)),
        ({"joignable": False}, Suite(Etat.SANS_CONSENTEMENT, Motif.SANS_ADRESSE)),
        ({"accord": False}, Suite(Etat.SANS_CONSENTEMENT, Motif.CONSENTEMENT_ABSENT)),
        ({"pause": True}, Suite(Etat.ANNULEE, Motif.PAUSE)),
        ({"declinee": True}, Suite(Etat.ANNULEE, Motif.ANNONCE_DECLINEE)),
        ({"ouvert_at": DEMAIN}, Suite(Etat.EN_FILE, Motif.HEURES_CALMES, DEMAIN, rendue=True)),
        ({"genre": Genre.REPONSE_NOTEE, "ouvert_at": DEMAIN}, None),
        ({"genre": Genre.RESUME, "accord": False}, Suite(Etat.SANS_CONSENTEMENT, Motif.CONSENTEMENT_ABSENT)),
        ({"genre": Genre.RESUME, "pause": True}, Suite(Etat.ANNULEE, Motif.PAUSE)),
        ({"genre": Genre.REPONSE_RECUE, "accord": False, "pause": True}, None),
        ({"genre": Genre.CODE, "accord": False}, None),
        ({"genre": Genre.CODE, "age": dt.timedelta(minutes=16)}, Suite(Etat.ANNULEE, Motif.CODE_EXPIRE)),
    ],
)
def test_qui_ne_doit_plus_rien_recevoir_ne_recoit_rien(change: dict[str, object], attendu: Suite | None) -> None:
    faits: dict[str, object] = {
        "genre": Genre.ALERTE,
        "desabonne": False,
        "declinee": False,
        "ouvert_at": None,
        "close": False,
        "joignable": True,
        "accord": True,
        "pause": False,
        "age": dt.timedelta(seconds=1),
    }
    assert domain.dispense(**{**faits, **change}) == attendu  # type: ignore[arg-type]  # the table mixes the types


def test_une_annonce_retiree_est_close_pour_toute_version_une_pourvue_jusqu_a_la_sienne() -> None:
    assert Cloture(3, definitive=True).couvre(9)
    assert Cloture(3, definitive=False).couvre(3)
    assert not Cloture(3, definitive=False).couvre(4)


def test_un_lot_partage_ce_qui_attend_sans_depasser_ce_qu_un_arret_peut_repeter() -> None:
    assert domain.taille_lot(Canal.EMAIL, 1, 8) == 1
    assert domain.taille_lot(Canal.EMAIL, 9, 8) == 2
    assert domain.taille_lot(Canal.EMAIL, 5700, 8) == domain.LOT_MAX[Canal.EMAIL] == 16


def test_les_sms_d_un_lot_partent_ensemble_pour_qu_aucun_ne_reste_en_doute_sans_etre_parti() -> None:
    assert domain.LOT_MAX[Canal.SMS] <= ENSEMBLE
    assert [domain.lots_par_connexion(canal) for canal in (Canal.EMAIL, Canal.SMS, Canal.PUSH)] == [2, 1, 1]


def test_un_bail_est_prolonge_plusieurs_fois_avant_sa_fin() -> None:
    assert domain.BAIL.total_seconds() > 3 * domain.PROLONGATION_S


def test_les_identifiants_sont_stables_et_distincts() -> None:
    premier = id_alerte("a", 1, "p", Canal.EMAIL)
    assert premier == id_alerte("a", 1, "p", Canal.EMAIL)
    autres = {id_alerte("a", 2, "p", Canal.EMAIL), id_alerte("a", 1, "q", Canal.EMAIL)}
    assert premier not in autres
    assert len(autres) == 2


def test_les_alertes_d_une_annonce_sont_voisines_et_loin_des_autres() -> None:
    siennes = {id_alerte("a", version, f"p{n}", canal) for version in (1, 2) for n in range(50) for canal in Canal}
    assert len(siennes) == 300
    assert all(_dans(alertes_de("a"), envoi_id) for envoi_id in siennes)
    autres = [id_alerte(f"b{n}", 1, "p", Canal.EMAIL) for n in range(300)]
    assert not any(_dans(alertes_de("a"), envoi_id) for envoi_id in autres)
    milieu = sorted(siennes)[150]
    assert sum(_dans(alertes_de("a", apres=milieu), envoi_id) for envoi_id in siennes) == 149
    # A page that ended before this annonce begins at its beginning.
    assert alertes_de("a", apres="") == alertes_de("a")


def _dans(filtre: dict[str, Any], envoi_id: str) -> bool:
    return bool(filtre["_id"]["$gt"] < envoi_id < filtre["_id"]["$lt"])


@pytest.mark.parametrize("etat", list(Etat))
@pytest.mark.parametrize("reprise", [True, False])
def test_ce_qui_est_en_route_n_est_ni_fini_ni_inconnu(etat: Etat, reprise: bool) -> None:
    done = etat not in domain.OUVERTS or (etat is Etat.INCERTAIN and not reprise)
    assert domain.en_route(etat, None, reprise=reprise) is not done


@pytest.mark.parametrize("motif", sorted(domain.PROGRAMMES))
def test_ce_qui_attend_son_heure_n_est_en_retard_pour_personne(motif: Motif) -> None:
    assert not domain.en_route(Etat.EN_FILE, motif.value, reprise=True)
    assert domain.en_route(Etat.REMISE, motif.value, reprise=True)
