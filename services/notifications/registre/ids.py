"""The ids of rows of the ledger: each is made of what its message is about, so that no message has two. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from contracts.notifications import Canal
from kit.ids import stable_id
from services.notifications.domain import Genre

_DEBUT = 12
"""Digits of an id of an alert that say of which annonce."""


def id_alerte(annonce_id: str, version: int, profil_id: str, canal: Canal) -> str:
    """One row per version of an annonce, profil and channel, however often the match is repeated: 32 hexadecimal
    digits, of which the first are those of the annonce. So the ledger finds its alerts without a further index, and
    writes them side by side. What remains names a row among those of its annonce: 80 bits."""
    return _debut(annonce_id) + stable_id(Genre.ALERTE, annonce_id, version, profil_id, canal)[_DEBUT:]


def alertes_de(annonce_id: str, apres: str | None = None) -> dict[str, Any]:
    """A filter over `envois`: the alerts of an annonce, those after `apres` in the order of their ids. Two annonces may
    share a range of ids, which is why it names the annonce too. Alerts of earlier versions are not among them
    (old_ids.py)."""
    debut = _debut(annonce_id)
    return {"_id": {"$gt": max(debut, apres or ""), "$lt": f"{debut}g"}, "annonce_id": annonce_id}


def id_calcule(ligne: Mapping[str, Any]) -> str:
    """The id that this version gives to what an alert is about, whichever version made the row."""
    if not ligne.get("ancienne"):
        return str(ligne["_id"])
    return id_alerte(ligne["annonce_id"], ligne["version"], ligne["profil_id"], Canal(ligne["canal"]))


@lru_cache(maxsize=1024)
def _debut(annonce_id: str) -> str:
    return stable_id(Genre.ALERTE, annonce_id)[:_DEBUT]


def id_message(genre: Genre, cause_id: str, compte_id: str, canal: Canal) -> str:
    """One row per cause (a decision, a reponse), person and channel."""
    return stable_id(genre, cause_id, compte_id, canal)
