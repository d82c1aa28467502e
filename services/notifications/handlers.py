"""What an event makes us write to people, or makes us not write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo.errors import BulkWriteError

from contracts.annonces import (
    AnnonceExpiree,
    AnnoncePourvue,
    AnnonceRetiree,
    Reponse,
    ReponseAcceptee,
    ReponseAnnulee,
    ReponseDeclinee,
    ReponseDeposee,
)
from contracts.comptes import CompteEfface, CompteEnregistre
from contracts.matching import CorrespondancesTrouvees
from contracts.moderation import DecisionPrise, Issue
from contracts.notifications import Canal
from kit.errors import RetryLater
from kit.metrics import STALE
from kit.outbox import Tx
from kit.processing import Handlers
from services.notifications import domain
from services.notifications.contacts import Contacts
from services.notifications.domain import Cloture, Genre
from services.notifications.livreur import Livreur
from services.notifications.messages import expliquer, genre_de_decision
from services.notifications.modeles import Modeles
from services.notifications.raisons import phrase
from services.notifications.settings import SERVICE
from services.notifications.store import Ligne, Registre

_DOUBLON = 11000


@dataclass(frozen=True)
class Deps:
    """`livreurs`: one per channel. `repetes`: contents of which some rows existed when they were last stored."""

    registre: Registre
    contacts: Contacts
    modeles: Modeles
    livreurs: Mapping[Canal, Livreur]
    repetes: set[str] = field(default_factory=set)


async def on_correspondances_trouvees(event: CorrespondancesTrouvees, tx: Tx, deps: Deps) -> None:
    annonce = event.annonce
    contenu_id = f"{annonce.annonce_id}:{annonce.version}"
    lignes = [
        deps.registre.ligne(
            domain.id_alerte(annonce.annonce_id, annonce.version, destinataire.profil_id, canal),
            Genre.ALERTE,
            canal,
            destinataire.compte_id,
            contenu_id,
            profil_id=destinataire.profil_id,
            annonce_id=annonce.annonce_id,
            version=annonce.version,
            titre=annonce.titre,
            pourquoi=phrase(destinataire.raisons),
        )
        for canal in deps.livreurs
        for destinataire in event.destinataires
    ]
    await _deposer(contenu_id, Genre.ALERTE, annonce.model_dump(mode="json"), lignes, tx, deps)


async def on_decision_prise(event: DecisionPrise, tx: Tx, deps: Deps) -> None:
    decision = event.decision
    genre = genre_de_decision(decision)
    donnees = {
        "titre": decision.cible_titre,
        "cible_id": decision.cible_id,
        "automatique": decision.automatique,
        "motifs": [expliquer(motif) for motif in decision.motifs],
    }
    await _ecrire_a(decision.destinataires, genre, decision.decision_id, donnees, tx, deps)


async def on_reponse_deposee(event: ReponseDeposee, tx: Tx, deps: Deps) -> None:
    await _au_sujet_de(event.reponse, event.reponse.destinataires, Genre.REPONSE_RECUE, tx, deps)


async def on_reponse_acceptee(event: ReponseAcceptee, tx: Tx, deps: Deps) -> None:
    await _au_sujet_de(event.reponse, [event.reponse.compte_id], Genre.REPONSE_ACCEPTEE, tx, deps)


async def on_reponse_declinee(event: ReponseDeclinee, tx: Tx, deps: Deps) -> None:
    await _au_sujet_de(event.reponse, [event.reponse.compte_id], Genre.REPONSE_DECLINEE, tx, deps)


async def on_reponse_annulee(event: ReponseAnnulee, tx: Tx, deps: Deps) -> None:
    await _au_sujet_de(event.reponse, event.reponse.destinataires, Genre.REPONSE_ANNULEE, tx, deps)


async def on_annonce_close(event: AnnonceRetiree | AnnonceExpiree, tx: Tx, deps: Deps) -> None:
    annonce = event.annonce
    await deps.registre.clore(annonce.annonce_id, Cloture(annonce.version, definitive=True), tx.session)


async def on_annonce_pourvue(event: AnnoncePourvue, tx: Tx, deps: Deps) -> None:
    """Places may become free again, in a later version."""
    annonce = event.annonce
    await deps.registre.clore(annonce.annonce_id, Cloture(annonce.version, definitive=False), tx.session)


async def on_compte_enregistre(event: CompteEnregistre, tx: Tx, deps: Deps) -> None:
    compte = event.compte
    if not await deps.contacts.consentir(compte.compte_id, compte.consentements, compte.version, tx.session):
        STALE.labels(SERVICE).inc()


async def on_compte_efface(event: CompteEfface, tx: Tx, deps: Deps) -> None:
    compte = event.compte
    await deps.contacts.effacer(compte.compte_id, compte.version, tx.session)
    await deps.registre.effacer(compte.compte_id, tx.session)


async def _au_sujet_de(reponse: Reponse, comptes: Sequence[str], genre: Genre, tx: Tx, deps: Deps) -> None:
    donnees = {"titre": reponse.annonce_titre, "annonce_id": reponse.annonce_id, "quantite": reponse.quantite}
    await _ecrire_a(comptes, genre, reponse.reponse_id, donnees, tx, deps)


async def _ecrire_a(
    comptes: Sequence[str], genre: Genre, cause_id: str, donnees: Mapping[str, Any], tx: Tx, deps: Deps
) -> None:
    """A message to accounts that have a hand in the matter, by e-mail."""
    contenu_id = f"{genre}:{cause_id}"
    lignes = [
        deps.registre.ligne(
            domain.id_message(genre, cause_id, compte_id, Canal.EMAIL),
            genre,
            Canal.EMAIL,
            compte_id,
            contenu_id,
            titre=donnees["titre"],
            pourquoi="",
        )
        for compte_id in dict.fromkeys(comptes)
    ]
    await _deposer(contenu_id, genre, donnees, lignes, tx, deps)


async def _deposer(
    contenu_id: str, genre: Genre, donnees: Mapping[str, Any], lignes: list[Ligne], tx: Tx, deps: Deps
) -> None:
    """Stores the rows; delivery of what is pressing starts on commit, without a look at the database in between."""
    if contenu_id in deps.repetes:
        connus = await deps.registre.connus([ligne["_id"] for ligne in lignes], tx.session)
        lignes = [ligne for ligne in lignes if ligne["_id"] not in connus]
    try:
        await deps.registre.deposer(contenu_id, genre, donnees, lignes, tx.session)
    except BulkWriteError as error:
        if all(e.get("code") != _DOUBLON for e in (error.details or {}).get("writeErrors", [])):
            raise
        # Told again under another event id, which is rare: only then do we pay for looking first, at the next try.
        deps.repetes.add(contenu_id)
        raise RetryLater("some of these messages exist already") from error
    tx.after_commit(lambda: _livrer(contenu_id, genre, donnees, lignes, deps))


def _livrer(contenu_id: str, genre: Genre, donnees: Mapping[str, Any], lignes: Sequence[Ligne], deps: Deps) -> None:
    deps.repetes.discard(contenu_id)
    deps.modeles.retenir(contenu_id, genre, donnees)
    if genre not in domain.PRESSES:
        return
    for canal, livreur in deps.livreurs.items():
        livreur.offrir(ligne for ligne in lignes if ligne["canal"] == canal)


def sans_effet(event: object) -> bool:
    """True of an approval that no person has given: whoever posted saw the annonce appear at that moment."""
    return isinstance(event, DecisionPrise) and event.decision.automatique and event.decision.issue is Issue.APPROUVEE


HANDLERS: Handlers = {
    CorrespondancesTrouvees: on_correspondances_trouvees,
    DecisionPrise: on_decision_prise,
    ReponseDeposee: on_reponse_deposee,
    ReponseAcceptee: on_reponse_acceptee,
    ReponseDeclinee: on_reponse_declinee,
    ReponseAnnulee: on_reponse_annulee,
    AnnonceRetiree: on_annonce_close,
    AnnonceExpiree: on_annonce_close,
    AnnoncePourvue: on_annonce_pourvue,
    CompteEnregistre: on_compte_enregistre,
    CompteEfface: on_compte_efface,
}
