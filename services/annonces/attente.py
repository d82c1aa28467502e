"""The waiting list of an annonce: who gets places at once, who waits, who is next, and for whom it ends. Pure.

First come, first served among those whose number fits. People and premises come whole: a group of three is not torn
apart for two places, so it waits, and a single person may take a place that it cannot use. Objects can be divided:
who offers three where two are missing is taken at their word for two, and told so. Whoever waits has therefore no fit
in what is left, which holds after each change, since every change that frees places hands them on.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from contracts.annonces import Annonce, EtatAnnonce, EtatReponse, RaisonCloture, RaisonSansEffet, Reponse
from contracts.commun import Identifiant, Nature
from services.annonces import domain, reponses
from services.annonces.dates import fin_du_jour
from services.annonces.domain import Changement, Fiche
from services.annonces.reponses import ChangementReponse, Demande, SansEffet
from services.annonces.requetes import QUANTITE_MAXIMALE


@dataclass(frozen=True)
class Accueil:
    """What becomes of an annonce and of an answer to it, together."""

    annonce: Changement
    reponse: ChangementReponse


@dataclass(frozen=True)
class Cloture:
    """The states of the answers that end with an annonce, and why."""

    etats: frozenset[EtatReponse]
    raison: RaisonCloture


def divisible(annonce: Annonce) -> bool:
    return annonce.nature is Nature.MATERIEL


def plafond(fiche: Fiche, now: dt.datetime) -> int:
    """The largest number asked for that gets places now; 0: none does."""
    annonce = fiche.annonce
    if annonce.etat is not EtatAnnonce.PUBLIEE or annonce.expire_at <= now or annonce.places_restantes == 0:
        return 0
    return QUANTITE_MAXIMALE if divisible(annonce) else annonce.places_restantes


def accueillir(fiche: Fiche, demande: Demande, destinataires: Sequence[Identifiant], now: dt.datetime) -> Accueil:
    """An answer to an annonce that takes some (reponses.verifier): places, or with `attendre` a rank in the list.

    Raises PlacesInsuffisantes or TransitionInterdite for who does not want to wait, SansEffet for who would for ever.
    """
    annonce = fiche.annonce
    if not demande.attendre or demande.quantite <= plafond(fiche, now):
        # Who did not say that they would wait chose their number: they get it whole, or choose another.
        quantite = min(demande.quantite, annonce.places_restantes) if demande.attendre else demande.quantite
        change = domain.reserver(fiche, quantite, now)
        deposee = reponses.repondre(
            demande, change.fiche.annonce, quantite=quantite, destinataires=destinataires, now=now
        )
        return Accueil(change, deposee)
    if demande.quantite > annonce.places and not divisible(annonce):
        raise SansEffet(RaisonSansEffet.TROP_DE_PLACES, annonce)
    suivante = replace(fiche, en_attente=fiche.en_attente + 1)
    attente = reponses.attendre(demande, annonce, rang=suivante.en_attente, destinataires=destinataires, now=now)
    return Accueil(Changement(suivante, None), attente)


def promouvoir(change: Changement, reponse: Reponse, destinataires: Sequence[Identifiant], now: dt.datetime) -> Accueil:
    """Gives places that `change` left free to the first that fits (its number is at most `plafond`)."""
    fiche = quitter(change.fiche)
    quantite = min(reponse.quantite, fiche.annonce.places_restantes)
    suivant = domain.enchainer(change, domain.reserver(fiche, quantite, now))
    promue = reponses.promouvoir(reponse, suivant.fiche.annonce, quantite=quantite, destinataires=destinataires)
    return Accueil(suivant, promue)


def quitter(fiche: Fiche) -> Fiche:
    """One fewer waits."""
    return replace(fiche, en_attente=fiche.en_attente - 1)


def cloture(annonce: Annonce, now: dt.datetime) -> Cloture | None:
    """Which answers end with this annonce, once it has ended; None: it has not.

    Withdrawn or refused: all. Over: those who wait, and those that nobody answered before the day itself was past; an
    author may accept later what has no date, or is yet to come. An accepted answer has come to something.
    """
    if annonce.etat in (EtatAnnonce.RETIREE, EtatAnnonce.REFUSEE):
        return Cloture(reponses.EN_COURS, RaisonCloture.RETIREE)
    if annonce.etat is not EtatAnnonce.EXPIREE:
        return None
    dernier_jour = annonce.date_fin or annonce.date_debut
    passee = dernier_jour is not None and fin_du_jour(dernier_jour) <= now
    etats = {EtatReponse.EN_ATTENTE, EtatReponse.DEPOSEE} if passee else {EtatReponse.EN_ATTENTE}
    return Cloture(frozenset(etats), RaisonCloture.EXPIREE)
