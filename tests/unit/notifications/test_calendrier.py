"""When an SMS may leave and when a digest does, by the clock of Lille and the days of France."""

import datetime as dt
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commun import PARIS
from services.notifications.planning.calendar import (
    Cadence,
    Heures,
    HeuresImpossibles,
    Regle,
    ferie,
    permis,
    prochain_creneau,
    prochain_resume,
)

REGLE = Regle()
TOUTE_LA_SEMAINE = frozenset(range(7))


def paris(texte: str, fold: int = 0) -> dt.datetime:
    """The moment when the clock of Paris shows this; `fold`: the second time."""
    return dt.datetime.fromisoformat(texte).replace(tzinfo=PARIS, fold=fold).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("at", "creneau"),
    [
        ("2026-03-02T08:00", "2026-03-02T08:00"),
        ("2026-03-02T19:59:59.999999", "2026-03-02T19:59:59.999999"),
        ("2026-03-02T07:59:59", "2026-03-02T08:00"),
        ("2026-03-02T20:00", "2026-03-03T08:00"),
        ("2026-03-07T20:00", "2026-03-09T08:00"),  # Saturday evening → Monday
        ("2026-03-08T12:00", "2026-03-09T08:00"),  # Sunday
        ("2026-07-14T10:00", "2026-07-15T08:00"),  # a holiday
        ("2026-04-04T21:00", "2026-04-07T08:00"),  # Easter: Sunday and Monday
        ("2025-12-24T20:00", "2025-12-26T08:00"),
        ("2025-12-31T23:59", "2026-01-02T08:00"),
    ],
)
def test_un_sms_attend_le_matin_d_un_jour_ouvert(at: str, creneau: str) -> None:
    assert prochain_creneau(paris(at), REGLE) == paris(creneau)


def test_l_alsace_et_la_moselle_ont_deux_jours_de_plus() -> None:
    alsace = Regle(alsace_moselle=True)
    for an in range(2024, 2034):
        jours = [dt.date(an, 1, 1) + dt.timedelta(days=n) for n in range(365)]
        de_plus = [jour for jour in jours if ferie(jour, alsace_moselle=True) and not ferie(jour)]
        assert len(de_plus) == 2
        assert de_plus[0].weekday() == 4
        assert de_plus[1] == dt.date(an, 12, 26)
        assert sum(ferie(jour) for jour in jours) in (10, 11)  # 11; in some years two of them on one day
    assert prochain_creneau(paris("2026-04-03T12:00"), REGLE) == paris("2026-04-03T12:00")
    assert prochain_creneau(paris("2026-04-03T12:00"), alsace) == paris("2026-04-04T08:00")
    assert prochain_creneau(paris("2026-12-25T12:00"), alsace) == paris("2026-12-28T08:00")


def test_les_jours_feries_et_le_dimanche_peuvent_etre_ouverts() -> None:
    assert permis(paris("2026-07-14T10:00"), Regle(feries=False))
    assert permis(paris("2026-03-08T10:00"), Regle(jours=TOUTE_LA_SEMAINE))


def test_ses_propres_heures_resserrent_celles_de_tous_et_ne_les_elargissent_pas() -> None:
    sienne = REGLE.pour(Heures(dt.time(18), dt.time(22)))
    assert prochain_creneau(paris("2026-03-02T09:00"), sienne) == paris("2026-03-02T18:00")
    assert prochain_creneau(paris("2026-03-02T20:30"), sienne) == paris("2026-03-03T18:00")
    assert REGLE.pour(None) is REGLE


def test_des_heures_impossibles_sont_refusees_par_une_phrase() -> None:
    with pytest.raises(HeuresImpossibles, match=r"entre 8 h et 20 h : choisissez des heures qui en font partie\."):
        REGLE.pour(Heures(dt.time(20, 30), dt.time(22)))
    with pytest.raises(HeuresImpossibles, match=r"de 20 h 30 à 8 h : la première doit venir avant la seconde"):
        Heures(dt.time(20, 30), dt.time(8))
    with pytest.raises(HeuresImpossibles, match="au moins un jour"):
        Regle(jours=frozenset())


