"""What moderation does when an event arrives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.annonces import (
    Annonce,
    AnnonceACorriger,
    AnnonceDeposee,
    AnnonceEffacee,
    AnnonceExpiree,
    AnnonceModifiee,
    AnnoncePourvue,
    AnnoncePubliee,
    AnnonceRefusee,
    AnnonceRetiree,
    Association,
    AssociationInscrite,
    AssociationRefusee,
    AssociationValidee,
    EvenementAnnonce,
    EvenementAssociation,
)
from contracts.commun import Auteur, TypeAuteur
from contracts.comptes import CompteEfface
from contracts.effacement import sans_annonce, sans_compte
from contracts.moderation import Issue, TypeCible
from kit import telemetry
from kit.clock import Clock
from kit.ids import stable_id
from kit.messaging.outbox import Tx
from kit.messaging.processor import Handlers
from kit.metrics import STALE
from services.moderation import domain, journal, metrics
from services.moderation.domain import Dossier, Etat, perimer, publie_d_office
from services.moderation.settings import SERVICE, Reglages
from services.moderation.store import Store


@dataclass(frozen=True)
class Deps:
    store: Store
    reglages: Reglages
    clock: Clock


_SANS_CONTENU = ("annonce_id", "version", "auteur", "etat")
"""What of an annonce says nothing to who reads its text."""


async def on_annonce_deposee(event: AnnonceDeposee, tx: Tx, deps: Deps) -> None:
    """Creates a dossier for the new version; open dossiers of older versions are closed."""
    annonce = event.annonce
    if not await _nouvelle_version(annonce.annonce_id, annonce.version, tx, deps):
        return
    await _ouvrir(annonce, tx, deps)


async def _ouvrir(annonce: Annonce, tx: Tx, deps: Deps, *, approuvee: Annonce | None = None) -> None:
    """A text to read: it waits for a moderator, or the policy publishes it. `approuvee`: what stays online."""
    if await deps.store.est_efface(annonce.auteur.compte_id, tx.session):
        if annonce.auteur.type is TypeAuteur.PARTICULIER:
            return
        annonce = annonce.model_copy(
            update={"auteur": annonce.auteur.model_copy(update={"compte_id": domain.COMPTE_EFFACE})}
        )
    association = await deps.store.association(annonce.auteur.association_id, tx.session)
    dossier = _dossier_annonce(annonce, deps, approuvee=approuvee)
    confiance = bool(association and association.get("confiance"))
    if publie_d_office(deps.reglages.politique, TypeCible.ANNONCE, confiance):
        await _publier_d_office(dossier, association, tx, deps)
    else:
        await deps.store.ajouter(dossier, tx.session)


async def on_annonce_fermee(event: AnnonceRetiree | AnnonceExpiree, tx: Tx, deps: Deps) -> None:
    """Closes the dossiers of a withdrawn or expired annonce. Final, whatever arrives later."""
    annonce = event.annonce
    await deps.store.avancer(annonce.annonce_id, annonce.version, True, tx.session)
    await _perimer_ouverts(annonce.annonce_id, None, tx, deps)


async def on_annonce_effacee(event: AnnonceEffacee, tx: Tx, deps: Deps) -> None:
    """Over for good; what was written in it leaves dossiers and decisions, and is not told again."""
    annonce = event.annonce
    await deps.store.avancer(annonce.annonce_id, annonce.version, True, tx.session)
    await _perimer_ouverts(annonce.annonce_id, None, tx, deps)
    await deps.store.effacer_textes(annonce.annonce_id, tx.session)
    await tx.forget(annonce.annonce_id, sans_annonce)


async def on_annonce_changee(event: EvenementAnnonce, tx: Tx, deps: Deps) -> None:
    """Stores the new version, since a later withdrawal must name the latest one. Creates a dossier for a new text that
    waits beside the one that is online; closes the dossier of a correction that does not wait any more.
    """
    annonce, proposee = event.annonce, event.proposee
    before = await deps.store.avancer(annonce.annonce_id, annonce.version, False, tx.session)
    if before is not None and (before["ferme"] or before["version"] >= annonce.version):
        return
    if proposee is not None:
        await _corriger(annonce, proposee, tx, deps)
    elif before is not None and before.get("correction"):
        await _perimer_corrections(annonce.annonce_id, tx, deps)
        await deps.store.noter_correction(annonce.annonce_id, False, tx.session)


async def _corriger(annonce: Annonce, proposee: Annonce, tx: Tx, deps: Deps) -> None:
    """Each event of the annonce carries the text that waits: only the first one creates a dossier."""
    if await deps.store.dossier(_dossier_id(proposee), tx.session) is not None:
        return
    await _perimer_corrections(annonce.annonce_id, tx, deps)
    await deps.store.noter_correction(annonce.annonce_id, True, tx.session)
    await _ouvrir(proposee, tx, deps, approuvee=annonce)


async def _perimer_corrections(annonce_id: str, tx: Tx, deps: Deps) -> None:
    for dossier in await deps.store.ouverts_de(annonce_id, None, tx.session):
        if dossier.approuvee is not None:
            await deps.store.remplacer(perimer(dossier, deps.clock.now()), tx.session)


async def on_association_inscrite(event: AssociationInscrite, tx: Tx, deps: Deps) -> None:
    """Creates a dossier; associations are always read by a moderator, whatever the policy."""
    association = event.association
    if not await _nouvelle_version(association.association_id, association.version, tx, deps):
        return
    await deps.store.garder_association(association, tx.session)
    await deps.store.ajouter(_dossier_association(association, deps), tx.session)


async def on_association_changee(event: EvenementAssociation, tx: Tx, deps: Deps) -> None:
    """Updates members and name of the association: its members are informed of decisions."""
    association = event.association
    before = await deps.store.avancer(association.association_id, association.version, False, tx.session)
    if before is not None and before["version"] >= association.version:
        STALE.labels(SERVICE).inc()
        return
    await deps.store.garder_association(association, tx.session)


async def on_compte_efface(event: CompteEfface, tx: Tx, deps: Deps) -> None:
    """Removes the account id from dossiers, audit trail and associations, and the texts it posted as a citizen."""
    await deps.store.effacer(event.compte.compte_id, deps.clock.now(), tx.session)
    await tx.forget(event.compte.compte_id, sans_compte)


async def _nouvelle_version(cible_id: str, version: int, tx: Tx, deps: Deps) -> bool:
    """Returns False when a later version is known or the target is closed. Otherwise closes the open dossiers of older
    versions."""
    before = await deps.store.avancer(cible_id, version, False, tx.session)
    if before is None:
        return True
    if before["ferme"] or before["version"] >= version:
        STALE.labels(SERVICE).inc()
        return False
    await _perimer_ouverts(cible_id, version, tx, deps)
    return True


async def _perimer_ouverts(cible_id: str, avant_version: int | None, tx: Tx, deps: Deps) -> None:
    for dossier in await deps.store.ouverts_de(cible_id, avant_version, tx.session):
        await deps.store.remplacer(perimer(dossier, deps.clock.now()), tx.session)


async def _publier_d_office(dossier: Dossier, association: Mapping[str, Any] | None, tx: Tx, deps: Deps) -> None:
    """Approves by policy; the dossier stays in the queue to be read afterwards."""
    now = deps.clock.now()
    publie = dossier.model_copy(
        update={
            "etat": Etat.A_REVOIR,
            "revue": True,
            "issue": Issue.APPROUVEE,
            "decision_id": stable_id("decision", dossier.dossier_id, "confiance"),
        }
    )
    await deps.store.ajouter(publie, tx.session)
    await deps.store.consigner(journal.decision(dossier, publie, [], par="", now=now, automatique=True), tx.session)
    event = journal.evenement(
        publie, [], journal.destinataires(publie, association), now, version_connue=publie.version, automatique=True
    )
    if event is not None:
        tx.emit(event, event_id=event.decision.decision_id)
    tx.after_commit(lambda: metrics.compter(Issue.APPROUVEE, automatique=True))


def _dossier_id(annonce: Annonce) -> str:
    return stable_id("annonce", annonce.annonce_id, annonce.version)


def _dossier_annonce(annonce: Annonce, deps: Deps, *, approuvee: Annonce | None = None) -> Dossier:
    return Dossier(
        dossier_id=_dossier_id(annonce),
        cible_type=TypeCible.ANNONCE,
        cible_id=annonce.annonce_id,
        version=annonce.version,
        etat=Etat.A_TRAITER,
        urgent=annonce.urgent,
        titre=annonce.titre,
        description=annonce.description,
        contenu=annonce.model_dump(mode="json", exclude={*_SANS_CONTENU, "titre", "description"}),
        approuvee=approuvee and approuvee.model_dump(mode="json", exclude=set(_SANS_CONTENU)),
        auteur=annonce.auteur,
        recu_at=deps.clock.now(),
        cause=telemetry.inject(),
    )


def _dossier_association(association: Association, deps: Deps) -> Dossier:
    signataire = association.engagement.signe_par
    return Dossier(
        dossier_id=stable_id("association", association.association_id, association.version),
        cible_type=TypeCible.ASSOCIATION,
        cible_id=association.association_id,
        version=association.version,
        etat=Etat.A_TRAITER,
        titre=association.nom,
        description=association.description,
        contenu=association.model_dump(
            mode="json", exclude={"association_id", "version", "nom", "description", "membres", "etat"}
        ),
        auteur=Auteur(
            type=TypeAuteur.ASSOCIATION,
            compte_id=signataire,
            association_id=association.association_id,
            nom=association.nom,
        ),
        recu_at=deps.clock.now(),
        cause=telemetry.inject(),
    )


HANDLERS: Handlers = {
    AnnonceDeposee: on_annonce_deposee,
    AnnonceRetiree: on_annonce_fermee,
    AnnonceExpiree: on_annonce_fermee,
    AnnonceEffacee: on_annonce_effacee,
    AnnonceACorriger: on_annonce_changee,
    AnnonceRefusee: on_annonce_changee,
    AnnoncePubliee: on_annonce_changee,
    AnnonceModifiee: on_annonce_changee,
    AnnoncePourvue: on_annonce_changee,
    AssociationInscrite: on_association_inscrite,
    AssociationValidee: on_association_changee,
    AssociationRefusee: on_association_changee,
    CompteEfface: on_compte_efface,
}
