"""Checks that every announced alert is in the ledger, person by person, and that every publication was searched for.

Reads in this order: the offsets committed by notifications, the topics, the ledger. So every person in a chunk below
the committed offsets must have a row; otherwise they are unexplained (see reconciliation.py).
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from contracts import topics
from contracts.envois import id_alerte
from contracts.evenements import CATALOGUE
from contracts.matching import CorrespondancesTrouvees
from contracts.notifications import Canal
from deploy.bilan.publications import Publication, sans_appariement
from deploy.bilan.reconciliation import TOUJOURS, Bilan, Compte, Groupe, Lecture, Lot, Periode, reconcilier
from deploy.bilan.topic_reader import committed, events, records
from deploy.client import InternalApis, RequestRefused, jusqu_a
from deploy.errors import Impossible
from kit.errors import InvalidMessage
from kit.messaging.deadletters import dead_letter_topic, held_topic, origin, retry_topic
from kit.messaging.events import Record, decode

_SERVICE = "notifications"
_TOPIC = CorrespondancesTrouvees.topic
_REPRISES = retry_topic(_TOPIC, _SERVICE)
_RETENUS = held_topic(_TOPIC, _SERVICE)
_MORTES = dead_letter_topic(_TOPIC, _SERVICE)
# Maximum number of annonces in one request to the ledger.
_LOT_ANNONCES = 500
# Kafka deletes whole segments by its own clock: records slightly younger than the retention may be gone.
_MARGE = dt.timedelta(hours=1)


class Injoignable(Impossible):
    """A part of the system that must be asked does not answer."""


async def calme(
    kafka: str,
    interne: InternalApis,
    annonces: Collection[str] | None = None,
    periode: Periode = TOUJOURS,
    *,
    secondes: float,
) -> Bilan:
    """Repeats `dresser` until nothing is in progress, at most for `secondes`. Raises Injoignable, Impossible."""
    dernier: Bilan | Injoignable = Injoignable("Le bilan n’a pas pu être dressé : « ./place status ».")

    async def rien_en_route() -> bool:
        nonlocal dernier
        try:
            dernier = await dresser(kafka, interne, annonces, periode)
        except Injoignable as error:
            dernier = error
            return False
        return dernier.total.en_route == 0

    with suppress(Impossible):
        await jusqu_a(rien_en_route, "rien en route", secondes)
    if isinstance(dernier, Injoignable):
        raise dernier
    return dernier


async def dresser(
    kafka: str, interne: InternalApis, annonces: Collection[str] | None = None, periode: Periode = TOUJOURS
) -> Bilan:
    """Builds the report for `annonces`, or for all those in the topic, and for a period. Raises Injoignable,
    Impossible."""
    try:
        publications = await sans_appariement(kafka, interne, annonces, periode)
        vues = {**await committed(kafka, _SERVICE), **await committed(kafka, f"{_SERVICE}.retry")}
        tout = await _lire(kafka, annonces, vues)
        lecture = tout.de(periode)
        concernees = {lot.annonce_id for lot in lecture.lots.values()} if annonces is None else annonces
        groupes = await _registre(interne, sorted(concernees))
        # Excluded: rows of other periods, and rows of chunks that were published and consumed while this function was
        # reading.
        ailleurs = tout.envois - lecture.envois
        if {id_ for groupe in groupes for id_ in groupe.envois} - tout.envois:
            ailleurs |= (await _lire(kafka, annonces, vues)).envois - lecture.envois
    except RequestRefused as refus:
        if refus.status >= 500:
            raise Injoignable(f"notifications ne répond pas ({refus}) : « ./place status ».") from refus
        raise Impossible(f"notifications a refusé la lecture du registre ({refus}) : « ./place logs ».") from refus
    except (aiohttp.ClientError, KafkaError, OSError, TimeoutError) as error:
        raise Injoignable(
            f"La plateforme ne répond pas ({type(error).__name__}) : « ./place status », « ./place up »."
        ) from error
    bilan = reconcilier(lecture, groupes, concernees, _horizon(dt.datetime.now(dt.UTC)), ailleurs)
    ajouter(bilan, publications)
    return bilan


def ajouter(bilan: Bilan, publications: Iterable[Publication]) -> None:
    """Adds publications that were not searched for. Pure."""
    for publication in publications:
        compte = bilan.comptes.setdefault(publication.annonce_id, Compte(publication.annonce_id, publication.titre))
        if publication.a_lire:
            compte.a_apparier = 1
        else:
            compte.sans_appariement.append(publication.annonce_id)
            compte.lettres_mortes += publication.morte


async def personnes(kafka: str, annonce_id: str) -> dict[str, tuple[str, Canal]]:
    """Id of a row → (profil, channel), for everybody to whom this annonce was announced."""
    found: dict[str, tuple[str, Canal]] = {}
    for received in await events(kafka, _TOPIC):
        event = received.event
        if isinstance(event, CorrespondancesTrouvees) and event.annonce.annonce_id == annonce_id:
            for destinataire in event.destinataires:
                for canal in Canal:
                    id_ = id_alerte(annonce_id, event.annonce.version, destinataire.profil_id, canal)
                    found[id_] = destinataire.profil_id, canal
    return found


async def _lire(kafka: str, annonces: Collection[str] | None, vues: Mapping[tuple[str, int], int]) -> Lecture:
    """Reads the topics. `vues`: (topic, partition) → offset below which notifications has handled everything."""
    lecture = Lecture()
    cles = None if annonces is None else {annonce_id.encode() for annonce_id in annonces}
    mortes: set[str] = set()
    async for record in records(kafka, [_TOPIC, _REPRISES, _RETENUS, _MORTES]):
        if cles is not None and (record.key or b"").partition(b":")[0] not in cles:
            continue
        if record.topic == _MORTES:
            mortes.add(record.headers.get("ce_id", ""))
        else:
            _noter(lecture, record, a_lire=record.offset >= vues.get((record.topic, record.partition), 0))
    if annonces is not None:
        # The key of a record may be wrong, so the annonce in the event decides.
        lecture.lots = {id_: lot for id_, lot in lecture.lots.items() if lot.annonce_id in annonces}
    for event_id in mortes & set(lecture.lots):
        lecture.lots[event_id].morte = True
    return lecture


def _noter(lecture: Lecture, record: Record, *, a_lire: bool) -> None:
    """An event may be in the topics several times (repeated, retried); only the first one takes effect."""
    if (connu := lecture.lots.get(record.headers.get("ce_id", ""))) is not None:
        connu.a_lire |= a_lire
        return
    try:
        received = decode(record, origin(record), CATALOGUE)
    except (InvalidMessage, ValidationError):
        lecture.illisibles += record.topic == _TOPIC
        return
    lecture.lots[received.id] = _lot(received.event, record, a_lire=a_lire)


def _lot(event: CorrespondancesTrouvees, record: Record, *, a_lire: bool) -> Lot:
    annonce = event.annonce
    par_canal = {
        canal: frozenset(
            id_alerte(annonce.annonce_id, annonce.version, destinataire.profil_id, canal)
            for destinataire in event.destinataires
        )
        for canal in Canal
    }
    envois = par_canal.pop(Canal.EMAIL)
    permis = frozenset[str]().union(*par_canal.values())
    at = dt.datetime.fromtimestamp(record.timestamp_ms / 1000, dt.UTC)
    return Lot(annonce.annonce_id, annonce.version, event.lot, event.lots, annonce.titre, envois, permis, at, a_lire)


async def _registre(interne: InternalApis, annonce_ids: Sequence[str]) -> list[Groupe]:
    """Reads the rows of these annonces from the API of notifications, page by page."""
    groupes: list[Groupe] = []
    for start in range(0, len(annonce_ids), _LOT_ANNONCES):
        demande: dict[str, Any] = {"annonce_ids": annonce_ids[start : start + _LOT_ANNONCES]}
        while True:
            page = await interne.client(_SERVICE, roles=["systeme"]).post("/v1/interne/bilan", demande)
            groupes += [_groupe(groupe) for groupe in page["groupes"]]
            if page["suite"] is None:
                break
            demande["apres"] = page["suite"]
    return groupes


def _groupe(groupe: Mapping[str, Any]) -> Groupe:
    champs = {nom: groupe[nom] for nom in ("annonce_id", "version", "etat", "motif", "en_route")}
    dernier_at = dt.datetime.fromisoformat(groupe["dernier_at"])
    return Groupe(**champs, dernier_at=dernier_at, envois=frozenset(groupe["envois"]))


def _horizon(now: dt.datetime) -> dt.datetime:
    retention_ms = topics.PAR_NOM[_TOPIC].retention_ms
    if retention_ms is None:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    return now - dt.timedelta(milliseconds=retention_ms) + _MARGE
