"""The account of alerts: what was announced and what the ledger says, compared by ids. Pure.

Each person of a chunk of correspondances has a row for e-mail, whatever became of it, and one more for each other
channel on which they want alerts; the id of a row follows from annonce, version, profil and channel.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Periode:
    """From `debut` on, before `fin`; None: without that end. An annonce belongs where its first chunk was published."""

    debut: dt.datetime | None = None
    fin: dt.datetime | None = None

    def contient(self, at: dt.datetime) -> bool:
        return (self.debut is None or at >= self.debut) and (self.fin is None or at < self.fin)


TOUJOURS = Periode()


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

    @property
    def version_de(self) -> tuple[str, int]:
        return self.annonce_id, self.version


@dataclass
class Lecture:
    """What the topics hold: chunks by event id; `illisibles`: records that nobody can decode, and that name nobody."""

    lots: dict[str, Lot] = field(default_factory=dict)
    illisibles: int = 0

    @property
    def envois(self) -> set[str]:
        """Every id that a row may have."""
        return {id_ for lot in self.lots.values() for id_ in lot.envois | lot.permis}

    def de(self, periode: Periode) -> "Lecture":
        """What was announced in a period, each version of an annonce as a whole."""
        debuts: dict[tuple[str, int], dt.datetime] = {}
        for lot in self.lots.values():
            debuts[lot.version_de] = min(lot.at, debuts.get(lot.version_de, lot.at))
        dedans = {id_: lot for id_, lot in self.lots.items() if periode.contient(debuts[lot.version_de])}
        return Lecture(dedans, self.illisibles)


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
    has let go. `sans_appariement`: the annonce, when it was published and matching, which nothing explains, has not
    searched for anybody; `a_apparier`: 1 when it is still to.
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
    """Of several annonces, by id; `total` sums them up. `groupes`: the rows that were counted."""

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
    """Compares what was announced with the ledger. Pure.

    `horizon`: the topic still holds every chunk that is younger. Rows of `ailleurs` are left out.
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
    """Counts the rows, and those that nobody announced. Returns the ids of all."""
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
        versions.setdefault(lot.version_de, []).append(lot)
    for (annonce_id, _), siens in versions.items():
        if max(lot.at for lot in siens) >= horizon:
            comptes[annonce_id].lots_attendus += max(0, siens[0].lots - len({lot.numero for lot in siens}))