def test_une_date_sans_fuseau_est_refusee() -> None:
    with pytest.raises(ValueError, match="time zone"):
        prochain_creneau(dt.datetime(2026, 3, 2, 12), REGLE)  # noqa: DTZ001 - what is refused
    with pytest.raises(ValueError, match="time zone"):
        permis(dt.datetime(2026, 3, 2, 12), REGLE)  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize(
    ("at", "creneau"),
    [
        # Spring: 2:00 becomes 3:00 on Sunday, 29 March; autumn: 3:00 becomes 2:00 on Sunday, 25 October.
        ("2026-03-28T20:00", "2026-03-30T06:00+00:00"),
        ("2026-03-27T20:00", "2026-03-28T07:00+00:00"),
        ("2026-10-24T20:00", "2026-10-26T07:00+00:00"),
        ("2026-10-23T20:00", "2026-10-24T06:00+00:00"),
    ],
)
def test_huit_heures_reste_huit_heures_apres_le_changement_d_heure(at: str, creneau: str) -> None:
    assert prochain_creneau(paris(at), REGLE) == dt.datetime.fromisoformat(creneau)


def nuit(debut: str, fin: str) -> Regle:
    return Regle(Heures(dt.time.fromisoformat(debut), dt.time.fromisoformat(fin)), TOUTE_LA_SEMAINE, feries=False)


def test_la_nuit_ou_une_heure_manque() -> None:
    saut = dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC)  # 1:59:59 is followed by 3:00
    assert prochain_creneau(saut - dt.timedelta(hours=1), nuit("02:30", "06:00")) == saut
    assert not permis(saut - dt.timedelta(microseconds=1), nuit("02:30", "06:00"))
    # It has no moment at all in that night.
    assert prochain_creneau(saut, nuit("02:10", "02:50")) == paris("2026-03-30T02:10")
    assert permis(saut - dt.timedelta(microseconds=1), nuit("01:00", "02:30"))
    assert not permis(saut, nuit("01:00", "02:30"))


def test_la_nuit_ou_une_heure_vient_deux_fois() -> None:
    regle = nuit("02:30", "06:00")
    assert prochain_creneau(paris("2026-10-25T01:00"), regle) == paris("2026-10-25T02:30")
    assert permis(paris("2026-10-25T02:10", fold=1), regle)
    # What closes at 2:30 is closed from the first time on.
    avant = nuit("01:00", "02:30")
    assert not permis(paris("2026-10-25T02:30"), avant)
    assert not permis(paris("2026-10-25T02:10", fold=1), avant)
    assert prochain_creneau(paris("2026-10-25T02:10", fold=1), avant) == paris("2026-10-26T01:00")


INSTANTS = st.datetimes(
    dt.datetime.fromisoformat("2020-01-01"),
    dt.datetime.fromisoformat("2035-01-01"),
    timezones=st.sampled_from([dt.UTC, PARIS]),
)
HEURES = (
    st.tuples(st.times(dt.time(4)), st.times(dt.time(4))).filter(lambda deux: deux[0] != deux[1])
    .map(lambda deux: Heures(min(deux), max(deux)))
)  # fmt: skip
REGLES = st.builds(
    Regle,
    heures=HEURES | st.just(Heures()),
    jours=st.frozensets(st.integers(0, 6), min_size=1),
    feries=st.booleans(),
    alsace_moselle=st.booleans(),
)


def au_mur(at: dt.datetime, regle: Regle) -> bool:
    """The rule as one reads it from a clock and a calendar; true for hours that no change of the clock touches."""
    local = at.astimezone(PARIS)
    clos = regle.feries and ferie(local.date(), alsace_moselle=regle.alsace_moselle)
    return local.weekday() in regle.jours and not clos and regle.heures.debut <= local.time() < regle.heures.fin


