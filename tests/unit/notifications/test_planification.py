"""One alert, one person, one channel: now, later, in a digest, or not at all with a reason."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commun import PARIS
from contracts.envois import Motif
from contracts.notifications import Canal
from services.notifications.planning.calendar import Cadence, Heures, Regle, permis
from services.notifications.planning.plan import (
    DansResume,
    Faits,
    Maintenant,
    Plan,
    PlusTard,
    Preferences,
    Rien,
    planifier,
)

REGLE = Regle()
LUNDI_MIDI = dt.datetime(2026, 3, 2, 12, tzinfo=PARIS).astimezone(dt.UTC)
CE_SOIR = dt.datetime(2026, 3, 2, 18, tzinfo=PARIS).astimezone(dt.UTC)
JEUDI_SOIR = dt.datetime(2026, 3, 5, 18, tzinfo=PARIS).astimezone(dt.UTC)
LA_NUIT = dt.datetime(2026, 3, 2, 23, tzinfo=PARIS).astimezone(dt.UTC)
DEMAIN_MATIN = dt.datetime(2026, 3, 3, 8, tzinfo=PARIS).astimezone(dt.UTC)

TOUS = Preferences(canaux=frozenset(Canal))
MAIL, SMS, PUSH = (Faits(canal=canal, now=LUNDI_MIDI) for canal in (Canal.EMAIL, Canal.SMS, Canal.PUSH))


@pytest.mark.parametrize("faits", [MAIL, SMS, PUSH])
def test_une_alerte_part_tout_de_suite(faits: Faits) -> None:
    assert planifier(TOUS, faits, REGLE) == Maintenant()


def test_un_sms_attend_les_heures_permises_meme_urgent_et_un_mail_non() -> None:
    for urgent in (False, True):
        sms = replace(SMS, now=LA_NUIT, urgent=urgent)
        assert planifier(TOUS, sms, REGLE) == PlusTard(DEMAIN_MATIN, Motif.HEURES_CALMES)
        assert planifier(TOUS, replace(MAIL, now=LA_NUIT, urgent=urgent), REGLE) == Maintenant()


def test_un_sms_attend_ses_propres_heures() -> None:
    soir = replace(TOUS, heures=Heures(dt.time(18), dt.time(20)))
    assert planifier(soir, SMS, REGLE) == PlusTard(CE_SOIR, Motif.HEURES_CALMES)
    jamais = replace(TOUS, heures=Heures(dt.time(21), dt.time(22)))
    assert planifier(jamais, SMS, REGLE) == Rien(Motif.HEURES_IMPOSSIBLES)


def test_au_dela_du_budget_le_mail_attend_le_resume_et_le_sms_ne_part_pas() -> None:
    assert planifier(TOUS, replace(MAIL, normales=1), REGLE) == Maintenant()
    assert planifier(TOUS, replace(MAIL, normales=2), REGLE) == DansResume(CE_SOIR, Motif.BUDGET)
    assert planifier(TOUS, replace(SMS, normales=2), REGLE) == Rien(Motif.BUDGET)
    assert planifier(TOUS, replace(PUSH, normales=2), REGLE) == Rien(Motif.BUDGET)


def test_les_urgences_ont_leur_propre_budget() -> None:
    assert planifier(TOUS, replace(SMS, urgent=True, normales=9, urgentes=1), REGLE) == Maintenant()
    assert planifier(TOUS, replace(SMS, urgent=True, urgentes=2), REGLE) == Rien(Motif.BUDGET)
    assert planifier(TOUS, replace(SMS, urgentes=9), REGLE) == Maintenant()


@pytest.mark.parametrize(("cadence", "soir"), [(Cadence.QUOTIDIEN, CE_SOIR), (Cadence.HEBDOMADAIRE, JEUDI_SOIR)])
def test_qui_veut_des_resumes_en_recoit_et_rien_d_autre_sauf_urgence(cadence: Cadence, soir: dt.datetime) -> None:
    resumes = replace(TOUS, cadence=cadence)
    assert planifier(resumes, MAIL, REGLE) == DansResume(soir, Motif.RESUME)
    assert planifier(resumes, replace(MAIL, normales=9), REGLE) == DansResume(soir, Motif.RESUME)
    assert planifier(resumes, SMS, REGLE) == Rien(Motif.CADENCE)
    assert planifier(resumes, PUSH, REGLE) == Rien(Motif.CADENCE)
    for faits in (MAIL, SMS, PUSH):
        assert planifier(resumes, replace(faits, urgent=True), REGLE) == Maintenant()
    trop = replace(MAIL, urgent=True, urgentes=2)
    assert planifier(resumes, trop, REGLE) == DansResume(soir, Motif.BUDGET)


def test_une_pause_se_tait_jusqu_a_sa_date_et_le_dit() -> None:
    en_pause = replace(TOUS, pause_jusqua=LUNDI_MIDI + dt.timedelta(seconds=1))
    assert planifier(en_pause, replace(SMS, urgent=True), REGLE) == Rien(Motif.PAUSE)
    assert planifier(replace(TOUS, pause_jusqua=LUNDI_MIDI), SMS, REGLE) == Maintenant()


def test_pas_ce_besoin_l_emporte_sur_l_urgence() -> None:
    assert planifier(TOUS, replace(MAIL, urgent=True, annonce_declinee=True), REGLE) == Rien(Motif.ANNONCE_DECLINEE)
    assert planifier(Preferences(), replace(SMS, urgent=True), REGLE) == Rien(Motif.CONSENTEMENT_ABSENT)


INSTANTS = st.datetimes(
    dt.datetime.fromisoformat("2024-01-01"),
    dt.datetime.fromisoformat("2030-01-01"),
    timezones=st.just(
        dt.UTC,
    ),
)
PREFERENCES = st.builds(
    Preferences,
    cadence=st.sampled_from(Cadence),
    budget_semaine=st.integers(0, 4),
    budget_urgent=st.integers(0, 4),
    pause_jusqua=st.none() | INSTANTS,
    heures=st.sampled_from([None, Heures(dt.time(18), dt.time(19)), Heures(dt.time(4), dt.time(6))]),
    canaux=st.frozensets(st.sampled_from(Canal)),
    resume_heure=st.times(),
    resume_jour=st.integers(0, 6),
)
FAITS = st.builds(
    Faits,
    canal=st.sampled_from(Canal),
    now=INSTANTS,
    urgent=st.booleans(),
    normales=st.integers(0, 5),
    urgentes=st.integers(0, 5),
    annonce_declinee=st.booleans(),
)
ORDRE = [
    Motif.PAUSE,
    Motif.ANNONCE_DECLINEE,
    Motif.CONSENTEMENT_ABSENT,
    Motif.RESUME,
    Motif.CADENCE,
    Motif.BUDGET,
    Motif.HEURES_CALMES,
    Motif.HEURES_IMPOSSIBLES,
]


def raisons(p: Preferences, f: Faits) -> set[Motif]:
    """Every rule that applies, each by itself: the oracle of the order."""
    trop = f.urgentes >= p.budget_urgent if f.urgent else f.normales >= p.budget_semaine
    resumes = p.cadence is not Cadence.IMMEDIAT and not f.urgent
    sms = f.canal is Canal.SMS
    commune = p.heures is None or p.heures.fin > REGLE.heures.debut
    quand = {
        Motif.PAUSE: p.pause_jusqua is not None and f.now < p.pause_jusqua,
        Motif.ANNONCE_DECLINEE: f.annonce_declinee,
        Motif.CONSENTEMENT_ABSENT: f.canal not in p.canaux,
        Motif.RESUME: resumes and f.canal is Canal.EMAIL,
        Motif.CADENCE: resumes and f.canal is not Canal.EMAIL,
        Motif.BUDGET: trop,
        Motif.HEURES_IMPOSSIBLES: sms and not commune,
        Motif.HEURES_CALMES: sms and commune and not permis(f.now, REGLE.pour(p.heures)),
    }
    return {motif for motif, vrai in quand.items() if vrai}


def motif_de(plan: Plan) -> Motif | None:
    return None if isinstance(plan, Maintenant) else plan.motif


@given(PREFERENCES, FAITS)
def test_la_premiere_regle_qui_vaut_decide(preferences: Preferences, faits: Faits) -> None:
    plan = planifier(preferences, faits, REGLE)
    applicables = raisons(preferences, faits)
    assert motif_de(plan) == next((motif for motif in ORDRE if motif in applicables), None)


@given(PREFERENCES, FAITS)
def test_aucun_plan_ne_perd_une_alerte_ni_ne_l_envoie_a_une_heure_interdite(
    preferences: Preferences, faits: Faits
) -> None:
    plan = planifier(preferences, faits, REGLE)
    match plan:
        case Maintenant():
            assert faits.canal in preferences.canaux
            assert faits.canal is not Canal.SMS or permis(faits.now, REGLE)
        case PlusTard(a):
            assert faits.canal is Canal.SMS
            assert a > faits.now
            assert permis(a, REGLE.pour(preferences.heures))
        case DansResume(a):
            assert faits.canal is Canal.EMAIL
            assert faits.now < a <= faits.now + dt.timedelta(days=7, hours=2)
        case Rien(motif):
            assert motif in Motif


@given(PREFERENCES, FAITS)
def test_ce_qui_est_urgent_part_au_moins_aussi_tot(preferences: Preferences, faits: Faits) -> None:
    # With as much left of both budgets, urgency never delays an alert.
    egal = replace(faits, urgentes=faits.normales)
    meme_budget = replace(preferences, budget_urgent=preferences.budget_semaine)
    ordinaire = planifier(meme_budget, replace(egal, urgent=False), REGLE)
    urgent = planifier(meme_budget, replace(egal, urgent=True), REGLE)
    assert _quand(urgent, faits.now) <= _quand(ordinaire, faits.now)


def _quand(plan: Plan, now: dt.datetime) -> dt.datetime:
    match plan:
        case Maintenant():
            return now
        case PlusTard(a) | DansResume(a):
            return a
    return dt.datetime.max.replace(tzinfo=dt.UTC)
