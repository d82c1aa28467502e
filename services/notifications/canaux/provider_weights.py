"""Chooses the provider of the next message by weights in points, adjusted like those of GOV.UK Notify. No I/O.

The points always sum to 100. A provider with too many errors in a minute, or clearly slower than the others, loses ten
points. After a change nothing moves for a minute; without problems the points return step by step to the configured
weights. A provider that answers keeps some points, because only its traffic shows when it is well again.

A provider that answers nothing loses all points at once, after a few failures in a row and without the minute's wait.
The return gives it its first points back; it loses them again after as few messages if it is still away.

The state is per process and not shared. The traffic of one process is enough to judge; a process that alone cannot
reach a provider is right to avoid it; and an outage of Redis does not affect the choice.
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
"""Points moved by one change, and minimum of a provider that answers (or its configured weight if lower)."""


class Raison(StrEnum):
    ERREURS = "erreurs"
    LENTEUR = "lenteur"
    MUET = "muet"
    """Only failures in a row."""
    TOUS_MUETS = "tous_muets"
    """Nobody answers: the configured weights apply, since nothing is known."""
    RETOUR = "retour"


class AucunFournisseur(LookupError):
    """Every provider is excluded."""


@dataclass(frozen=True)
class Thresholds:
    """Thresholds. `erreurs_max` errors within `fenetre_erreurs_s` are tolerated; `suite_max` failures in a row mean
    that a provider is away. A provider is slow if its mean time over `fenetre_lenteur_s` is `lenteur` times that of the
    others, with at least `mesures_min` messages each, and longer than `lenteur_min_s`."""

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
    """Points moved from one provider to another. `poids`: the resulting points of all."""

    at: dt.datetime
    de: str
    vers: str
    points: int
    raison: Raison
    poids: Mapping[str, int]


@dataclass
class _Suivi:
    """Measurements of one provider. Durations are stored as (time, count, sum) per slice of time, which bounds the
    memory."""

    erreurs: deque[float]
    durees: deque[tuple[float, int, float]] = field(default_factory=deque)
    suite: int = 0
    muet: bool = False


class ProviderWeights:
    """The points of the providers. `configures` must sum to 100; a provider with weight 0 is used only when the others
    fail.

    `monotonic` measures windows, `clock` dates changes. Raises ValueError for invalid weights.
    """

    def __init__(
        self,
        configures: Mapping[str, int],
        *,
        reglages: Thresholds = Thresholds(),
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
        """A random provider by current points; by configured weights, or evenly, if none of the remaining ones has
        points. Raises AucunFournisseur."""
        noms = [nom for nom in self._points if nom not in exclus]
        if not noms:
            raise AucunFournisseur("Aucun fournisseur n’est disponible pour ce message.")
        for poids in (self._points, self._configures):
            if any(poids[nom] for nom in noms):
                return self._rng.choices(noms, [poids[nom] for nom in noms])[0]
        return self._rng.choice(noms)

    def noter(self, nom: str, *, succes: bool, duree_s: float) -> list[Bascule]:
        """Counts one message and returns the resulting changes. `succes` is about the provider: an unknown number is
        not its failure. Raises KeyError for an unknown provider."""
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
        """Moves up to ten points back towards the configured weights, after enough time without problems."""
        now = self._monotonic()
        if now - self._calme_depuis < self._reglages.retour_s:
            return []
        self._calme_depuis = now
        manques = {nom: self._configures[nom] - points for nom, points in self._points.items()}
        bascules, reste = [], PAS
        # The provider that lacks most gets points first, from the one with the largest excess.
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
        """Adds a duration; returns True when a slice is complete. Slowness is judged only then, because that costs more
        than counting."""
        tranche = self._reglages.fenetre_lenteur_s / 30
        if suivi.durees and now - suivi.durees[-1][0] < tranche:
            debut, nombre, somme = suivi.durees.pop()
            suivi.durees.append((debut, nombre + 1, somme + duree_s))
            return False
        suivi.durees.append((now, 1, duree_s))
        return True

    def _moyenne(self, noms: list[str], now: float) -> float | None:
        """The mean duration over the window; None with too few measurements."""
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
        # If the oldest of the last erreurs_max + 1 errors is in the window, all of them are.
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
        """Moves all its points to the providers that answer; if none does, restores the configured weights, at most
        once a minute."""
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
        """Distributes `points` among the other providers that answer, in proportion to theirs; the largest gets the
        remainder."""
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


class WeightedChoice:
    """Used by a channel before and after each message. `sur_bascule` is called for every change and must return
    quickly, for example by putting the change into a queue."""

    def __init__(self, poids: ProviderWeights, sur_bascule: Callable[[Bascule], None]) -> None:
        self._poids = poids
        self._sur_bascule = sur_bascule

    @property
    def points(self) -> dict[str, int]:
        """Current points by provider, for the staff's page and the metrics."""
        return self._poids.points

    def choisir(self, exclus: frozenset[str] = frozenset()) -> str:
        """The provider of the next message, outside `exclus` (those that have just refused it). Raises
        AucunFournisseur."""
        self._dire(self._poids.revenir())
        return self._poids.tirer(exclus)

    def noter(self, fournisseur: str, *, succes: bool, duree_s: float) -> None:
        """Reports the outcome at this provider. A final refusal of a number counts as its success."""
        self._dire(self._poids.noter(fournisseur, succes=succes, duree_s=duree_s))

    def _dire(self, bascules: list[Bascule]) -> None:
        for bascule in bascules:
            self._sur_bascule(bascule)
