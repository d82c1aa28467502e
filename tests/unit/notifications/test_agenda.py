"""A calendar file says when somebody is expected, in the time of Paris."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event, vRecur

from contracts import references
from services.notifications.messages.calendar_file import HORAIRES, Sujet, calendrier

PARIS = ZoneInfo("Europe/Paris")
CREE = "20270312T090000Z"


def quand(debut: str | None, fin: str | None, *creneaux: str) -> dict[str, Any]:
    lieu = {"quartier": "fives"}
    return {"date_debut": debut, "date_fin": fin, "creneaux": list(creneaux), "lieu": lieu, "a_distance": False}


def evenements(valeurs: dict[str, Any], titre: str = "Déménager, vite; bien") -> list[Event]:
    fichier = calendrier(Sujet("a1", titre, "https://place.exemple/annonces/a1", valeurs), "place.exemple", CREE)
    assert fichier is not None
    agenda = Calendar.from_ical(fichier)
    assert agenda["method"] == "PUBLISH"
    return [e for e in agenda.walk("VEVENT") if isinstance(e, Event)]


def jusqu_a(e: Event) -> dt.datetime:
    """When the repetition ends."""
    regle = e["rrule"]
    assert isinstance(regle, vRecur)
    (fin,) = regle["UNTIL"]
    assert isinstance(fin, dt.datetime)
    return fin


def test_un_creneau_d_un_jour_a_ses_heures() -> None:
    (e,) = evenements(quand("2027-03-13", "2027-03-13", "samedi-matin"))
    assert e.decoded("dtstart") == dt.datetime(2027, 3, 13, 9, tzinfo=PARIS)
    assert e.decoded("dtend") == dt.datetime(2027, 3, 13, 12, tzinfo=PARIS)
    assert e["uid"] == "a1.samedi-matin@place.exemple"
    assert "rrule" not in e
    assert e["summary"] == "Déménager, vite; bien"
    assert e["location"] == "Fives"
    assert "L’heure exacte est à convenir" in str(e["description"])


def test_un_creneau_revient_chaque_semaine_et_garde_son_heure_au_changement_d_heure() -> None:
    (e,) = evenements(quand("2027-03-20", "2027-04-05", "samedi-matin"))
    assert jusqu_a(e) == dt.datetime(2027, 4, 3, 7, tzinfo=dt.UTC)
    fichier = calendrier(Sujet("a1", "T", "l", quand("2027-03-20", "2027-04-05", "samedi-matin")), "d", CREE)
    assert fichier is not None
    assert fichier.count("BEGIN:DAYLIGHT") >= 1
    assert "DTSTART;TZID=Europe/Paris:20270320T090000" in fichier


def test_sans_creneau_les_jours_entiers_sont_marques_sans_occuper_personne() -> None:
    (e,) = evenements(quand("2027-03-13", "2027-03-15"))
    assert (e.decoded("dtstart"), e.decoded("dtend")) == (dt.date(2027, 3, 13), dt.date(2027, 3, 16))
    assert e["transp"] == "TRANSPARENT"
    assert e["uid"] == "a1@place.exemple"


@pytest.mark.parametrize("creneau", ["dimanche-soir", "samedi-nuit", "jour-matin"])
def test_un_creneau_qui_ne_vient_pas_ou_inconnu_laisse_le_jour_entier(creneau: str) -> None:
    (e,) = evenements(quand("2027-03-13", None, creneau))
    assert e.decoded("dtstart") == dt.date(2027, 3, 13)


def test_sans_jours_il_n_y_a_pas_de_fichier() -> None:
    assert calendrier(Sujet("a1", "T", "l", quand(None, None, "samedi-matin")), "d", CREE) is None


def test_chaque_creneau_de_la_liste_a_ses_heures() -> None:
    tous = list(references.valeurs("creneaux"))
    trouves = evenements(quand("2027-03-08", "2027-03-14", *tous))
    assert {e["uid"] for e in trouves} == {f"a1.{code}@place.exemple" for code in tous}
    for e in trouves:
        code = str(e["uid"]).partition(".")[2].partition("@")[0]
        assert e.decoded("dtstart").timetz().replace(tzinfo=None) == HORAIRES[code.partition("-")[2]][0]


@settings(deadline=None, max_examples=50)
@given(
    debut=st.dates(dt.date(2026, 1, 1), dt.date(2030, 12, 31)),
    duree=st.integers(0, 60),
    creneau=st.sampled_from(sorted(references.valeurs("creneaux"))),
    titre=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=200),
)
def test_chaque_rendez_vous_est_dans_les_jours_de_l_annonce(
    debut: dt.date, duree: int, creneau: str, titre: str
) -> None:
    fin = debut + dt.timedelta(days=duree)
    for e in evenements(quand(debut.isoformat(), fin.isoformat(), creneau), titre):
        de = e.decoded("dtstart")
        premier = de.date() if isinstance(de, dt.datetime) else de
        assert debut <= premier <= fin
        if "rrule" in e:
            assert premier < jusqu_a(e).astimezone(PARIS).date() <= fin


@pytest.mark.parametrize(
    ("creneau", "debut", "fin"), [("samedi-matin", 9, 12), ("samedi-apres-midi", 14, 18), ("samedi-soir", 18, 21)]
)
def test_une_demi_journee_a_les_heures_que_tout_le_monde_lui_donne(creneau: str, debut: int, fin: int) -> None:
    (e,) = evenements(quand("2027-03-13", "2027-03-13", creneau))
    assert (e.decoded("dtstart").hour, e.decoded("dtend").hour) == (debut, fin)
