"""What happens inside a transaction, whoever asks: read, decide (pure), write, emit.

Every change of an annonce passes `appliquer`, which lets its answers follow: those that wait move up when it has
places, and end with it when it ends.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from contracts.annonces import EtatReponse, RaisonSansEffet, Reponse
from contracts.moderation import Motif
from kit.clock import Clock
from kit.http.internal_calls import InternalApi
from kit.messaging.outbox import Outbox, Tx
from services.annonces import attente, changements, domain, rappels, reponses
from services.annonces.conversations.rendez_vous import TableRendezVous
from services.annonces.conversations.store import Conversations
from services.annonces.domain import Changement, Fiche
from services.annonces.reponses import ActionReponse, ChangementReponse, Demande, Origine, SansEffet
from services.annonces.settings import Reglages
from services.annonces.store import Document, Store, fiche
from services.annonces.tours import Tours
from services.annonces.transitions import VIVANTS


@dataclass(frozen=True)
class Deps:
    """What routes, handlers and timers work with."""

    store: Store
    outbox: Outbox
    clock: Clock
    settings: Reglages
    conversations: Conversations
    rendez_vous: TableRendezVous
    notifications: InternalApi
    tours: Tours = field(default_factory=Tours)


async def appliquer(tx: Tx, deps: Deps, change: Changement) -> Fiche:
    """Stores and tells the new state of an annonce, with what follows for its answers; returns what was stored."""
    now = deps.clock.now()
    change = await _clore(tx, deps, change, now)
    while change.fiche.en_attente and (plafond := attente.plafond(change.fiche, now)):
        annonce = change.fiche.annonce
        document = await deps.store.premiere_en_attente(annonce.annonce_id, plafond, tx.session)
        if document is None:
            break
        suivante = Reponse.model_validate(document)
        gerants = await deps.store.gerants(annonce, tx.session)
        accueil = attente.promouvoir(change, suivante, gerants, now)
        change = accueil.annonce
        await deps.store.enregistrer_reponse(accueil.reponse.reponse, tx.session)
        await deps.store.avancer(annonce.annonce_id, suivante.rang or 0, tx.session)
        tx.emit(accueil.reponse.evenement)
    await _enregistrer(tx, deps, change)
    return change.fiche


async def _clore(tx: Tx, deps: Deps, change: Changement, now: dt.datetime) -> Changement:
    annonce = change.fiche.annonce
    cloture = attente.cloture(annonce, now)
    if cloture is None:
        return change
    documents = await deps.store.reponses_dans(annonce.annonce_id, cloture.etats, tx.session)
    for document in documents:
        tx.emit(reponses.clore(Reponse.model_validate(document), cloture.raison).evenement)
    if documents:
        await deps.store.clore_reponses(annonce.annonce_id, cloture.etats, tx.session)
    return replace(change, fiche=replace(change.fiche, en_attente=0))


async def _enregistrer(tx: Tx, deps: Deps, change: Changement) -> None:
    await deps.store.enregistrer(change.fiche, tx.session)
    if change.evenement is not None:
        tx.emit(change.evenement)


def noter_changement(deps: Deps, lue: Fiche, change: Changement) -> Changement:
    """`change` of the annonce `lue`, with what those who answered are to be told of it later."""
    delai = dt.timedelta(seconds=deps.settings.changement_delai_s)
    return changements.noter(lue, change, deps.clock.now(), delai)


async def retirer_toutes(tx: Tx, deps: Deps, documents: Sequence[Document], motifs: Sequence[Motif]) -> None:
    """Withdraws each of the annonces that is still alive."""
    for document in documents:
        lue = fiche(document)
        if lue.annonce.etat in VIVANTS:
            await appliquer(tx, deps, domain.retirer(lue, motifs))


async def repondre(tx: Tx, deps: Deps, demande: Demande) -> Reponse:
    """Reserves places for an answer and stores it, or puts it on the waiting list, in this transaction.

    Raises SansEffet, or for who does not want to wait PlacesInsuffisantes or TransitionInterdite: nothing is written.
    """
    now = deps.clock.now()
    document = await deps.store.annonce(demande.annonce_id, tx.session)
    if document is None:
        raise SansEffet(RaisonSansEffet.INCONNUE)
    lue = fiche(document)
    gerants = await deps.store.gerants(lue.annonce, tx.session)
    existante = await deps.store.reponse_en_cours(demande.annonce_id, demande.compte_id, tx.session)
    donnee = None if existante is None else Reponse.model_validate(existante)
    declins = await deps.store.declins(demande.annonce_id, demande.compte_id, tx.session)
    reponses.verifier(lue.annonce, gerants, demande.compte_id, donnee, now, declins=declins)
    accueil = attente.accueillir(lue, demande, gerants, now)
    await _enregistrer(tx, deps, accueil.annonce)
    mots = deps.conversations.chiffrer_mots(demande.texte, demande.reponse_id)
    await deps.store.inserer_reponse(accueil.reponse.reponse, mots, tx.session)
    tx.emit(accueil.reponse.evenement)
    return accueil.reponse.reponse


async def agir_sur_reponse(
    tx: Tx, deps: Deps, document: Document, action: ActionReponse, origine: Origine | None = None, mot: str = ""
) -> ChangementReponse:
    """Accepts, declines, frees or takes back an answer; gives its places, or its rank in the waiting list, to those
    behind. `mot`: what the author writes to whom they decline.

    Raises ReponseImpossible or AnnonceSansSuite.
    """
    reponse = Reponse.model_validate(document)
    annonce = await deps.store.annonce(reponse.annonce_id, tx.session)
    if annonce is None:
        raise LookupError(f"the annonce {reponse.annonce_id} of the reponse {reponse.reponse_id} is missing")
    lue = fiche(annonce)
    gerants = await deps.store.gerants(lue.annonce, tx.session)
    change = reponses.agir(reponse, action, lue.annonce.etat, gerants, origine, mot=bool(mot))
    prives = {"mot": deps.conversations.chiffrer_mots(mot, reponse.reponse_id)} if mot else {}
    await deps.store.enregistrer_reponse(change.reponse, tx.session, **prives)
    tx.emit(change.evenement)
    if reponses.rend_ses_places(reponse.etat, change.reponse.etat):
        await appliquer(tx, deps, domain.liberer(lue, reponse.quantite))
    elif reponse.etat is EtatReponse.EN_ATTENTE:
        await deps.store.avancer(reponse.annonce_id, reponse.rang or 0, tx.session)
        await deps.store.enregistrer(attente.quitter(lue), tx.session)
    if change.reponse.etat is EtatReponse.ACCEPTEE:
        await rappeler(tx, deps, change.reponse, lue, document.get("rappel_pour"))
    return change


async def confirmer(tx: Tx, deps: Deps, document: Document, origine: Origine | None = None) -> Reponse:
    """Whoever was told of a change still comes. Raises ReponseImpossible for an answer that is over."""
    evenement = reponses.confirmer(Reponse.model_validate(document), origine)
    if document.get("a_confirmer"):
        await deps.store.enregistrer_reponse(evenement.reponse, tx.session, a_confirmer=False)
        tx.emit(evenement)
    return evenement.reponse


async def rappeler(tx: Tx, deps: Deps, reponse: Reponse, lue: Fiche, rappel_pour: str | None) -> bool:
    """Tells once that the day of this answer is near; False: not now, or told already (of the day `rappel_pour`)."""
    annonce = lue.annonce
    jour = annonce.date_debut
    if jour is None or rappel_pour == jour.isoformat():
        return False
    if not rappels.est_du(annonce, reponse, deps.clock.now(), deps.settings.rappel_heure):
        return False
    event_id, evenement = rappels.rappel(annonce, reponse, jour)
    await deps.store.enregistrer_reponse(reponse, tx.session, rappel_pour=jour.isoformat())
    tx.emit(evenement, event_id=event_id)
    return True
