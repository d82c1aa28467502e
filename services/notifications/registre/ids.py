"""Ids of rows of the ledger. Each is derived from what its message is about, so that no message has two rows. Pure."""

from collections.abc import Mapping
from typing import Any

from contracts.envois import debut_des_alertes, id_alerte
from contracts.notifications import Canal
from kit.ids import stable_id
from services.notifications.domain import Genre


def alertes_de(annonce_id: str, apres: str | None = None) -> dict[str, Any]:
    """A filter over `envois` for the alerts of an annonce whose ids come after `apres`.

    It names the annonce too, because two annonces may share a range of ids. Alerts made by earlier versions of the code
    have other ids and are not found (old_ids.py).
    """
    debut = debut_des_alertes(annonce_id)
    return {"_id": {"$gt": max(debut, apres or ""), "$lt": f"{debut}g"}, "annonce_id": annonce_id}


def id_calcule(ligne: Mapping[str, Any]) -> str:
    """The id that the current version of the code gives to an alert, even if an earlier version made its row."""
    if not ligne.get("ancienne"):
        return str(ligne["_id"])
    return id_alerte(ligne["annonce_id"], ligne["version"], ligne["profil_id"], Canal(ligne["canal"]))


def id_message(genre: Genre, cause_id: str, compte_id: str, canal: Canal) -> str:
    """The id of a message other than an alert: one row per cause (a decision, a reponse), person and channel."""
    return stable_id(genre, cause_id, compte_id, canal)
