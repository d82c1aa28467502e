"""What annonces does with the events of others: decisions, deliveries, answers by message, erasures."""

from dataclasses import replace

from contracts.annonces import AnnonceEffacee, EtatAssociation, RaisonSansEffet, Reponse, ReponseSansEffet
from contracts.commun import TypeAuteur
from contracts.comptes import CompteEfface
from contracts.effacement import COMPTE_EFFACE, TEXTE_EFFACE, sans_annonce, sans_compte
from contracts.moderation import Decision, DecisionPrise, TypeCible
from contracts.notifications import Canal, EnvoisRemis, Intention, ReponseParMessage
from kit.errors import InvalidMessage
from kit.logging import get_logger
from kit.messaging import inbox
from kit.messaging.outbox import Tx
from kit.messaging.processor import Handlers
from kit.metrics import STALE
from services.annonces import associations, domain
from services.annonces.actions import (
    Deps,
    agir_sur_reponse,
    appliquer,
    confirmer,
    noter_changement,
    repondre,
    retirer_toutes,
)
from services.annonces.domain import Fiche
from services.annonces.reponses import EN_COURS, ActionReponse, Demande, Origine, SansEffet
from services.annonces.settings import SERVICE
from services.annonces.store import Document, fiche, fiche_association
from services.annonces.transitions import VIVANTS

log = get_logger(__name__)


async def on_decision_prise(event: DecisionPrise, tx: Tx, deps: Deps) -> None:
    decision = event.decision
    try:
        if decision.cible_type is TypeCible.ANNONCE:
            await _juger_annonce(decision, tx, deps)
        else:
            await _juger_association(decision, tx, deps)
    except domain.VersionInconnue as error:
        raise InvalidMessage(f"decision about a version that was never handed in: {error}") from error


async def _juger_annonce(decision: Decision, tx: Tx, deps: Deps) -> None:
    document = await deps.store.annonce(decision.cible_id, tx.session)
    if document is None:
        raise InvalidMessage(f"decision about an unknown annonce {decision.cible_id}")
    lue = fiche(document)
    change = domain.appliquer_decision(lue, decision, deps.clock.now())
    if change is None:
        return _perimee(decision)
    await appliquer(tx, deps, noter_changement(deps, lue, change))


async def _juger_association(decision: Decision, tx: Tx, deps: Deps) -> None:
    document = await deps.store.association(decision.cible_id, tx.session)
    if document is None:
        raise InvalidMessage(f"decision about an unknown association {decision.cible_id}")
    change = associations.appliquer_decision(fiche_association(document), decision)
    if change is None:
        return _perimee(decision)
    await deps.store.enregistrer_association(change.fiche, tx.session)
    if change.evenement is not None:
        tx.emit(change.evenement)
    if change.fiche.association.etat is EtatAssociation.REFUSEE:
        # An association that may not post any more may not stay posted either.
        vivantes = await deps.store.vivantes_de_association(decision.cible_id, tx.session)
        await retirer_toutes(tx, deps, vivantes, decision.motifs)


def _perimee(decision: Decision) -> None:
    STALE.labels(SERVICE).inc()
    log.info("decision_stale", cible=decision.cible_id, version=decision.cible_version, issue=decision.issue)


async def on_envois_remis(event: EnvoisRemis, tx: Tx, deps: Deps) -> None:
    """Counts people, not messages: whoever is alerted by SMS or in their browser as well has a mail of it."""
    if event.canal is not Canal.EMAIL:
        return
    if not await deps.store.compter_alertes(event.annonce_id, len(event.profils), tx.session):
        raise InvalidMessage(f"deliveries for an unknown annonce {event.annonce_id}")


async def on_reponse_par_message(event: ReponseParMessage, tx: Tx, deps: Deps) -> None:
    """What becomes of an answer by SMS or link: one event that says it, with the id of the message."""
    if await deps.store.est_efface(event.compte_id, tx.session):
        STALE.labels(SERVICE).inc()
        return
    # A message may come back in an event with another id: it acts once, and its first answer is the one.
    message = f"{event.intention}:{event.reponse_id}"
    await inbox.mark(tx.db, f"{SERVICE}.message", [message], deps.clock.now(), tx.session)
    origine = Origine(event.reponse_id, event.canal)
    try:
        if event.intention is Intention.REPONDRE:
            demande = Demande(
                event.reponse_id, event.annonce_id, event.compte_id, event.quantite, attendre=True, origine=origine
            )
            existante = await deps.store.reponse_en_cours(event.annonce_id, event.compte_id, tx.session)
            if existante is not None and existante.get("a_confirmer"):
                await confirmer(tx, deps, existante, origine)
            else:
                await repondre(tx, deps, demande)
        else:
            await _annuler_par_message(event, origine, tx, deps)
    except SansEffet as refus:
        tx.emit(_sans_effet(event, refus))


