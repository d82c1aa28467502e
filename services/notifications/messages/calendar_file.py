"""When somebody is expected, as a file for their calendar (RFC 5545, sent as RFC 5546 says). Pure.

An annonce names days and weekly slots, not hours: those of HORAIRES are a proposal, and the event says so.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from icalendar import Calendar, Event, Timezone, vCalAddress, vRecur, vText

from contracts.commun import JOURS, PARIS
from services.notifications.messages.wording import NBSP, courts, endroit

HORAIRES: Mapping[str, tuple[dt.time, dt.time]] = {
    "matin": (dt.time(9), dt.time(12)),
    "apres-midi": (dt.time(14), dt.time(18)),
    "soir": (dt.time(18), dt.time(21)),
}
_SEMAINE = dt.timedelta(days=7)
_JOURNEE = dt.timedelta(days=1)
_RELIRE = dt.timedelta(hours=1)


class Methode(StrEnum):
    """The methods of RFC 5546 that are used: a REQUEST would ask each person for an answer that nobody reads."""

    PUBLISH = "PUBLISH"
    CANCEL = "CANCEL"


@dataclass(frozen=True)
class Organisateur:
    """Who keeps the events up to date: the platform. `adresse` is an e-mail address."""

    nom: str
    adresse: str

    @property
    def domaine(self) -> str:
        return self.adresse.rpartition("@")[2]


@dataclass(frozen=True)
class Sujet:
    """What somebody is expected for.

    `uid`: what the UIDs are made of, the id of the reponse (of the annonce in messages of older versions).
    `quand`: date_debut, date_fin, creneaux, lieu and a_distance, as in the JSON of an annonce. `lien`: a page.
    `sequence`: grows with each change, so that a calendar replaces what it has. `rendez_vous`: the private meeting
    point, "" where none is known; `a_apporter`: what to bring, or "".
    """

    uid: str
    titre: str
    lien: str
    quand: Mapping[str, Any]
    sequence: int = 0
    rendez_vous: str = ""
    a_apporter: str = ""


def calendrier(
    sujets: Sequence[Sujet], organisateur: Organisateur, cree: str, methode: Methode = Methode.PUBLISH
) -> str | None:
    """A file with the events of all `sujets`; None when they name no day.

    `cree` is when the file was made (DTSTAMP), and may be a slot for it. With CANCEL the events are withdrawn.
    """
    agenda = _agenda(methode)
    evenements = _evenements(sujets, organisateur, cree, methode)
    if not evenements:
        return None
    _remplir(agenda, sujets, evenements)
    return str(agenda.to_ical().decode())


def flux(sujets: Sequence[Sujet], organisateur: Organisateur, nom: str, cree: dt.datetime) -> str:
    """The calendar that programs read again and again. Without `sujets` it is empty, and still a calendar."""
    agenda = _agenda(Methode.PUBLISH)
    agenda.add("name", nom)
    # The name that programs older than RFC 7986 show.
    agenda.add("x-wr-calname", nom)
    agenda.add("refresh-interval", _RELIRE, parameters={"VALUE": "DURATION"})
    _remplir(agenda, sujets, _evenements(sujets, organisateur, horodatage(cree), Methode.PUBLISH))
    return str(agenda.to_ical().decode())


def horodatage(at: dt.datetime) -> str:
    """A moment as the files write it: UTC, 20270313T080000Z."""
    return f"{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def _agenda(methode: Methode) -> Calendar:
    agenda = Calendar()
    agenda.add("prodid", "-//Place des assos//notifications//FR")
    agenda.add("version", "2.0")
    agenda.add("method", methode.value)
    return agenda


def _remplir(agenda: Calendar, sujets: Sequence[Sujet], evenements: Sequence[Event]) -> None:
    if any(isinstance(evenement.decoded("dtstart"), dt.datetime) for evenement in evenements):
        dates = [sujet.quand[nom] for sujet in sujets for nom in ("date_debut", "date_fin") if sujet.quand[nom]]
        annees = [dt.date.fromisoformat(date).year for date in dates]
        agenda.add_component(_fuseau(min(annees), max(annees)))
    for evenement in evenements:
        agenda.add_component(evenement)


def _evenements(sujets: Sequence[Sujet], organisateur: Organisateur, cree: str, methode: Methode) -> list[Event]:
    evenements = []
    for sujet in sujets:
        for creneau, evenement in _jours(sujet.quand):
            partie = f".{creneau}" if creneau else ""
            evenement.add("uid", f"{sujet.uid}{partie}@{organisateur.domaine}")
            evenement["dtstamp"] = vText(cree)
            evenement.add("sequence", sujet.sequence)
            evenement["organizer"] = _adresse(organisateur)
            evenement.add("status", "CANCELLED" if methode is Methode.CANCEL else "CONFIRMED")
            _decrire(evenement, sujet)
            evenements.append(evenement)
    return evenements


def _jours(quand: Mapping[str, Any]) -> list[tuple[str, Event]]:
    """One event per slot, repeated each week of the period; else whole days. Empty when no day is named."""
    if not quand["date_debut"]:
        return []
    debut = dt.date.fromisoformat(quand["date_debut"])
    fin = max(debut, dt.date.fromisoformat(quand["date_fin"] or quand["date_debut"]))
    return list(_creneaux(quand["creneaux"], debut, fin)) or [("", _journees(debut, fin))]


@cache
def _fuseau(de: int, a: int) -> Timezone:
    """Europe/Paris with the changes of clocks in these years: it takes milliseconds to work out."""
    return Timezone.from_tzinfo(PARIS, first_date=dt.date(de, 1, 1), last_date=dt.date(a, 12, 31))


def _creneaux(codes: Sequence[str], debut: dt.date, fin: dt.date) -> Iterator[tuple[str, Event]]:
    """Each slot whose day comes in the period. One that a newer list has, and we do not know, is left out."""
    for code in codes:
        nom, _, moment = code.partition("-")
        if nom not in JOURS or moment not in HORAIRES:
            continue
        premier = debut + dt.timedelta(days=(JOURS.index(nom) - debut.weekday()) % 7)
        if premier <= fin:
            yield code, _hebdomadaire(premier, fin, *HORAIRES[moment])


def _hebdomadaire(premier: dt.date, fin: dt.date, de: dt.time, a: dt.time) -> Event:
    evenement = Event()
    evenement.add("dtstart", dt.datetime.combine(premier, de, PARIS))
    evenement.add("dtend", dt.datetime.combine(premier, a, PARIS))
    if semaines := (fin - premier) // _SEMAINE:
        dernier = dt.datetime.combine(premier + semaines * _SEMAINE, de, PARIS)
        evenement.add("rrule", vRecur(FREQ="WEEKLY", UNTIL=dernier.astimezone(dt.UTC)))
    return evenement


def _journees(debut: dt.date, fin: dt.date) -> Event:
    evenement = Event()
    evenement.add("dtstart", debut)
    # The end of whole days is the day after.
    evenement.add("dtend", fin + _JOURNEE)
    # Nobody is taken for a whole day, let alone for several.
    evenement.add("transp", "TRANSPARENT")
    return evenement


def _decrire(evenement: Event, sujet: Sujet) -> None:
    quand = sujet.quand
    lignes = []
    if quand["creneaux"]:
        lignes.append(f"Créneaux{NBSP}: {courts(quand['creneaux'], 'creneaux')}. L’heure exacte est à convenir.")
    if sujet.a_apporter:
        lignes.append(f"À apporter{NBSP}: {sujet.a_apporter}")
    evenement.add("summary", sujet.titre)
    evenement.add("description", "\n".join([*lignes, sujet.lien]))
    quartier = endroit(quand["lieu"], quand["a_distance"])
    if lieu := ", ".join(partie for partie in (sujet.rendez_vous, quartier) if partie):
        evenement.add("location", lieu)
    evenement.add("url", sujet.lien)


def _adresse(organisateur: Organisateur) -> vCalAddress:
    adresse = vCalAddress(f"mailto:{organisateur.adresse}")
    # A quote has no way to be written in a parameter.
    adresse.params["CN"] = vText(organisateur.nom.replace('"', "’"))
    return adresse
