"""Compares the announced alerts with the rows of the ledger, by their ids. Pure.

Each person in a chunk of correspondances has a row for e-mail, whatever its state, and a row for each other channel on
which they want alerts. The id of a row is computed from annonce, version, profil and channel.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Periode:
    """From `debut` (included) to `fin` (excluded); None means no limit. An annonce belongs to the period in which its
    first chunk was published."""

    debut: dt.datetime | None = None
    fin: dt.datetime | None = None

    def contient(self, at: dt.datetime) -> bool:
        return (self.debut is None or at >= self.debut) and (self.fin is None or at < self.fin)


TOUJOURS = Periode()


@dataclass
class Lot:
    """A chunk of correspondances. `envois`: ids of the rows that must exist. `permis`: ids of rows of other channels,
    which may exist. `a_lire`: a copy of the chunk waits to be consumed. `morte`: it is a dead letter. `at`: time of
    publication."""

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

    @property
    def version_de(self) -> tuple[str, int]:
        return self.annonce_id, self.version


@dataclass
class Lecture:
    """Contents of the topics: chunks by event id, and the number of undecodable records (`illisibles`)."""

    lots: dict[str, Lot] = field(default_factory=dict)
    illisibles: int = 0

    @property
    def envois(self) -> set[str]:
        """All ids that rows may have."""
        return {id_ for lot in self.lots.values() for id_ in lot.envois | lot.permis}

    def de(self, periode: Periode) -> "Lecture":
        """What was announced in a period. All chunks of a version of an annonce are in the same period."""
        debuts: dict[tuple[str, int], dt.datetime] = {}
        for lot in self.lots.values():
            debuts[lot.version_de] = min(lot.at, debuts.get(lot.version_de, lot.at))
        dedans = {id_: lot for id_, lot in self.lots.items() if periode.contient(debuts[lot.version_de])}
        return Lecture(dedans, self.illisibles)


@dataclass(frozen=True)
class Groupe:
    """Rows of one annonce, version, state and motive, as the ledger returns them. `dernier_at`: creation time of the
    newest row."""

    annonce_id: str
    version: int
    etat: str
    motif: str | None
    en_route: bool
    dernier_at: dt.datetime
    envois: frozenset[str]


@dataclass
class Compte:
    """Figures of one annonce. `destinataires` and `envois` are numbers of ids; `fins` counts rows by (state, motive).

    In progress: `en_cours` rows are not finished; `a_lire` people are in chunks not consumed yet; `lots_attendus`
    chunks are not published yet; `a_apparier` is 1 when matching has not consumed the publication yet.

    Unexplained: `sans_envoi` ids have no row (`lettres_mortes` of them are in dead letters); `sans_destinataire` rows
    were not announced; `sans_appariement` contains the annonce if matching has never searched for people.

    `anterieurs` rows are older than the retention of the topic.
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
    a_apparier: int = 0
    sans_appariement: list[str] = field(default_factory=list)

    @property
    def etats(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for (etat, _), nombre in self.fins.items():
            found[etat] += nombre
        return found

    @property
    def en_route(self) -> int:
        return self.en_cours + self.a_lire + self.lots_attendus + self.a_apparier

    @property
    def inexpliquees(self) -> int:
        return len(self.sans_envoi) + len(self.sans_destinataire) + len(self.sans_appariement)


@dataclass
class Bilan:
    """Figures by annonce id; `total` adds them up. `groupes`: the rows that were counted."""

    comptes: dict[str, Compte]
    illisibles: int = 0
    groupes: list[Groupe] = field(default_factory=list)

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
            total.a_apparier += compte.a_apparier
            total.sans_appariement += compte.sans_appariement
        return total


def reconcilier(
    lecture: Lecture,
    groupes: Iterable[Groupe],
    annonces: Collection[str],
    horizon: dt.datetime,
    ailleurs: Collection[str] = (),
) -> Bilan:
    """Compares announced alerts with the ledger. Pure.

    The topic still contains every chunk younger than `horizon`. Rows with ids in `ailleurs` are ignored.
    """
    comptes = {annonce_id: Compte(annonce_id) for annonce_id in annonces}
    dits: dict[str, set[str]] = {annonce_id: set() for annonce_id in annonces}
    permis: dict[str, set[str]] = {annonce_id: set() for annonce_id in annonces}
    for lot in lecture.lots.values():
        comptes[lot.annonce_id].titre = lot.titre
        dits[lot.annonce_id] |= lot.envois
        permis[lot.annonce_id] |= lot.envois | lot.permis
    groupes = list(groupes)
    ecrits = _compter(comptes, permis, groupes, horizon, set(ailleurs))
    _chercher_les_absents(comptes, lecture.lots.values(), ecrits)
    _attendre_les_lots(comptes, lecture.lots.values(), horizon)
    for annonce_id, compte in comptes.items():
        compte.destinataires = len(dits[annonce_id])
        compte.sans_envoi.sort()
        compte.sans_destinataire.sort()
    return Bilan(comptes, lecture.illisibles, groupes)


def _compter(
    comptes: Mapping[str, Compte],
    permis: Mapping[str, set[str]],
    groupes: Iterable[Groupe],
    horizon: dt.datetime,
    ailleurs: set[str],
) -> set[str]:
    """Counts the rows, including those that were not announced. Returns the ids of all rows."""
    ecrits: set[str] = set()
    for groupe in groupes:
        compte = comptes[groupe.annonce_id]
        siens = groupe.envois - ailleurs - ecrits
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
    """Counts people without a row. A person in several chunks counts once; it is enough that one of these chunks is not
    consumed yet."""
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
    """Counts missing chunks. All chunks of a version are written together, so a missing one is not published yet, or
    was deleted because of its age."""
    versions: dict[tuple[str, int], list[Lot]] = {}
    for lot in lots:
        versions.setdefault(lot.version_de, []).append(lot)
    for (annonce_id, _), siens in versions.items():
        if max(lot.at for lot in siens) >= horizon:
            comptes[annonce_id].lots_attendus += max(0, siens[0].lots - len({lot.numero for lot in siens}))
