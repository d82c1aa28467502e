"""Checks that matching has searched for people to alert about every published annonce.

Matching tells which version of each annonce it has searched for. A publication without a search is in progress while
its event waits to be published or consumed; otherwise it is unexplained. Reads in this order: the offsets committed by
matching, the publications, the topics, the answers of matching.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from contracts.annonces import AnnoncePubliee, EtatAnnonce, EvenementAnnonce
from contracts.evenements import CATALOGUE
from deploy.bilan.reconciliation import Periode
from deploy.bilan.topic_reader import committed, records
from deploy.client import Client, InternalApis
from kit.errors import InvalidMessage
from kit.messaging.deadletters import dead_letter_topic, held_topic, origin, retry_topic
from kit.messaging.events import Record, decode

_SERVICE = "matching"
_TOPIC = EvenementAnnonce.topic
_MORTES = dead_letter_topic(_TOPIC, _SERVICE)
_LUS = [_TOPIC, retry_topic(_TOPIC, _SERVICE), held_topic(_TOPIC, _SERVICE), _MORTES]
_PAGE = 500


@dataclass
class Publication:
    """`version`: latest version known to be published; 1 when the topic no longer contains it. `a_lire`: one of its
    events waits to be published or consumed. `morte`: one is a dead letter."""

    annonce_id: str
    titre: str
    version: int = 1
    a_lire: bool = False
    morte: bool = False


@dataclass(frozen=True)
class Suivi:
    """What matching knows of an annonce. `appariee`: the version it has searched for, 0 for none."""

    etat: str
    appariee: int


def sans_recherche(publication: Publication, suivi: Suivi | None) -> bool:
    """True when people may not have been alerted. A closed or filled annonce needs no search."""
    if suivi is None:
        return True
    return suivi.etat == EtatAnnonce.PUBLIEE and suivi.appariee < publication.version


async def sans_appariement(
    kafka: str, interne: InternalApis, annonces: Collection[str] | None, periode: Periode
) -> list[Publication]:
    """The publications of a period, or of `annonces`, that matching has not searched for."""
    vues = {**await committed(kafka, _SERVICE), **await committed(kafka, f"{_SERVICE}.retry")}
    publications = await _publiees(interne.client("annonces", roles=["systeme"]), annonces, periode)
    async for record in records(kafka, _LUS):
        if (publication := publications.get((record.key or b"").decode("utf-8", "replace"))) is not None:
            _noter(publication, record, vues)
    suivis = await _suivis(interne.client(_SERVICE, roles=["systeme"]), list(publications))
    return [une for une in publications.values() if sans_recherche(une, suivis.get(une.annonce_id))]


def _noter(publication: Publication, record: Record, vues: Mapping[tuple[str, int], int]) -> None:
    try:
        event = decode(record, origin(record), CATALOGUE).event
    except (InvalidMessage, ValidationError):
        return
    if not isinstance(event, AnnoncePubliee):
        return
    publication.version = max(publication.version, event.annonce.version)
    if record.topic == _MORTES:
        publication.morte = True
    elif record.offset >= vues.get((record.topic, record.partition), 0):
        publication.a_lire = True


async def _publiees(client: Client, annonces: Collection[str] | None, periode: Periode) -> dict[str, Publication]:
    bornes = {nom: at.isoformat() for nom, at in (("debut", periode.debut), ("fin", periode.fin)) if at is not None}
    trouvees: dict[str, Publication] = {}
    for ids in [None] if annonces is None else list(_par_pages(sorted(annonces))):
        demande: dict[str, Any] = {**bornes, "annonce_ids": ids}
        while True:
            page = await client.post("/v1/interne/publications", demande)
            for une in page["publications"]:
                publication = Publication(une["annonce_id"], une["titre"], a_lire=une["a_publier"])
                trouvees[publication.annonce_id] = publication
            if page["suite"] is None:
                break
            demande["apres"] = page["suite"]
    return trouvees


async def _suivis(client: Client, annonce_ids: list[str]) -> dict[str, Suivi]:
    trouves: dict[str, Suivi] = {}
    for ids in _par_pages(annonce_ids):
        page = await client.post("/v1/interne/suivis", {"annonce_ids": ids})
        trouves |= {un["annonce_id"]: Suivi(un["etat"], un["appariee"]) for un in page["suivis"]}
    return trouves


def _par_pages(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + _PAGE] for start in range(0, len(ids), _PAGE))