async def _annuler_par_message(event: ReponseParMessage, origine: Origine, tx: Tx, deps: Deps) -> None:
    document = await deps.store.reponse_en_cours(event.annonce_id, event.compte_id, tx.session)
    if document is None:
        annonce = await deps.store.annonce(event.annonce_id, tx.session)
        raise SansEffet(RaisonSansEffet.AUCUNE_REPONSE, fiche(annonce).annonce if annonce else None)
    await agir_sur_reponse(tx, deps, document, ActionReponse.ANNULER, origine)


def _sans_effet(event: ReponseParMessage, refus: SansEffet) -> ReponseSansEffet:
    # Of what was never published, its title is nobody's business.
    annonce = refus.annonce if refus.annonce and refus.annonce.publiee_at else None
    return ReponseSansEffet(
        reponse_id=event.reponse_id,
        annonce_id=event.annonce_id,
        annonce_titre=annonce and annonce.titre,
        compte_id=event.compte_id,
        canal=event.canal,
        intention=event.intention,
        raison=refus.raison,
        places=annonce and annonce.places,
        reponse=refus.existante,
    )


async def on_compte_efface(event: CompteEfface, tx: Tx, deps: Deps) -> None:
    compte_id = event.compte.compte_id
    await deps.store.noter_efface(compte_id, deps.clock.now(), tx.session)
    reponses = await deps.store.reponses_du_compte(compte_id, tx.session)
    await deps.conversations.effacer_compte(compte_id, [r["_id"] for r in reponses], deps.clock.now(), tx.session)
    for document in reponses:
        await _effacer_reponse(document, tx, deps)
    for document in await deps.store.associations_du_compte(compte_id, tx.session):
        await _quitter_association(document, compte_id, tx, deps)
    for document in await deps.store.annonces_du_compte(compte_id, tx.session):
        await _effacer_auteur(document, tx, deps)
    # Last: what was just withdrawn has told its answers once more.
    await deps.store.oublier_destinataire(compte_id, tx.session)
    await tx.forget(compte_id, sans_compte)


async def _effacer_reponse(document: Document, tx: Tx, deps: Deps) -> None:
    reponse = Reponse.model_validate(document)
    if reponse.etat in EN_COURS:
        reponse = (await agir_sur_reponse(tx, deps, document, ActionReponse.ANNULER)).reponse
    anonyme = reponse.model_copy(update={"compte_id": COMPTE_EFFACE})
    await deps.store.enregistrer_reponse(anonyme, tx.session, message="", mot="")


async def _quitter_association(document: Document, compte_id: str, tx: Tx, deps: Deps) -> None:
    change = associations.retirer_membre(fiche_association(document), compte_id)
    await deps.store.enregistrer_association(change.fiche, tx.session)
    if change.evenement is not None:
        tx.emit(change.evenement)
    if not change.fiche.association.membres:
        # Nobody is left who could read the answers.
        vivantes = await deps.store.vivantes_de_association(document["_id"], tx.session)
        await retirer_toutes(tx, deps, vivantes, [])


async def _effacer_auteur(document: Document, tx: Tx, deps: Deps) -> None:
    # Read again: an association left without members has just had its annonces withdrawn.
    relue = await deps.store.annonce(document["_id"], tx.session)
    if relue is None:
        raise LookupError(f"the annonce {document['_id']} vanished inside a transaction")
    anonyme = _anonyme(fiche(relue))
    if anonyme.annonce.auteur.type is TypeAuteur.PARTICULIER:
        await deps.store.effacer_dans_reponses(document["_id"], TEXTE_EFFACE, tx.session)
        # Before what follows is said of it, which is without its words.
        await tx.forget(document["_id"], sans_annonce)
    if anonyme.annonce.auteur.type is not TypeAuteur.ASSOCIATION and anonyme.annonce.etat in VIVANTS:
        anonyme = await appliquer(tx, deps, domain.retirer(anonyme, []))
    else:
        await deps.store.enregistrer(anonyme, tx.session)
    if anonyme.annonce.auteur.type is TypeAuteur.PARTICULIER:
        await deps.rendez_vous.effacer(document["_id"], tx.session)
        # Others have copied the words; this also empties what the topic keeps of the annonce.
        tx.emit(AnnonceEffacee(annonce=anonyme.annonce))


def _anonyme(lue: Fiche) -> Fiche:
    """Without the account, and for a citizen without what they wrote."""
    annonce = lue.annonce
    champs: dict[str, object] = {"auteur": annonce.auteur.model_copy(update={"compte_id": COMPTE_EFFACE})}
    if annonce.auteur.type is TypeAuteur.PARTICULIER:
        champs |= {"titre": TEXTE_EFFACE, "description": TEXTE_EFFACE}
        lue = replace(lue, proposition=None)
    return replace(lue, annonce=annonce.model_copy(update=champs))


HANDLERS: Handlers = {
    DecisionPrise: on_decision_prise,
    EnvoisRemis: on_envois_remis,
    ReponseParMessage: on_reponse_par_message,
    CompteEfface: on_compte_efface,
}
