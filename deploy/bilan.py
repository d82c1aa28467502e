"""Whether every alert that was announced is in the ledger: person by person, from the topic and the ledger alone.

An alert is announced by a chunk of correspondances. Its row in the ledger has an id that follows from annonce, version,
profil and channel, so the two sides are compared as sets of ids. Each person has a row for e-mail, whatever became of
it, and one more for each other channel on which they want alerts. What is read, in this order: how far notifications
has come in the topics, the topics, the ledger. Hence a person of a chunk below that point has a row, or is unexplained.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from contracts import topics
from contracts.matching import CorrespondancesTrouvees
from contracts.notifications import Canal
from contracts.registre import CATALOGUE
from deploy.client import Interne, Refus
from deploy.errors import Impossible
from deploy.relire import committed, records
from kit.deadletters import dead_letter_topic, origin, retry_topic
from kit.errors import InvalidMessage
from kit.events import Record, decode
from services.notifications.domain import id_alerte
from services.notifications.settings import SERVICE

_TOPIC = CorrespondancesTrouvees.topic
_REPRISES = retry_topic(_TOPIC, SERVICE)
_MORTES = dead_letter_topic(_TOPIC, SERVICE)
# As many as the ledger answers about at once.
_LOT_ANNONCES = 500
# Kafka removes by segment and by its own clock: what is nearly as old as the retention may be gone.
_MARGE = dt.timedelta(hours=1)


class Injoignable(Impossible):
    """A part of the system that must be asked is away."""


@dataclass
class Lot:
    """A chunk of correspondances. `envois`: the ids that its rows have; `permis`: those of other channels, which some
    have. `a_lire`: a copy of it is still to be consumed; `morte`: it is in the dead letters. `at`: when it was
    published."""

    annonce_id: str
    version: int
    numero: int
    lots: int
    titre: str
    envois: frozenset[str]
    permis: frozenset[str]
    at: dt.datetime
    a_lire: bool = False
    morte: bool = False


@dataclass
class Lecture:
    """What the topics hold: chunks by event id; `illisibles`: records that nobody can decode, and that name nobody."""

    lots: dict[str, Lot] = field(default_factory=dict)
    illisibles: int = 0

    @property
    def envois(self) -> set[str]:
        """Every id that a row may have."""
        return {id_ for lot in self.lots.values() for id_ in lot.envois | lot.permis}


@dataclass(frozen=True)
class Groupe:
    """Rows of one annonce and version with the same fate, as the ledger answers. `dernier_at`: the youngest's birth."""

    annonce_id: str
    version: int
    etat: str
    motif: str | None
    en_route: bool
    dernier_at: dt.datetime
    envois: frozenset[str]


