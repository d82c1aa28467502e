"""Which of several providers takes the next message: weights in points, as GOV.UK Notify moves them. No I/O.

Points always sum to 100. Ten of them leave a provider that has too many errors in a minute, or that is clearly slower
than the others; after a change nothing moves for a minute, and without trouble the points drift back to the configured
weights. A provider that answers keeps some points, since only its traffic shows that it is well again. One that answers
nothing at all is left at once: a few failures in a row are enough, and the minute is not waited for. The drift gives it
its first points back, and it loses them after as few messages if it is still away.

The state is kept per process, not shared: each sees its own traffic, which is enough to judge by. What a provider does
wrong hits all of them within seconds, a process that cannot reach it (its own network, its own connection) is right to
leave it alone, and no outage of Redis can take the choice of a provider with it.
"""

import datetime as dt
import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kit.clock import Clock, SystemClock

TOTAL = 100
PAS = 10
"""Points that one change moves, and that a provider with an answer keeps (or its configured weight, where less)."""


class Raison(StrEnum):
    ERREURS = "erreurs"
    LENTEUR = "lenteur"
    MUET = "muet"
    """Failures in a row, and nothing else."""
    TOUS_MUETS = "tous_muets"
    """Nobody answers: the configured weights, since nothing is known any more."""
    RETOUR = "retour"


class AucunFournisseur(LookupError):
    """Every provider is excluded."""


@dataclass(frozen=True)
class Reglages:
    """`erreurs_max` within `fenetre_erreurs_s` are still borne; `suite_max`: failures in a row of a dead provider.

    Slow is who takes `lenteur` times as long as the others over `fenetre_lenteur_s`, in the mean of at least
    `mesures_min` messages each, and longer than `lenteur_min_s`: below that a difference is no trouble.
    """

    erreurs_max: int = 50
    fenetre_erreurs_s: float = 60.0
    suite_max: int = 5
    lenteur: float = 1.15
    lenteur_min_s: float = 0.5
    fenetre_lenteur_s: float = 300.0
    mesures_min: int = 20
    repos_s: float = 60.0
    retour_s: float = 600.0


@dataclass(frozen=True)
class Bascule:
    """Points that went from one provider to another. `poids`: what all have afterwards."""

    at: dt.datetime
    de: str
    vers: str
    points: int
    raison: Raison
    poids: Mapping[str, int]


@dataclass
class _Suivi:
    """What is known of one provider. Durations are kept as (time, count, sum) by slices, so that memory is bounded."""

    erreurs: deque[float]
    durees: deque[tuple[float, int, float]] = field(default_factory=deque)
    suite: int = 0
    muet: bool = False


