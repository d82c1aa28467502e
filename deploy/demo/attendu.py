"""Who must be alerted: by brute force over every profil in the topic, with the rule of concern, without the index."""

from contracts.annonces import Annonce, AnnoncePubliee
from contracts.matching import Destinataire, EvenementProfil, Profil
from deploy.bilan.topic_reader import events
from services.matching.scoring import correspond


async def profils(bootstrap: str) -> dict[str, Profil]:
    """The latest version of every profil, by id."""
    latest: dict[str, Profil] = {}
    for received in await events(bootstrap, EvenementProfil.topic):
        profil = received.event.profil
        if profil.profil_id not in latest or latest[profil.profil_id].version <= profil.version:
            latest[profil.profil_id] = profil
    return latest


async def publiee(bootstrap: str, annonce_id: str) -> Annonce | None:
    """The annonce as its event AnnoncePubliee says, None before."""
    for received in await events(bootstrap, AnnoncePubliee.topic):
        if isinstance(received.event, AnnoncePubliee) and received.event.annonce.annonce_id == annonce_id:
            return received.event.annonce
    return None


def attendus(annonce: Annonce, tous: dict[str, Profil]) -> dict[str, Destinataire]:
    """profil id → match, for every active profil whom `annonce` concerns."""
    found = {id_: correspond(annonce, profil) for id_, profil in tous.items() if profil.actif}
    return {id_: destinataire for id_, destinataire in found.items() if destinataire is not None}
