"""The life of an annonce: its states, what may happen in each, and its versions. Pure: clocks and ids come in.

The version grows with every change of the public state while a moderator or the public can see it. `version_deposee` is
the version in which the text of the annonce was handed in: a decision about an older text changes nothing.

Once it is published, a new text does not replace the approved one: it waits beside it as a Proposition until a
moderator approves it. What is no text (days, places, end) changes at once.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from contracts import annonces as evenements
from contracts.annonces import Annonce, EtatAnnonce, EvenementAnnonce
from contracts.commun import Auteur, Identifiant, Lieu, TypeAuteur
from contracts.moderation import Decision, Issue, Motif
from services.annonces.contenu import IMMEDIATS, ChangementADire, Contenu, Proposition, Texte
from services.annonces.dates import DUREE_HABITUELLE
from services.annonces.transitions import EN_LIGNE, EVENEMENTS, TRANSITIONS, Action

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


class FinFixee(Refus):
    """An annonce with days ends with the last of them: it is not prolonged, its days are changed."""


class VersionInconnue(Refus):
    """A decision about a version that does not exist yet: it was not made here."""


@dataclass(frozen=True)
class Fiche:
    """An annonce with what the public does not see. `motifs`: those of the last decision about it.

    `en_attente`: how many answers are in the waiting list. Whoever joins or leaves that list writes the annonce too:
    two concurrent transactions then conflict in Mongo, and none misses a place that the other one frees.
    """

    annonce: Annonce
    version_deposee: int
    motifs: Sequence[Motif] = ()
    en_attente: int = 0
    proposition: Proposition | None = None
    a_dire: ChangementADire | None = None


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
    """What the author wrote anew; reserved places stay reserved. A published text stays online until the new one is
    approved.

    Raises TransitionInterdite, VersionDepassee, or PlacesDejaPrises.
    """
    annonce = fiche.annonce
    if annonce.etat not in EN_LIGNE:
        _verifier(annonce.etat, Action.CORRIGER)
    if version_lue != annonce.version:
        raise VersionDepassee(annonce.version)
    texte = Texte.model_validate({**dict(contenu), "lieu": lieu_public(contenu.lieu, annonce.auteur)})
    champs = {nom: getattr(contenu, nom) for nom in IMMEDIATS} | _places(annonce, contenu.places)
    if annonce.etat in EN_LIGNE:
        return _modifier(replace(fiche, proposition=_proposition(fiche, texte, now)), champs)
    change = _appliquer(fiche, Action.CORRIGER, {**dict(texte), **champs, "deposee_at": now})
    return replace(change, fiche=replace(change.fiche, version_deposee=change.fiche.annonce.version))


def changer_places(fiche: Fiche, places: int) -> Changement:
    """More or fewer places while it is online. Raises TransitionInterdite or PlacesDejaPrises."""
    if fiche.annonce.etat not in EN_LIGNE:
        raise TransitionInterdite(fiche.annonce.etat, Action.MODIFIER)
    return _modifier(fiche, _places(fiche.annonce, places))


def prolonger(fiche: Fiche, now: dt.datetime) -> Changement:
    """Online for as long again as an annonce without days usually is. Raises TransitionInterdite or FinFixee."""
    annonce = fiche.annonce
    if annonce.etat not in EN_LIGNE:
        raise TransitionInterdite(annonce.etat, Action.MODIFIER)
    if annonce.date_debut or annonce.date_fin:
        raise FinFixee("it ends with its last day")
    return _modifier(fiche, {"expire_at": max(annonce.expire_at, now + DUREE_HABITUELLE)})


def appliquer_decision(fiche: Fiche, decision: Decision, now: dt.datetime) -> Changement | None:
    """What a moderator decided; None when the decision is stale (a later text, or a state in which it says nothing).

    A withdrawal needs no version: it wins over whatever it overtakes. Raises VersionInconnue.
    """
    annonce, proposition = fiche.annonce, fiche.proposition
    if decision.cible_version > annonce.version:
        raise VersionInconnue(f"version {decision.cible_version} of {annonce.annonce_id}")
    if decision.issue is not Issue.RETIREE:
        if proposition is not None and decision.cible_version >= proposition.version:
            return _juger_proposition(fiche, proposition, decision)
        if decision.cible_version < fiche.version_deposee:
            return None
    jugee = replace(fiche, motifs=tuple(decision.motifs))
    action = _ISSUES[decision.issue]
    if action is Action.APPROUVER and annonce.etat in EN_LIGNE:
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


def _juger_proposition(fiche: Fiche, proposition: Proposition, decision: Decision) -> Changement | None:
    """The approved text changes only if the new one is approved."""
    if proposition.etat is not EtatAnnonce.DEPOSEE:
        return None
    if decision.issue is not Issue.APPROUVEE:
        etat = EtatAnnonce.A_CORRIGER if decision.issue is Issue.A_CORRIGER else EtatAnnonce.REFUSEE
        renvoyee = proposition.model_copy(update={"etat": etat, "motifs": decision.motifs})
        return _modifier(replace(fiche, proposition=renvoyee))
    jugee = replace(fiche, proposition=None, version_deposee=proposition.version, motifs=())
    # Whom the new text concerns and the old one did not is alerted, unless there is nothing left to answer for.
    action = Action.APPROUVER if fiche.annonce.etat is EtatAnnonce.PUBLIEE else Action.POURVOIR
    return _appliquer(jugee, action, dict(proposition.texte))


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
    fiche = replace(second.fiche, annonce=annonce)
    return Changement(fiche, _evenement(classe, fiche))


def proposee(fiche: Fiche) -> Annonce | None:
    """The annonce as it would be with the text that waits for a moderator; None: no text waits."""
    proposition = fiche.proposition
    if proposition is None or proposition.etat is not EtatAnnonce.DEPOSEE:
        return None
    champs = {"version": proposition.version, "etat": proposition.etat, "deposee_at": proposition.deposee_at}
    return fiche.annonce.model_copy(update={**dict(proposition.texte), **champs})


def _proposition(fiche: Fiche, texte: Texte, now: dt.datetime) -> Proposition | None:
    """None for the text that is online. A text that was proposed already keeps what a moderator does or said."""
    if texte == Texte.model_validate(dict(fiche.annonce)):
        return None
    if fiche.proposition is not None and fiche.proposition.texte == texte:
        return fiche.proposition
    return Proposition(texte=texte, version=fiche.annonce.version + 1, deposee_at=now)


def _places(annonce: Annonce, places: int) -> dict[str, object]:
    """The fields of an annonce with so many places. Raises PlacesDejaPrises."""
    prises = annonce.places - annonce.places_restantes
    if places < prises:
        raise PlacesDejaPrises(prises)
    return {"places": places, "places_restantes": places - prises}


def _modifier(fiche: Fiche, champs: Mapping[str, object] = MappingProxyType({})) -> Changement:
    """Changes what is online; whether it is full follows from its places."""
    if champs.get("places_restantes", fiche.annonce.places_restantes) == 0:
        return _appliquer(fiche, Action.POURVOIR, champs)
    pourvue = fiche.annonce.etat is EtatAnnonce.POURVUE
    return _appliquer(fiche, Action.ROUVRIR if pourvue else Action.MODIFIER, champs)


def _verifier(etat: EtatAnnonce, action: Action) -> EtatAnnonce:
    suivant = TRANSITIONS.get((etat, action))
    if suivant is None:
        raise TransitionInterdite(etat, action)
    return suivant


def _appliquer(fiche: Fiche, action: Action, champs: Mapping[str, object] = MappingProxyType({})) -> Changement:
    annonce = fiche.annonce
    etat = _verifier(annonce.etat, action)
    suivante = annonce.model_copy(update={"version": annonce.version + 1, **champs, "etat": etat})
    changee = replace(fiche, annonce=suivante)
    if etat not in EN_LIGNE:
        # A proposition stands beside a published text, and a change is told of what takes place.
        changee = replace(changee, proposition=None, a_dire=None)
    return Changement(changee, _evenement(EVENEMENTS[action], changee))


def _evenement(classe: type[EvenementAnnonce], fiche: Fiche) -> EvenementAnnonce:
    return classe(annonce=fiche.annonce, proposee=proposee(fiche))