@dataclass
class Compte:
    """One annonce. `destinataires` and `envois` are numbers of ids; `fins` counts rows by (state, reason).

    `en_cours`: rows that are not done; `a_lire`: persons of chunks that are still to be consumed; `lots_attendus`:
    chunks that others announce and that are not published yet. `sans_envoi`, `sans_destinataire`: ids that nothing
    explains, and of the first how many are in dead letters (`lettres_mortes`). `anterieurs`: rows whose chunk the topic
    has let go.
    """

    annonce_id: str
    titre: str = ""
    destinataires: int = 0
    envois: int = 0
    fins: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    en_cours: int = 0
    a_lire: int = 0
    lots_attendus: int = 0
    sans_envoi: list[str] = field(default_factory=list)
    sans_destinataire: list[str] = field(default_factory=list)
    lettres_mortes: int = 0
    anterieurs: int = 0

    @property
    def etats(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for (etat, _), nombre in self.fins.items():
            found[etat] += nombre
        return found

    @property
    def en_route(self) -> int:
        return self.en_cours + self.a_lire + self.lots_attendus

    @property
    def inexpliquees(self) -> int:
        return len(self.sans_envoi) + len(self.sans_destinataire)


@dataclass
class Bilan:
    """Of several annonces, by id; `total` sums them up."""

    comptes: dict[str, Compte]
    illisibles: int = 0

    @property
    def total(self) -> Compte:
        total = Compte("")
        for compte in self.comptes.values():
            total.destinataires += compte.destinataires
            total.envois += compte.envois
            total.fins += compte.fins
            total.en_cours += compte.en_cours
            total.a_lire += compte.a_lire
            total.lots_attendus += compte.lots_attendus
            total.sans_envoi += compte.sans_envoi
            total.sans_destinataire += compte.sans_destinataire
            total.lettres_mortes += compte.lettres_mortes
            total.anterieurs += compte.anterieurs
        return total


async def dresser(kafka: str, interne: Interne, annonces: Collection[str] | None = None) -> Bilan:
    """The account of some annonces, or of all that the topic holds. Raises Injoignable, Impossible."""
    try:
        vues = {**await committed(kafka, SERVICE), **await committed(kafka, f"{SERVICE}.retry")}
        lecture = await _lire(kafka, annonces, vues)
        concernees = {lot.annonce_id for lot in lecture.lots.values()} if annonces is None else annonces
        groupes = await _registre(interne, sorted(concernees))
        plus_tard: set[str] = set()
        if {id_ for groupe in groupes for id_ in groupe.envois} - lecture.envois:
            # Chunks that were published and consumed while we read explain these rows; they are not counted here.
            plus_tard = (await _lire(kafka, annonces, vues)).envois - lecture.envois
    except Refus as refus:
        if refus.status >= 500:
            raise Injoignable(f"notifications ne répond pas ({refus}) : « ./place status ».") from refus
        raise Impossible(f"notifications a refusé la lecture du registre ({refus}) : « ./place logs ».") from refus
    except (aiohttp.ClientError, KafkaError, OSError, TimeoutError) as error:
        raise Injoignable(
            f"La plateforme ne répond pas ({type(error).__name__}) : « ./place status », « ./place up »."
        ) from error
    return reconcilier(lecture, groupes, concernees, _horizon(dt.datetime.now(dt.UTC)), plus_tard)


def reconcilier(
    lecture: Lecture,
    groupes: Iterable[Groupe],
    annonces: Collection[str],
    horizon: dt.datetime,
    plus_tard: Collection[str] = (),
) -> Bilan:
    """Compares what was announced with the ledger. Pure.

    `horizon`: the topic still holds every chunk that is younger. Rows of `plus_tard` are left out.
    """
    comptes = {annonce_id: Compte(annonce_id) for annonce_id in annonces}
    dits: dict[str, set[str]] = {annonce_id: set() for annonce_id in annonces}
    permis: dict[str, set[str]] = {annonce_id: set() for annonce_id in annonces}
    for lot in lecture.lots.values():
        comptes[lot.annonce_id].titre = lot.titre
        dits[lot.annonce_id] |= lot.envois
        permis[lot.annonce_id] |= lot.envois | lot.permis
    ecrits = _compter(comptes, permis, groupes, horizon, set(plus_tard))
    _chercher_les_absents(comptes, lecture.lots.values(), ecrits)
    _attendre_les_lots(comptes, lecture.lots.values(), horizon)
    for annonce_id, compte in comptes.items():
        compte.destinataires = len(dits[annonce_id])
        compte.sans_envoi.sort()
        compte.sans_destinataire.sort()
    return Bilan(comptes, lecture.illisibles)


def _compter(
    comptes: Mapping[str, Compte],
    permis: Mapping[str, set[str]],
    groupes: Iterable[Groupe],
    horizon: dt.datetime,
    plus_tard: set[str],
) -> set[str]:
    """Counts the rows, and those that nobody announced. Returns the ids of all."""
    ecrits: set[str] = set()
    for groupe in groupes:
        compte = comptes[groupe.annonce_id]
        siens = groupe.envois - plus_tard - ecrits
        ecrits |= siens
        en_trop = siens - permis[groupe.annonce_id]
        if groupe.dernier_at < horizon:
            compte.anterieurs += len(en_trop)
            siens -= en_trop
        else:
            compte.sans_destinataire += en_trop
        if siens:
            compte.envois += len(siens)
            compte.fins[groupe.etat, groupe.motif] += len(siens)
            compte.en_cours += len(siens) * groupe.en_route
    return ecrits


def _chercher_les_absents(comptes: Mapping[str, Compte], lots: Iterable[Lot], ecrits: set[str]) -> None:
    """Persons without a row. Who is in several chunks is looked for once; one that is still to be consumed will do."""
    vus: set[str] = set()
    for lot in sorted(lots, key=lambda lot: not lot.a_lire):
        absents = lot.envois - ecrits - vus
        vus |= absents
        compte = comptes[lot.annonce_id]
        if lot.a_lire:
            compte.a_lire += len(absents)
        else:
            compte.sans_envoi += absents
            compte.lettres_mortes += len(absents) * lot.morte


def _attendre_les_lots(comptes: Mapping[str, Compte], lots: Iterable[Lot], horizon: dt.datetime) -> None:
    """Chunks of a version are written together: one that is missing is not published yet, or was let go with age."""
    versions: dict[tuple[str, int], list[Lot]] = {}
    for lot in lots:
        versions.setdefault((lot.annonce_id, lot.version), []).append(lot)
    for (annonce_id, _), siens in versions.items():
        if max(lot.at for lot in siens) >= horizon:
            comptes[annonce_id].lots_attendus += max(0, siens[0].lots - len({lot.numero for lot in siens}))


async def _lire(kafka: str, annonces: Collection[str] | None, vues: Mapping[tuple[str, int], int]) -> Lecture:
    """`vues`: (topic, partition) → offset below which notifications is done."""
    lecture = Lecture()
    cles = None if annonces is None else {annonce_id.encode() for annonce_id in annonces}
    mortes: set[str] = set()
    async for record in records(kafka, [_TOPIC, _REPRISES, _MORTES]):
        if cles is not None and record.key not in cles:
            continue
        if record.topic == _MORTES:
            mortes.add(record.headers.get("ce_id", ""))
        else:
            _noter(lecture, record, a_lire=record.offset >= vues.get((record.topic, record.partition), 0))
    if annonces is not None:
        # A key may lie.
        lecture.lots = {id_: lot for id_, lot in lecture.lots.items() if lot.annonce_id in annonces}
    for event_id in mortes & set(lecture.lots):
        lecture.lots[event_id].morte = True
    return lecture


def _noter(lecture: Lecture, record: Record, *, a_lire: bool) -> None:
    """An event may be there several times (a repeat, a retry): receivers let the first one act."""
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


async def _registre(interne: Interne, annonce_ids: Sequence[str]) -> list[Groupe]:
    """The ledger's rows about these annonces, by pages, from notifications itself."""
    groupes: list[Groupe] = []
    for start in range(0, len(annonce_ids), _LOT_ANNONCES):
        demande: dict[str, Any] = {"annonce_ids": annonce_ids[start : start + _LOT_ANNONCES]}
        while True:
            page = await interne.client(SERVICE, roles=["systeme"]).post("/v1/interne/bilan", demande)
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
