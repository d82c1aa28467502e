"""The life of an annonce: its states, what may happen in each, and its versions. Pure: clocks and ids come in.

The version grows with every change of the public state while a moderator or the public can see it. `version_deposee` is
the version of the last text that was handed in: a decision stands as long as no later text was.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from contracts import annonces as evenements
from contracts.annonces import Annonce, EtatAnnonce, EvenementAnnonce
from contracts.base import Valeur
from contracts.commun import Auteur, Cession, Code, Identifiant, Instant, Lieu, Nature, Sens, TypeAuteur
from contracts.moderation import Decision, Issue, Motif


class Action(StrEnum):
    CORRIGER = "corriger"
    APPROUVER = "approuver"
    DEMANDER_CORRECTION = "demander_correction"
    REFUSER = "refuser"
    RETIRER = "retirer"
    RESERVER = "reserver"
    LIBERER = "liberer"
    POURVOIR = "pourvoir"
    ROUVRIR = "rouvrir"
    EXPIRER = "expirer"


_E = EtatAnnonce

TRANSITIONS: Mapping[tuple[EtatAnnonce, Action], EtatAnnonce] = MappingProxyType(
    {
        (_E.DEPOSEE, Action.CORRIGER): _E.DEPOSEE,
        (_E.DEPOSEE, Action.APPROUVER): _E.PUBLIEE,
        (_E.DEPOSEE, Action.DEMANDER_CORRECTION): _E.A_CORRIGER,
        (_E.DEPOSEE, Action.REFUSER): _E.REFUSEE,
        (_E.DEPOSEE, Action.RETIRER): _E.RETIREE,
        (_E.DEPOSEE, Action.EXPIRER): _E.EXPIREE,
        (_E.A_CORRIGER, Action.CORRIGER): _E.DEPOSEE,
        (_E.A_CORRIGER, Action.RETIRER): _E.RETIREE,
        (_E.A_CORRIGER, Action.EXPIRER): _E.EXPIREE,
        (_E.PUBLIEE, Action.CORRIGER): _E.DEPOSEE,
        # A trusted association is published at once and read afterwards: what is wrong is then undone from here.
        (_E.PUBLIEE, Action.DEMANDER_CORRECTION): _E.A_CORRIGER,
        (_E.PUBLIEE, Action.REFUSER): _E.REFUSEE,
        (_E.PUBLIEE, Action.RETIRER): _E.RETIREE,
        (_E.PUBLIEE, Action.RESERVER): _E.PUBLIEE,
        (_E.PUBLIEE, Action.LIBERER): _E.PUBLIEE,
        (_E.PUBLIEE, Action.POURVOIR): _E.POURVUE,
        (_E.PUBLIEE, Action.EXPIRER): _E.EXPIREE,
        (_E.POURVUE, Action.DEMANDER_CORRECTION): _E.A_CORRIGER,
        (_E.POURVUE, Action.REFUSER): _E.REFUSEE,
        (_E.POURVUE, Action.ROUVRIR): _E.PUBLIEE,
        (_E.POURVUE, Action.RETIRER): _E.RETIREE,
        (_E.POURVUE, Action.EXPIRER): _E.EXPIREE,
    }
)
"""What may happen in which state, and where it leads. All that is absent is forbidden."""

EVENEMENTS: Mapping[Action, type[EvenementAnnonce]] = MappingProxyType(
    {
        Action.CORRIGER: evenements.AnnonceDeposee,
        Action.APPROUVER: evenements.AnnoncePubliee,
        Action.DEMANDER_CORRECTION: evenements.AnnonceACorriger,
        Action.REFUSER: evenements.AnnonceRefusee,
        Action.RETIRER: evenements.AnnonceRetiree,
        Action.RESERVER: evenements.AnnonceModifiee,
        Action.LIBERER: evenements.AnnonceModifiee,
        Action.POURVOIR: evenements.AnnoncePourvue,
        # Not AnnoncePubliee: a freed place alerts nobody a second time.
        Action.ROUVRIR: evenements.AnnonceModifiee,
        Action.EXPIRER: evenements.AnnonceExpiree,
    }
)

FINAUX = frozenset({_E.REFUSEE, _E.RETIREE, _E.EXPIREE})
VIVANTS = frozenset(set(_E) - FINAUX)

_ISSUES: Mapping[Issue, Action] = MappingProxyType(
    {
        Issue.APPROUVEE: Action.APPROUVER,
        Issue.A_CORRIGER: Action.DEMANDER_CORRECTION,
        Issue.REFUSEE: Action.REFUSER,
        Issue.RETIREE: Action.RETIRER,
    }
)


class Refus(Exception):
    """The domain says no; subclasses say why."""


class TransitionInterdite(Refus):
    def __init__(self, etat: EtatAnnonce, action: Action) -> None:
        super().__init__(f"{action} is forbidden in the state {etat}")
        self.etat, self.action = etat, action


class VersionDepassee(Refus):
    """Somebody else changed it since it was read; `actuelle` is its version now."""

    def __init__(self, actuelle: int) -> None:
        super().__init__(f"the version is {actuelle} now")
        self.actuelle = actuelle


class PlacesInsuffisantes(Refus):
    """`attente`: so many may become free one day, so that waiting makes sense."""

    def __init__(self, restantes: int, *, attente: bool) -> None:
        super().__init__(f"{restantes} places are left")
        self.restantes, self.attente = restantes, attente


class PlacesDejaPrises(Refus):
    """A correction asks for fewer places than people already answered for."""

    def __init__(self, prises: int) -> None:
        super().__init__(f"{prises} places are taken")
        self.prises = prises


class VersionInconnue(Refus):
    """A decision about a version that does not exist yet: it was not made here."""


class Contenu(Valeur):
    """What the author writes; the rest of an annonce follows from what happens to it."""

    sens: Sens
    nature: Nature
    titre: str
    description: str
    domaines: list[Code]
    categories: list[Code]
    publics: list[Code]
    cession: Cession | None
    date_debut: dt.date | None
    date_fin: dt.date | None
    creneaux: list[Code]
    lieu: Lieu
    a_distance: bool
    certifications: list[Code]
    accessible_pmr: bool
    ouvert_aux_mineurs: bool
    urgent: bool
    places: int
    expire_at: Instant


@dataclass(frozen=True)
class Fiche:
    """An annonce with what the public does not see: `motifs` are those of the last decision.

    `en_attente`: how many answers wait. Who joins or leaves the waiting list changes the annonce with it, so that no
    two of them, nor a place that becomes free meanwhile, miss one another in concurrent transactions.
    """

    annonce: Annonce
    version_deposee: int
    motifs: Sequence[Motif] = ()
    en_attente: int = 0


@dataclass(frozen=True)
class Changement:
    """A new state, and the event that tells it (None: nothing that others must know)."""

    fiche: Fiche
    evenement: EvenementAnnonce | None


def lieu_public(lieu: Lieu, auteur: Auteur) -> Lieu:
    """A citizen's place to about a kilometre: it is often their home. The place of an organisation stays as it is.

    An annonce holds nothing more precise, so nothing that is made of it (distances, reasons, events) tells more.
    """
    if auteur.type is not TypeAuteur.PARTICULIER:
        return lieu
    return Lieu(quartier=lieu.quartier, lat=round(lieu.lat, 2), lon=round(lieu.lon, 2))


def deposer(
    annonce_id: Identifiant, contenu: Contenu, auteur: Auteur, now: dt.datetime, *, sans_alerte: bool = False
) -> Changement:
    """A new annonce, which waits for a moderator. `sans_alerte`: its publication will alert nobody."""
    annonce = Annonce(
        **{**dict(contenu), "lieu": lieu_public(contenu.lieu, auteur)},
        annonce_id=annonce_id,
        version=1,
        etat=EtatAnnonce.DEPOSEE,
        places_restantes=contenu.places,
        auteur=auteur,
        deposee_at=now,
        sans_alerte=sans_alerte,
    )
    return Changement(Fiche(annonce, version_deposee=1), evenements.AnnonceDeposee(annonce=annonce))


def corriger(fiche: Fiche, contenu: Contenu, *, version_lue: int, now: dt.datetime) -> Changement:
    """The author's new text, which waits for a moderator again; reserved places stay reserved.

    Raises TransitionInterdite, VersionDepassee, or PlacesDejaPrises.
    """
    annonce = fiche.annonce
    _verifier(annonce.etat, Action.CORRIGER)
    if version_lue != annonce.version:
        raise VersionDepassee(annonce.version)
    prises = annonce.places - annonce.places_restantes
    if contenu.places < prises:
        raise PlacesDejaPrises(prises)
    lieu = lieu_public(contenu.lieu, annonce.auteur)
    champs = {**dict(contenu), "lieu": lieu, "places_restantes": contenu.places - prises, "deposee_at": now}
    change = _appliquer(fiche, Action.CORRIGER, champs)
    return replace(change, fiche=replace(change.fiche, version_deposee=change.fiche.annonce.version))


def appliquer_decision(fiche: Fiche, decision: Decision, now: dt.datetime) -> Changement | None:
    """What a moderator decided; None when the decision is stale (a later text, or a state in which it says nothing).

    A withdrawal needs no version: it wins over whatever it overtakes. Raises VersionInconnue.
    """
    annonce = fiche.annonce
    if decision.cible_version > annonce.version:
        raise VersionInconnue(f"version {decision.cible_version} of {annonce.annonce_id}")
    if decision.cible_version < fiche.version_deposee and decision.issue is not Issue.RETIREE:
        return None
    jugee = replace(fiche, motifs=tuple(decision.motifs))
    action = _ISSUES[decision.issue]
    if action is Action.APPROUVER and annonce.etat in (EtatAnnonce.PUBLIEE, EtatAnnonce.POURVUE):
        # Read after it was published: nothing changes for anybody else.
        return Changement(jugee, None)
    if (annonce.etat, action) not in TRANSITIONS:
        return None
    if action is not Action.APPROUVER:
        return _appliquer(jugee, action)
    # The first publication counts: a correction must not bring an old annonce back to the top.
    champs: dict[str, object] = {"publiee_at": annonce.publiee_at or now}
    if annonce.places_restantes == 0:
        publiee = _appliquer(jugee, action, champs).fiche
        return _appliquer(publiee, Action.POURVOIR, {"version": publiee.annonce.version})
    return _appliquer(jugee, action, champs)


def retirer(fiche: Fiche, motifs: Sequence[Motif] | None = None) -> Changement:
    """Withdrawn by its author, or with `motifs` when somebody else does. Raises TransitionInterdite."""
    return _appliquer(fiche if motifs is None else replace(fiche, motifs=tuple(motifs)), Action.RETIRER)


def expirer(fiche: Fiche) -> Changement:
    """Its last day is over. Raises TransitionInterdite."""
    return _appliquer(fiche, Action.EXPIRER)


def reserver(fiche: Fiche, quantite: int, now: dt.datetime) -> Changement:
    """Takes `quantite` places, all or none. Raises TransitionInterdite or PlacesInsuffisantes."""
    annonce = fiche.annonce
    _verifier(annonce.etat, Action.RESERVER)
    if annonce.expire_at <= now:
        # Its last day is over, even though the expiry loop has not come by yet.
        raise TransitionInterdite(EtatAnnonce.EXPIREE, Action.RESERVER)
    restantes = annonce.places_restantes - quantite
    if restantes < 0:
        raise PlacesInsuffisantes(annonce.places_restantes, attente=quantite <= annonce.places)
    return _appliquer(fiche, Action.RESERVER if restantes else Action.POURVOIR, {"places_restantes": restantes})


def liberer(fiche: Fiche, quantite: int) -> Changement:
    """Gives `quantite` places back. An annonce that nobody can answer now only keeps count, without a new version."""
    annonce = fiche.annonce
    champs: dict[str, object] = {"places_restantes": min(annonce.places, annonce.places_restantes + quantite)}
    action = Action.ROUVRIR if annonce.etat is EtatAnnonce.POURVUE else Action.LIBERER
    if (annonce.etat, action) in TRANSITIONS:
        return _appliquer(fiche, action, champs)
    return Changement(replace(fiche, annonce=annonce.model_copy(update=champs)), None)


def enchainer(premier: Changement, second: Changement) -> Changement:
    """Two steps of one transaction, told as one: others see no state in between, which would show a place as free that
    is taken already. Matching starts on AnnoncePubliee: an approval stays one, unless the annonce is full with it.
    """
    if premier.evenement is None:
        return second
    annonce = second.fiche.annonce.model_copy(update={"version": premier.fiche.annonce.version})
    classe = type(second.evenement or premier.evenement)
    if isinstance(premier.evenement, evenements.AnnoncePubliee) and annonce.etat is EtatAnnonce.PUBLIEE:
        classe = evenements.AnnoncePubliee
    return Changement(replace(second.fiche, annonce=annonce), classe(annonce=annonce))


def _verifier(etat: EtatAnnonce, action: Action) -> EtatAnnonce:
    suivant = TRANSITIONS.get((etat, action))
    if suivant is None:
        raise TransitionInterdite(etat, action)
    return suivant


def _appliquer(fiche: Fiche, action: Action, champs: Mapping[str, object] = MappingProxyType({})) -> Changement:
    annonce = fiche.annonce
    etat = _verifier(annonce.etat, action)
    suivante = annonce.model_copy(update={"version": annonce.version + 1, **champs, "etat": etat})
    return Changement(replace(fiche, annonce=suivante), EVENEMENTS[action](annonce=suivante))
