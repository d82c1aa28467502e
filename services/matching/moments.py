"""When an annonce takes place, as slots of the week. Pure."""

import datetime as dt

from contracts import references
from contracts.annonces import Annonce
from contracts.commun import JOURS


def jours(annonce: Annonce) -> frozenset[str]:
    """The weekdays of its dates, both ends included; empty: no matter which. A beginning without an end is one day, an
    end without a beginning a last day."""
    debut = annonce.date_debut
    if debut is None:
        return frozenset()
    duree = max(0, ((annonce.date_fin or debut) - debut).days)
    if duree >= len(JOURS) - 1:
        return frozenset()
    return frozenset(JOURS[(debut + dt.timedelta(days=jour)).weekday()] for jour in range(duree + 1))


def creneaux(annonce: Annonce) -> list[str]:
    """The slots in which somebody must be free; empty: any will do.

    A date gives its weekday, and the half-days are those that the annonce names for it; where it names none, all of the
    day. Slots that lie on none of its dates are what its author wrote: they stand as they are.
    """
    dates = jours(annonce)
    if not dates:
        return annonce.creneaux
    ces_jours = [code for code in annonce.creneaux if code.partition("-")[0] in dates]
    if ces_jours or annonce.creneaux:
        return ces_jours or annonce.creneaux
    return [code for code in references.valeurs("creneaux") if code.partition("-")[0] in dates]
