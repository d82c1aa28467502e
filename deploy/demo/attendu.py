"""Who must be alerted about an annonce, computed independently of the index that alerts people.

Matching compares each stored profil with the annonce, one by one. A copy of its rule here would drift from it, and give
other results for profils at the limit of their radius.
"""

from typing import Any

from contracts.annonces import Annonce, AnnoncePubliee
from contracts.matching import EvenementProfil, Profil
from deploy.bilan.topic_reader import events
from deploy.client import InternalApis


async def profils(bootstrap: str) -> dict[str, Profil]:
    """The latest version of every profil in the topic, by id."""
    latest: dict[str, Profil] = {}
    for received in await events(bootstrap, EvenementProfil.topic):
        profil = received.event.profil
        if profil.profil_id not in latest or latest[profil.profil_id].version <= profil.version:
            latest[profil.profil_id] = profil
    return latest


async def publiee(bootstrap: str, annonce_id: str) -> Annonce | None:
    """The annonce as its event AnnoncePubliee contains it; None before that event."""
    for received in await events(bootstrap, AnnoncePubliee.topic):
        if isinstance(received.event, AnnoncePubliee) and received.event.annonce.annonce_id == annonce_id:
            return received.event.annonce
    return None


async def concernes(interne: InternalApis, annonce: Annonce) -> dict[str, str]:
    """Profil id → account id, for every active profil that `annonce` concerns."""
    demande: dict[str, Any] = {"annonce": annonce.model_dump(mode="json"), "apres": None}
    found: dict[str, str] = {}
    while True:
        page = await interne.client("matching", roles=["systeme"]).post("/v1/interne/concernes", demande)
        found |= {qui["profil_id"]: qui["compte_id"] for qui in page["concernes"]}
        if page["suite"] is None:
            return found
        demande["apres"] = page["suite"]