class Poids:
    """The points of the providers. `configures` sum to 100; a weight of 0 is a provider for emergencies only.

    `monotonic` measures windows, `clock` dates changes. Raises ValueError for weights that are none.
    """

    def __init__(
        self,
        configures: Mapping[str, int],
        *,
        reglages: Reglages = Reglages(),
        monotonic: Callable[[], float] = time.monotonic,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        if sum(configures.values()) != TOTAL or min(configures.values()) < 0:
            raise ValueError("Les poids des fournisseurs sont des nombres positifs dont la somme fait 100.")
        self._configures = dict(configures)
        self._points = dict(configures)
        self._reglages = reglages
        self._monotonic = monotonic
        self._clock = clock or SystemClock()
        self._rng = rng or random.Random()
        self._suivis = {nom: _Suivi(deque(maxlen=reglages.erreurs_max + 1)) for nom in configures}
        self._repos_depuis = -float("inf")
        self._calme_depuis = monotonic()

    @property
    def points(self) -> dict[str, int]:
        return dict(self._points)

    def tirer(self, exclus: frozenset[str] = frozenset()) -> str:
        """One provider by the present points; by the configured weights, or evenly, if none of the rest has any.

        Raises AucunFournisseur.
        """
        noms = [nom for nom in self._points if nom not in exclus]
        if not noms:
            raise AucunFournisseur("Aucun fournisseur n’est disponible pour ce message.")
        for poids in (self._points, self._configures):
            if any(poids[nom] for nom in noms):
                return self._rng.choices(noms, [poids[nom] for nom in noms])[0]
        return self._rng.choice(noms)

    def noter(self, nom: str, *, succes: bool, duree_s: float) -> list[Bascule]:
        """Counts one message and says what changes. `succes` is about the provider: that a number does not exist is
        none of its failures. Raises KeyError for a provider that is none."""
        now, suivi = self._monotonic(), self._suivis[nom]
        if succes:
            suivi.suite, suivi.muet = 0, False
            return self._ralenti(nom, now) if self._mesurer(suivi, now, duree_s) else []
        suivi.suite += 1
        suivi.erreurs.append(now)
        if suivi.suite >= self._reglages.suite_max:
            return self._taire(nom, now)
        return self._fautif(nom, now)

    def revenir(self) -> list[Bascule]:
        """Ten points of way back to the configured weights, once it has been calm for long enough."""
        now = self._monotonic()
        if now - self._calme_depuis < self._reglages.retour_s:
            return []
        self._calme_depuis = now
        manques = {nom: self._configures[nom] - points for nom, points in self._points.items()}
        bascules, reste = [], PAS
        # Whoever lacks most is served first, by whoever has most too many.
        for vers in sorted(manques, key=lambda nom: -manques[nom]):
            for de in sorted(manques, key=lambda nom: manques[nom]):
                points = min(reste, manques[vers], -manques[de])
                if points > 0:
                    manques[vers] -= points
                    manques[de] += points
                    reste -= points
                    bascules.append((de, vers, points))
                    self._suivis[vers].muet, self._suivis[vers].suite = False, 0
        return self._deplacer(bascules, Raison.RETOUR)

    def _mesurer(self, suivi: _Suivi, now: float, duree_s: float) -> bool:
        """Whether a slice is full: slowness is judged then, since judging it costs more than counting."""
        tranche = self._reglages.fenetre_lenteur_s / 30
        if suivi.durees and now - suivi.durees[-1][0] < tranche:
            debut, nombre, somme = suivi.durees.pop()
            suivi.durees.append((debut, nombre + 1, somme + duree_s))
            return False
        suivi.durees.append((now, 1, duree_s))
        return True

    def _moyenne(self, noms: list[str], now: float) -> float | None:
        """The mean duration over the window; None when too few were measured."""
        nombre, somme = 0, 0.0
        for nom in noms:
            durees = self._suivis[nom].durees
            while durees and now - durees[0][0] > self._reglages.fenetre_lenteur_s:
                durees.popleft()
            nombre += sum(tranche[1] for tranche in durees)
            somme += sum(tranche[2] for tranche in durees)
        return somme / nombre if nombre >= self._reglages.mesures_min else None

    def _ralenti(self, nom: str, now: float) -> list[Bascule]:
        if now - self._repos_depuis < self._reglages.repos_s:
            return []
        sienne = self._moyenne([nom], now)
        autres = self._moyenne([autre for autre in self._vivants() if autre != nom], now)
        if sienne is None or autres is None or sienne < self._reglages.lenteur_min_s:
            return []
        return self._alleger(nom, Raison.LENTEUR, now) if sienne >= autres * self._reglages.lenteur else []

    def _fautif(self, nom: str, now: float) -> list[Bascule]:
        erreurs = self._suivis[nom].erreurs
        # The oldest of erreurs_max + 1 errors says whether all of them fell into the window.
        if len(erreurs) <= self._reglages.erreurs_max or now - erreurs[0] > self._reglages.fenetre_erreurs_s:
            return []
        return self._alleger(nom, Raison.ERREURS, now)

    def _alleger(self, nom: str, raison: Raison, now: float) -> list[Bascule]:
        self._calme_depuis = now
        if now - self._repos_depuis < self._reglages.repos_s:
            return []
        plancher = min(PAS, self._configures[nom])
        points = min(PAS, self._points[nom] - plancher)
        return self._repartir(nom, points, raison, now)

    def _taire(self, nom: str, now: float) -> list[Bascule]:
        """All its points to those that answer; if nobody does, back to the configured weights, once a minute."""
        self._suivis[nom].muet = True
        self._calme_depuis = now
        if self._vivants():
            return self._repartir(nom, self._points[nom], Raison.MUET, now)
        if now - self._repos_depuis < self._reglages.repos_s:
            return []
        self._repos_depuis = now
        trop = {autre: points - self._configures[autre] for autre, points in self._points.items()}
        bascules = []
        for de in [autre for autre in trop if trop[autre] > 0]:
            for vers in [autre for autre in trop if trop[autre] < 0]:
                if points := min(trop[de], -trop[vers]):
                    trop[de] -= points
                    trop[vers] += points
                    bascules.append((de, vers, points))
        for suivi in self._suivis.values():
            suivi.muet, suivi.suite = False, 0
        return self._deplacer(bascules, Raison.TOUS_MUETS)

    def _vivants(self) -> list[str]:
        return [nom for nom, suivi in self._suivis.items() if not suivi.muet]

    def _repartir(self, de: str, points: int, raison: Raison, now: float) -> list[Bascule]:
        """`points` to the others that answer, by what they have; the largest takes what does not divide."""
        autres = [nom for nom in self._vivants() if nom != de]
        if points <= 0 or not autres:
            return []
        self._repos_depuis = now
        total = sum(self._points[nom] for nom in autres)
        parts = {nom: points * self._points[nom] // total if total else points // len(autres) for nom in autres}
        parts[max(autres, key=lambda nom: self._points[nom])] += points - sum(parts.values())
        return self._deplacer([(de, vers, part) for vers, part in parts.items() if part], raison)

    def _deplacer(self, pas: list[tuple[str, str, int]], raison: Raison) -> list[Bascule]:
        for de, vers, points in pas:
            self._points[de] -= points
            self._points[vers] += points
        at, poids = self._clock.now(), dict(self._points)
        return [Bascule(at, de, vers, points, raison, poids) for de, vers, points in pas]


class Aiguillage:
    """What a channel asks before each message and tells after it. `sur_bascule` is called for every change, and returns
    soon: it may put the change into a queue for somebody who stores it."""

    def __init__(self, poids: Poids, sur_bascule: Callable[[Bascule], None]) -> None:
        self._poids = poids
        self._sur_bascule = sur_bascule

    @property
    def points(self) -> dict[str, int]:
        """What each provider has at present, for the page of the staff and the metrics."""
        return self._poids.points

    def choisir(self, exclus: frozenset[str] = frozenset()) -> str:
        """The provider for the next message, none of `exclus` (those that have just refused it). Raises
        AucunFournisseur."""
        self._dire(self._poids.revenir())
        return self._poids.tirer(exclus)

    def noter(self, fournisseur: str, *, succes: bool, duree_s: float) -> None:
        """What became of a message at this provider. Refused for good because of its number is a success of theirs."""
        self._dire(self._poids.noter(fournisseur, succes=succes, duree_s=duree_s))

    def _dire(self, bascules: list[Bascule]) -> None:
        for bascule in bascules:
            self._sur_bascule(bascule)
