"""The life of a dossier: who may claim, release and decide it, and when. Pure: time, ids and stored values are
parameters.

A claim is a lease with a fencing token (`jeton`), a number that grows with each new holder. A caller with an older
number has lost the dossier to another moderator, whatever the clocks say.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from contracts.commun import Auteur
from contracts.moderation import Issue, TypeCible


class Etat(StrEnum):
    A_TRAITER = "a_traiter"
    PRIS = "pris"
    DECIDE = "decide"
    A_REVOIR = "a_revoir"
    CADUC = "caduc"


class Acte(StrEnum):
    PRENDRE = "prendre"
    LIBERER = "liberer"
    DECIDER = "decider"
    PERIMER = "perimer"
    ROUVRIR = "rouvrir"


OUVERTS = (Etat.A_TRAITER, Etat.A_REVOIR, Etat.PRIS)

COMPTE_EFFACE = "compte-efface"
"""Replaces the id of an erased account."""

TRANSITIONS: Mapping[tuple[Etat, Acte], frozenset[Etat]] = {
    (Etat.A_TRAITER, Acte.PRENDRE): frozenset({Etat.PRIS}),
    (Etat.A_REVOIR, Acte.PRENDRE): frozenset({Etat.PRIS}),
    # The holder extends the claim, or another moderator takes over after the lease has expired.
    (Etat.PRIS, Acte.PRENDRE): frozenset({Etat.PRIS}),
    (Etat.PRIS, Acte.LIBERER): frozenset({Etat.A_TRAITER, Etat.A_REVOIR}),
    # Releasing a free dossier changes nothing, so that a second click is not an error.
    (Etat.A_TRAITER, Acte.LIBERER): frozenset({Etat.A_TRAITER}),
    (Etat.A_REVOIR, Acte.LIBERER): frozenset({Etat.A_REVOIR}),
    (Etat.PRIS, Acte.DECIDER): frozenset({Etat.DECIDE}),
    (Etat.A_TRAITER, Acte.PERIMER): frozenset({Etat.CADUC}),
    (Etat.A_REVOIR, Acte.PERIMER): frozenset({Etat.CADUC}),
    (Etat.PRIS, Acte.PERIMER): frozenset({Etat.CADUC}),
    # Only for an approved annonce: `rouvrir` checks it.
    (Etat.DECIDE, Acte.ROUVRIR): frozenset({Etat.A_REVOIR}),
}
"""(state, act) → states it may lead to; anything else is forbidden. `caduc` is final, and so is every decision except
an approval."""

ISSUES: Mapping[bool, tuple[Issue, ...]] = {
    False: (Issue.APPROUVEE, Issue.A_CORRIGER, Issue.REFUSEE),
    True: (Issue.APPROUVEE, Issue.RETIREE),
}
"""`revue` → possible decisions: an annonce that is already published can only be left online or withdrawn."""


class TransitionInterdite(Exception):
    def __init__(self, etat: Etat, acte: Acte) -> None:
        super().__init__(f"{acte} from {etat}")
        self.etat, self.acte = etat, acte


class DejaPris(Exception):
    """Another moderator holds the dossier until `expire_at`."""

    def __init__(self, par: str, expire_at: dt.datetime) -> None:
        super().__init__("held by another account")
        self.par, self.expire_at = par, expire_at


class NonRevisable(Exception):
    """Only the approval of an annonce that is still online can be reopened."""


class BailPerdu(Exception):
    """The token is not that of the current holder."""


class PartiePrenante(Exception):
    """The moderator is the author, or a member of the association."""


class Bail(BaseModel):
    model_config = ConfigDict(frozen=True)

    par: str
    expire_at: dt.datetime


class Dossier(BaseModel):
    """One thing to decide, with a copy of the version to read, so that the decision is about that version.

    `revue`: the policy "confiance" has published it already. `jeton`: the last fencing token given. `contenu`: the
    other fields of the target as JSON values. `approuvee`: for a correction, the approved annonce that stays online
    meanwhile, as JSON values with titre and description; None for anything else. `decision_id`: the last entry of the
    audit trail about it. `cause`: the trace of the event that created it ({"traceparent": …}), which the decision
    continues days later.
    """

    model_config = ConfigDict(frozen=True)

    dossier_id: str
    cible_type: TypeCible
    cible_id: str
    version: int
    etat: Etat
    revue: bool = False
    urgent: bool = False
    titre: str
    description: str
    contenu: dict[str, Any] = {}
    approuvee: dict[str, Any] | None = None
    auteur: Auteur
    recu_at: dt.datetime
    jeton: int = 0
    bail: Bail | None = None
    decision_id: str | None = None
    issue: Issue | None = None
    ferme_at: dt.datetime | None = None
    cause: dict[str, str] = {}

    @property
    def rang(self) -> int:
        """Rank in the queue (then by `recu_at`): unpublished before published, urgent first."""
        return 2 * self.revue + (not self.urgent)

    @property
    def au_repos(self) -> Etat:
        """The state of this dossier when nobody holds it."""
        return Etat.A_REVOIR if self.revue else Etat.A_TRAITER

    def etat_a(self, now: dt.datetime) -> Etat:
        """The state at `now`: an expired lease no longer counts."""
        if self.etat is Etat.PRIS and (self.bail is None or self.bail.expire_at <= now):
            return self.au_repos
        return self.etat

    def tenu_par(self, compte_id: str, now: dt.datetime) -> bool:
        return self.etat_a(now) is Etat.PRIS and self.bail is not None and self.bail.par == compte_id


def _passer(dossier: Dossier, acte: Acte, etat: Etat, **champs: Any) -> Dossier:
    if etat not in TRANSITIONS.get((dossier.etat, acte), ()):
        raise TransitionInterdite(dossier.etat, acte)
    return dossier.model_copy(update={"etat": etat, **champs})


def prendre(dossier: Dossier, par: str, now: dt.datetime, duree: dt.timedelta) -> Dossier:
    """Claims the dossier. If `par` holds it already, extends the lease and keeps the token, so that their other browser
    tab stays valid.

    Raises DejaPris, TransitionInterdite.
    """
    bail = dossier.bail
    en_cours = dossier.etat is Etat.PRIS and bail is not None
    if en_cours and bail is not None and bail.par != par and bail.expire_at > now:
        raise DejaPris(bail.par, bail.expire_at)
    garde = en_cours and bail is not None and bail.par == par
    return _passer(
        dossier,
        Acte.PRENDRE,
        Etat.PRIS,
        bail=Bail(par=par, expire_at=now + duree),
        jeton=dossier.jeton if garde else dossier.jeton + 1,
    )


def liberer(dossier: Dossier, par: str, now: dt.datetime) -> Dossier:
    """Releases the claim. Raises DejaPris when another moderator holds the dossier, TransitionInterdite when it is
    closed."""
    bail = dossier.bail
    if dossier.etat is Etat.PRIS and bail is not None and bail.par != par and bail.expire_at > now:
        raise DejaPris(bail.par, bail.expire_at)
    return _passer(dossier, Acte.LIBERER, dossier.au_repos, bail=None)


def verifier_partie(dossier: Dossier, par: str, membres: Collection[str]) -> None:
    """Raises PartiePrenante: nobody decides about their own post or their own association."""
    if par == dossier.auteur.compte_id or par in membres:
        raise PartiePrenante


def decider(dossier: Dossier, par: str, jeton: int, issue: Issue, decision_id: str, now: dt.datetime) -> Dossier:
    """Closes the dossier with `issue`. An expired lease is accepted if nobody else has claimed since, because its token
    is still the last one.

    Raises TransitionInterdite, BailPerdu.
    """
    if dossier.etat is Etat.PRIS and (dossier.bail is None or dossier.bail.par != par or jeton != dossier.jeton):
        raise BailPerdu
    return _passer(dossier, Acte.DECIDER, Etat.DECIDE, bail=None, decision_id=decision_id, issue=issue, ferme_at=now)


def perimer(dossier: Dossier, now: dt.datetime) -> Dossier:
    """Closes a dossier with nothing left to decide: a later version was posted, or the target was withdrawn. Raises
    TransitionInterdite."""
    return _passer(dossier, Acte.PERIMER, Etat.CADUC, bail=None, ferme_at=now)


def rouvrir(dossier: Dossier, *, en_ligne: bool) -> Dossier:
    """Puts an approved annonce back in the queue, to be left online or withdrawn.

    `en_ligne`: it is neither closed nor replaced by a later version. Raises NonRevisable, TransitionInterdite.
    """
    if dossier.etat is Etat.DECIDE:
        approuvee = dossier.cible_type is TypeCible.ANNONCE and dossier.issue is Issue.APPROUVEE
        if not (approuvee and en_ligne):
            raise NonRevisable
    return _passer(dossier, Acte.ROUVRIR, Etat.A_REVOIR, revue=True, ferme_at=None)


def publie_d_office(politique: str, cible: TypeCible, confiance: bool) -> bool:
    """True when the policy publishes at once. Associations are always read by a moderator."""
    return politique == "confiance" and cible is TypeCible.ANNONCE and confiance


def emet(dossier: Dossier, issue: Issue) -> bool:
    """True when other services must know the decision. Confirming what the policy has published changes nothing for
    them."""
    return not (dossier.revue and issue is Issue.APPROUVEE)
