"""When somebody is expected, as a file for their calendar (RFC 5545). Pure.

An annonce names days and weekly slots, not hours: those of HORAIRES are a proposal, and the event says so.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, vRecur, vText

from services.notifications.messages.wording import NBSP, courts, endroit

PARIS = ZoneInfo("Europe/Paris")
HORAIRES: Mapping[str, tuple[dt.time, dt.time]] = {
    "matin": (dt.time(9), dt.time(12)),
    "apres-midi": (dt.time(14), dt.time(18)),
    "soir": (dt.time(18), dt.time(21)),
}
_JOURS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_SEMAINE = dt.timedelta(days=7)
_JOURNEE = dt.timedelta(days=1)


@dataclass(frozen=True)
class Sujet:
    """`quand`: date_debut, date_fin, creneaux, lieu and a_distance, as in the JSON of an annonce. `lien`: its page."""

    annonce_id: str
    titre: str
    lien: str
    quand: Mapping[str, Any]


def calendrier(sujet: Sujet, domaine: str, cree: str) -> str | None:
    """One event per slot, each week of the period; else whole days. None when no day is named.

    The same annonce gives the same UIDs, so that a calendar updates what it has. `domaine` makes them unique in the
    world; `cree` is when the file was made (DTSTAMP), and may be a slot for it.
    """
    quand = sujet.quand
    if not quand["date_debut"]:
        return None
    debut = dt.date.fromisoformat(quand["date_debut"])
    fin = max(debut, dt.date.fromisoformat(quand["date_fin"] or quand["date_debut"]))
    agenda = Calendar()
    agenda.add("prodid", "-//Place des assos//notifications//FR")
    agenda.add("version", "2.0")
    agenda.add("method", "PUBLISH")
    evenements = list(_creneaux(quand["creneaux"], debut, fin)) or [("", _journees(debut, fin))]
    if any(code for code, _ in evenements):
        agenda.add_component(_fuseau(debut.year, fin.year))
    for code, evenement in evenements:
        partie = f".{code}" if code else ""
        evenement.add("uid", f"{sujet.annonce_id}{partie}@{domaine}")
        evenement["dtstamp"] = vText(cree)
        _decrire(evenement, sujet)
        agenda.add_component(evenement)
    return str(agenda.to_ical().decode())


@cache
def _fuseau(de: int, a: int) -> Timezone:
    """Europe/Paris with the changes of clocks in these years: it takes milliseconds to work out."""
    return Timezone.from_tzinfo(PARIS, first_date=dt.date(de, 1, 1), last_date=dt.date(a, 12, 31))


def _creneaux(codes: list[str], debut: dt.date, fin: dt.date) -> Iterator[tuple[str, Event]]:
    """Each slot whose day comes in the period. One that a newer list has, and we do not know, is left out."""
    for code in codes:
        nom, _, moment = code.partition("-")
        if nom not in _JOURS or moment not in HORAIRES:
            continue
        premier = debut + dt.timedelta(days=(_JOURS.index(nom) - debut.weekday()) % 7)
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
    heures = f"Créneaux{NBSP}: {courts(quand['creneaux'], 'creneaux')}. L’heure exacte est à convenir."
    evenement.add("summary", sujet.titre)
    evenement.add("description", f"{heures}\n{sujet.lien}" if quand["creneaux"] else sujet.lien)
    if lieu := endroit(quand["lieu"], quand["a_distance"]):
        evenement.add("location", lieu)
    evenement.add("url", sujet.lien)
    evenement.add("status", "CONFIRMED")
