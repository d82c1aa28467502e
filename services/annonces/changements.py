"""When and where an annonce takes place, and who is to be told that it changed. Pure: the present comes in.

Several edits within a while are told as one: the first sets the hour, and what is told is the difference between what
was known before it and what holds at that hour.
"""

import datetime as dt
from dataclasses import replace

from contracts.annonces import Annonce, Circonstances, CirconstancesChangees, Reponse
from contracts.commun import Identifiant
from kit.ids import stable_id
from services.annonces.contenu import ChangementADire
from services.annonces.domain import Changement, Fiche
from services.annonces.transitions import EN_LIGNE


def circonstances(annonce: Annonce) -> Circonstances:
    return Circonstances.model_validate({nom: getattr(annonce, nom) for nom in Circonstances.model_fields})


def noter(avant: Fiche, change: Changement, now: dt.datetime, delai: dt.timedelta) -> Changement:
    """`change` with what is to be told of it, `delai` after the first of several edits."""
    annonce, connu = change.fiche.annonce, change.fiche.a_dire
    if annonce.etat not in EN_LIGNE or circonstances(annonce) == circonstances(avant.annonce):
        return change
    a_dire = ChangementADire(
        avant=connu.avant if connu else circonstances(avant.annonce),
        change_at=now,
        dire_at=connu.dire_at if connu else now + delai,
    )
    return replace(change, fiche=replace(change.fiche, a_dire=a_dire))


def a_prevenir(lue: Fiche, reponse: Reponse) -> tuple[Identifiant, CirconstancesChangees] | None:
    """The event for one answer, and its id; None: this person knows, or nothing is different after all."""
    a_dire, apres = lue.a_dire, circonstances(lue.annonce)
    if a_dire is None or a_dire.avant == apres or reponse.deposee_at > a_dire.change_at:
        return None
    event = CirconstancesChangees(reponse=reponse, changees_at=a_dire.change_at, avant=a_dire.avant, apres=apres)
    return stable_id("circonstances", reponse.reponse_id, a_dire.change_at.isoformat()), event
