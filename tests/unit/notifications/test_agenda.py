"""A calendar file says when somebody is expected, in the time of Paris."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event, vRecur

from contracts import references
from services.notifications.messages.calendar_file import (
    HORAIRES,
    Methode,
    Organisateur,
    Sujet,
    calendrier,
    flux,
)

PARIS = ZoneInfo("Europe/Paris")
CREE = "20270312T090000Z"
PLACE = Organisateur("Place des assos", "ne-pas-repondre@place.exemple")


def quand(debut: str | None, fin: str | None, *creneaux: str) -> dict[str, Any]:
    lieu = {"quartier": "fives"}
    return {"date_debut": debut, "date_fin": fin, "creneaux": list(creneaux), "lieu": lieu, "a_distance": False}


def evenements(valeurs: dict[str, Any], titre: str = "Déménager, vite; bien") -> list[Event]:
    fichier = calendrier([Sujet("a1", titre, "https://place.exemple/reponses/a1", valeurs)], PLACE, CREE)
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
    fichier = calendrier([Sujet("a1", "T", "l", quand("2027-03-20", "2027-04-05", "samedi-matin"))], PLACE, CREE)
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
    assert calendrier([Sujet("a1", "T", "l", quand(None, None, "samedi-matin"))], PLACE, CREE) is None


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


def lu_par_un_autre(fichier: str) -> list[Any]:
    """The events as vobject reads and validates them: another library than the one that writes."""
    agenda = vobject.readOne(fichier)
    agenda.validate()
    return list(agenda.vevent_list)


def test_un_fichier_nomme_qui_organise_et_un_autre_programme_le_lit() -> None:
    sujet = Sujet(
        "r1",
        "Déménager, vite; bien",
        "https://place.exemple/reponses/r1",
        quand("2027-03-13", "2027-03-13", "samedi-matin", "dimanche-soir"),
        sequence=3,
        rendez_vous="12 rue de Bavay, 2e étage",
        a_apporter="des gants",
    )
    fichier = calendrier([sujet], PLACE, CREE)
    assert fichier is not None
    (e,) = lu_par_un_autre(fichier)
    assert e.organizer.value == "mailto:ne-pas-repondre@place.exemple"
    assert e.organizer.cn_param == "Place des assos"
    assert (e.uid.value, e.sequence.value, e.status.value) == ("r1.samedi-matin@place.exemple", "3", "CONFIRMED")
    assert e.location.value == "12 rue de Bavay, 2e étage, Fives"
    assert "À apporter\u00a0: des gants" in e.description.value
    assert e.dtstart.value.astimezone(PARIS) == dt.datetime(2027, 3, 13, 9, tzinfo=PARIS)
    # RFC 5546, 3.2.1: somebody publishes, and asks nobody for an answer.
    assert not hasattr(e, "attendee")


def test_une_annulation_a_le_nom_de_ce_qu_elle_retire_et_un_numero_plus_grand() -> None:
    jours = quand("2027-03-13", "2027-03-20", "samedi-matin", "samedi-soir")
    publie = calendrier([Sujet("r1", "T", "l", jours, sequence=1)], PLACE, CREE)
    annule = calendrier([Sujet("r1", "T", "l", jours, sequence=2)], PLACE, CREE, Methode.CANCEL)
    assert publie is not None
    assert annule is not None
    assert vobject.readOne(annule).method.value == "CANCEL"
    avant, apres = lu_par_un_autre(publie), lu_par_un_autre(annule)
    assert {e.uid.value for e in avant} == {e.uid.value for e in apres}
    assert {e.status.value for e in apres} == {"CANCELLED"}
    assert all(int(e.sequence.value) == 2 and hasattr(e, "organizer") for e in apres)


def test_un_calendrier_a_tous_les_engagements_et_vide_en_reste_un() -> None:
    cree = dt.datetime(2027, 3, 12, 9, tzinfo=dt.UTC)
    sujets = [
        Sujet("r1", "Un", "l", quand("2027-03-13", None, "samedi-matin")),
        Sujet("r2", "Deux", "l", quand("2029-05-01", None)),
        Sujet("r3", "Quand vous voulez", "l", quand(None, None)),
    ]
    trouves = lu_par_un_autre(flux(sujets, PLACE, "Mes engagements", cree))
    assert [e.summary.value for e in trouves] == ["Un", "Deux"]
    assert vobject.readOne(flux([], PLACE, "Mes engagements", cree)).method.value == "PUBLISH"