def entre(debut: dt.datetime, fin: dt.datetime) -> Iterator[dt.datetime]:
    """Moments before `fin`, from `debut` on: dense at both ends."""
    ecart = fin - debut
    yield from (at for part in range(97) if (at := debut + ecart * part / 97) < fin)
    yield from (at for n in range(20) if (at := fin - dt.timedelta(microseconds=7**n)) >= debut)


@given(INSTANTS, REGLES)
def test_le_creneau_est_le_premier_moment_permis(at: dt.datetime, regle: Regle) -> None:
    creneau = prochain_creneau(at, regle)
    assert creneau >= at
    assert creneau.tzinfo is dt.UTC
    assert permis(creneau, regle)
    assert au_mur(creneau, regle)
    assert prochain_creneau(creneau, regle) == creneau
    assert not any(au_mur(avant, regle) or permis(avant, regle) for avant in entre(at.astimezone(dt.UTC), creneau))


@pytest.mark.parametrize(
    ("at", "cadence", "resume"),
    [
        ("2026-03-02T12:00", Cadence.QUOTIDIEN, "2026-03-02T18:00"),
        ("2026-03-02T18:00", Cadence.QUOTIDIEN, "2026-03-03T18:00"),
        ("2026-03-02T12:00", Cadence.HEBDOMADAIRE, "2026-03-05T18:00"),
        ("2026-03-05T17:59", Cadence.HEBDOMADAIRE, "2026-03-05T18:00"),
        ("2026-03-05T18:00", Cadence.HEBDOMADAIRE, "2026-03-12T18:00"),
        ("2026-03-28T19:00", Cadence.QUOTIDIEN, "2026-03-29T18:00"),
        ("2026-10-24T19:00", Cadence.QUOTIDIEN, "2026-10-25T18:00"),
        ("2026-03-27T12:00", Cadence.HEBDOMADAIRE, "2026-04-02T18:00"),
    ],
)
def test_le_resume_part_le_soir_et_le_jeudi(at: str, cadence: Cadence, resume: str) -> None:
    assert prochain_resume(paris(at), cadence) == paris(resume)


@given(
    INSTANTS,
    st.sampled_from([Cadence.QUOTIDIEN, Cadence.HEBDOMADAIRE]),
    st.times(),
    st.integers(0, 6),
)
def test_un_resume_vient_toujours_et_seulement_apres(
    at: dt.datetime, cadence: Cadence, heure: dt.time, jour: int
) -> None:
    resume = prochain_resume(at, cadence, heure, jour)
    assert at < resume <= at.astimezone(dt.UTC) + dt.timedelta(days=1 if cadence is Cadence.QUOTIDIEN else 7, hours=2)
    local = resume.astimezone(PARIS)
    assert cadence is Cadence.QUOTIDIEN or local.weekday() == jour
    assert local.time() == heure or dt.time(2) <= heure < dt.time(3)


def test_le_resume_de_la_nuit_ou_deux_heures_manque_part_a_trois() -> None:
    resume = prochain_resume(paris("2026-03-28T12:00"), Cadence.QUOTIDIEN, dt.time(2, 30))
    assert resume == paris("2026-03-29T03:00")
    doublee = prochain_resume(paris("2026-10-24T12:00"), Cadence.QUOTIDIEN, dt.time(2, 30))
    assert doublee == paris("2026-10-25T02:30")
    assert prochain_resume(doublee, Cadence.QUOTIDIEN, dt.time(2, 30)) == paris("2026-10-26T02:30")


def test_sans_resume_ni_jour_il_n_y_a_pas_de_date() -> None:
    with pytest.raises(ValueError, match="no digest"):
        prochain_resume(paris("2026-03-02T12:00"), Cadence.IMMEDIAT)
    with pytest.raises(ValueError, match="no day of the week"):
        prochain_resume(paris("2026-03-02T12:00"), Cadence.HEBDOMADAIRE, jour=7)
