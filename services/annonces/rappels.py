"""The reminder of the day before: when it is due, for whom, and what it says. Pure."""

import datetime as dt

from contracts.annonces import Annonce, EtatReponse, RappelDu, Reponse
from contracts.commun import JOURS, PARIS, Identifiant
from kit.ids import stable_id

_MOMENTS = (("soir", dt.time(18)), ("apres-midi", dt.time(12)), ("matin", dt.time(8)))
"""The latest first: from when a slot of the list creneaux may have begun."""


def prevu_at(jour: dt.date, heure: dt.time) -> dt.datetime:
    """The day before `jour` at `heure` in Paris, in UTC. An hour that the change of clocks skips or repeats: once."""
    if jour <= dt.date(1, 1, 2):
        # Nobody forbids such a date, and UTC has no instant for its eve.
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    return dt.datetime.combine(jour - dt.timedelta(days=1), heure, tzinfo=PARIS).astimezone(dt.UTC)


def debut_at(jour: dt.date, creneaux: list[str]) -> dt.datetime:
    """The latest moment of `jour` at which it may not have begun yet, in UTC: its last slot of that weekday."""
    moments = {code.removeprefix(f"{JOURS[jour.weekday()]}-") for code in creneaux}
    heure = next((debut for moment, debut in _MOMENTS if moment in moments), _MOMENTS[0][1])
    return dt.datetime.combine(jour, heure, tzinfo=PARIS).astimezone(dt.UTC)


def jours(now: dt.datetime, heure: dt.time) -> list[dt.date]:
    """The days of which it may be time to remind: today, and tomorrow once the hour has come."""
    ce_jour = now.astimezone(PARIS).date()
    return [jour for jour in (ce_jour, ce_jour + dt.timedelta(days=1)) if prevu_at(jour, heure) <= now]


def est_du(annonce: Annonce, reponse: Reponse, now: dt.datetime, heure: dt.time) -> bool:
    """Is it time to remind this person, if nobody has? From the hour on, until it begins.

    Whoever answers after the hour knows the date: they are reminded when they are accepted.
    """
    jour = annonce.date_debut
    if jour is None or not prevu_at(jour, heure) <= now < debut_at(jour, annonce.creneaux):
        return False
    if reponse.etat is EtatReponse.DEPOSEE:
        return reponse.deposee_at <= prevu_at(jour, heure)
    return reponse.etat is EtatReponse.ACCEPTEE


def rappel(annonce: Annonce, reponse: Reponse, jour: dt.date) -> tuple[Identifiant, RappelDu]:
    """The event and its id: the same for an answer and a day, for ever."""
    evenement = RappelDu(
        reponse=reponse,
        date_debut=jour,
        date_fin=annonce.date_fin,
        creneaux=annonce.creneaux,
        lieu=annonce.lieu,
        a_distance=annonce.a_distance,
    )
    return stable_id("rappel", reponse.reponse_id, jour.isoformat()), evenement
