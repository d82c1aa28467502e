"""What an event makes us write to people, or makes us not write."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from contracts.annonces import (
    AnnonceEffacee,
    AnnonceExpiree,
    AnnoncePourvue,
    AnnonceRetiree,
    CirconstancesChangees,
    EvenementReponse,
    RappelDu,
    Reponse,
    ReponseAcceptee,
    ReponseAnnulee,
    ReponseClose,
    ReponseConfirmee,
    ReponseDeclinee,
    ReponseDeposee,
    ReponseEnAttente,
    ReponseLiberee,
    ReponsePromue,
    ReponseSansEffet,
)
from contracts.comptes import CompteEfface, CompteEnregistre
from contracts.conversations import MessageEcrit
from contracts.effacement import sans_annonce, sans_compte
from contracts.matching import CorrespondancesTrouvees
from contracts.moderation import DecisionPrise, Issue
from contracts.notifications import Canal, Intention
from kit.errors import Stop
from kit.ids import stable_id
from kit.messaging.outbox import Tx
from kit.messaging.processor import Handlers
from kit.metrics import STALE
from services.notifications import alertes
from services.notifications.alertes import Connu, Politique
from services.notifications.contacts.encryption import CleInconnue
from services.notifications.contacts.store import Contacts
from services.notifications.conversations.engagements import Engagements, EtatEngagement
from services.notifications.conversations.fils import Fils
from services.notifications.conversations.messages import Messages
from services.notifications.delivery.outgoing import Courrier
from services.notifications.domain import Cloture, Genre
from services.notifications.messages.catalogue import expliquer, genre_de_decision
from services.notifications.planning.plan import FENETRE_BUDGET
from services.notifications.registre import recipients
from services.notifications.registre.erasure import LedgerErasure
from services.notifications.registre.queries import LedgerQueries
from services.notifications.registre.store import Registre
from services.notifications.reponses_email.store import CourrielsRecus
from services.notifications.reponses_sms.act import Reception
from services.notifications.settings import SERVICE
from services.notifications.telephones import Telephones


@dataclass(frozen=True)
class Deps:
    registre: Registre
    consultation: LedgerQueries
    contacts: Contacts
    courrier: Courrier
    reception: Reception
    telephones: Telephones
    effacement: LedgerErasure
    politique: Politique
    fils: Fils
    messages: Messages
    engagements: Engagements
    courriels: CourrielsRecus


async def on_correspondances_trouvees(event: CorrespondancesTrouvees, tx: Tx, deps: Deps) -> None:
    annonce = event.annonce
    contenu_id = f"{annonce.annonce_id}:{annonce.version}"
    connu = await _connaitre(event, deps)
    cloture = connu.recipients.clotures.get(annonce.annonce_id)
    if cloture is not None and cloture.effacee:
        STALE.labels(SERVICE).inc()
        return
    event = await _sans_effaces(event, connu, tx, deps)
    lignes = alertes.lignes(event, contenu_id, connu, deps.politique, deps.registre)
    await deps.courrier.deposer(contenu_id, Genre.ALERTE, alertes.contenu(annonce), lignes, tx, connu.recipients)


async def _sans_effaces(event: CorrespondancesTrouvees, connu: Connu, tx: Tx, deps: Deps) -> CorrespondancesTrouvees:
    """Without the accounts that were erased since they were found."""
    sans_contact = [un.compte_id for un in event.destinataires if un.compte_id not in connu.recipients.contacts]
    effaces = await deps.contacts.effaces(sans_contact, tx.session) if sans_contact else set()
    restent = [un for un in event.destinataires if un.compte_id not in effaces]
    return event.model_copy(update={"destinataires": restent})


async def _connaitre(event: CorrespondancesTrouvees, deps: Deps) -> Connu:
    """Outside the transaction: who chooses otherwise in the seconds until their mail leaves may still get it."""
    comptes = [destinataire.compte_id for destinataire in event.destinataires]
    depuis = deps.registre.clock.now() - FENETRE_BUDGET
    try:
        found, nombres = await asyncio.gather(
            recipients.read(
                deps.registre,
                deps.contacts,
                comptes,
                [id_ for d in event.destinataires for id_ in (d.profil_id, *d.autres_profils)],
                [event.annonce.annonce_id],
            ),
            deps.consultation.sollicitations(comptes if deps.politique.budget else [], depuis),
        )
    except CleInconnue as error:
        raise Stop(f"an address cannot be decrypted: {error}") from error
    if not deps.politique.budget:
        # Only for those who chose a limit of their own.
        limites = [
            compte_id for compte_id, contact in found.contacts.items() if contact.choix.budget_semaine is not None
        ]
        nombres = await deps.consultation.sollicitations(limites, depuis)
    return Connu(found, nombres)


async def on_decision_prise(event: DecisionPrise, tx: Tx, deps: Deps) -> None:
    decision = event.decision
    genre = genre_de_decision(decision)
    donnees = {
        "titre": decision.cible_titre,
        "cible_id": decision.cible_id,
        "automatique": decision.automatique,
        "motifs": [expliquer(motif) for motif in decision.motifs],
    }
    await deps.courrier.ecrire(_par_courriel(decision.destinataires), genre, decision.decision_id, donnees, tx)


async def on_reponse_deposee(event: ReponseDeposee, tx: Tx, deps: Deps) -> None:
    reponse = event.reponse
    await _ouvrir(reponse, tx, deps)
    await deps.courrier.ecrire(
        _par_courriel(reponse.destinataires), Genre.REPONSE_RECUE, reponse.reponse_id, _donnees(reponse), tx
    )
    await _repondre(event, Genre.REPONSE_NOTEE, tx, deps)


async def on_reponse_en_attente(event: ReponseEnAttente, tx: Tx, deps: Deps) -> None:
    await _ouvrir(event.reponse, tx, deps)
    await _repondre(event, Genre.REPONSE_EN_ATTENTE, tx, deps)


async def on_reponse_promue(event: ReponsePromue, tx: Tx, deps: Deps) -> None:
    reponse = event.reponse
    await deps.courrier.ecrire(
        _par_courriel(reponse.destinataires), Genre.REPONSE_RECUE, reponse.reponse_id, _donnees(reponse), tx
    )
    await _dire(reponse, Genre.REPONSE_PROMUE, _donnees(reponse), tx, deps)


async def on_reponse_acceptee(event: ReponseAcceptee, tx: Tx, deps: Deps) -> None:
    await _ouvrir(event.reponse, tx, deps)
    await deps.engagements.noter(event.reponse, EtatEngagement.TENU, tx.session)
    await _dire(event.reponse, Genre.REPONSE_ACCEPTEE, _donnees(event.reponse), tx, deps)


async def on_reponse_declinee(event: ReponseDeclinee, tx: Tx, deps: Deps) -> None:
    await deps.engagements.noter(event.reponse, EtatEngagement.FINI, tx.session)
    genre = Genre.REPONSE_DECLINEE_MOT if event.mot else Genre.REPONSE_DECLINEE
    await _dire(event.reponse, genre, _donnees(event.reponse), tx, deps)


async def on_reponse_liberee(event: ReponseLiberee, tx: Tx, deps: Deps) -> None:
    await deps.engagements.noter(event.reponse, EtatEngagement.FINI, tx.session)
    await _dire(event.reponse, Genre.PLACE_LIBEREE, {**_donnees(event.reponse), "mot": event.mot}, tx, deps)


async def on_reponse_annulee(event: ReponseAnnulee, tx: Tx, deps: Deps) -> None:
    """Whoever took it back by a message has been answered already: their « non » is confirmed when it arrives."""
    reponse = event.reponse
    await deps.engagements.noter(reponse, EtatEngagement.FINI, tx.session)
    await deps.courrier.ecrire(
        _par_courriel(reponse.destinataires), Genre.REPONSE_ANNULEE, reponse.reponse_id, _donnees(reponse), tx
    )


async def on_reponse_close(event: ReponseClose, tx: Tx, deps: Deps) -> None:
    """The need is gone: who answered is told at once."""
    await deps.engagements.noter(event.reponse, EtatEngagement.FINI, tx.session)
    donnees = {**_donnees(event.reponse), "raison": event.raison.value}
    await _dire(event.reponse, Genre.BESOIN_RETIRE, donnees, tx, deps)


async def on_rappel_du(event: RappelDu, tx: Tx, deps: Deps) -> None:
    quand = event.model_dump(mode="json", include={"date_debut", "date_fin", "creneaux", "lieu", "a_distance"})
    await _dire(event.reponse, Genre.RAPPEL, {**_donnees(event.reponse), **quand}, tx, deps)


async def on_circonstances_changees(event: CirconstancesChangees, tx: Tx, deps: Deps) -> None:
    """Its row names the annonce, so that a yes or a no by link or SMS finds it."""
    reponse = event.reponse
    donnees = {**_donnees(reponse), **event.model_dump(mode="json", include={"avant", "apres"})}
    sur = {"a_propos": reponse.annonce_id, "ref": donnees["ref"]}
    canal = await _canal(reponse, deps)
    cause = stable_id("circonstances", reponse.reponse_id, event.changees_at.isoformat())
    await deps.courrier.ecrire({reponse.compte_id: canal}, Genre.CIRCONSTANCES_CHANGEES, cause, donnees, tx, **sur)


async def on_reponse_confirmee(event: ReponseConfirmee, tx: Tx, deps: Deps) -> None:
    await _repondre(event, Genre.REPONSE_CONFIRMEE, tx, deps)


async def on_message_ecrit(event: MessageEcrit, tx: Tx, deps: Deps) -> None:
    await deps.messages.prevenir(event, tx)


async def on_reponse_sans_effet(event: ReponseSansEffet, tx: Tx, deps: Deps) -> None:
    """The truth about a message that changed nothing; a « non » to what was never answered needs no more words."""
    if event.intention is Intention.ANNULER:
        return
    donnees = {
        "titre": event.annonce_titre or "",
        "annonce_id": event.annonce_id,
        "raison": event.raison.value,
        "places": event.places,
        **(
            {"place": event.reponse.place, "rang": event.reponse.rang}
            if event.reponse
            else {"place": None, "rang": None}
        ),
    }
    a = {event.compte_id: event.canal}
    await deps.courrier.ecrire(a, Genre.REPONSE_SANS_EFFET, event.reponse_id, donnees, tx)


async def on_annonce_close(event: AnnonceRetiree | AnnonceExpiree, tx: Tx, deps: Deps) -> None:
    annonce = event.annonce
    await deps.registre.clore(annonce.annonce_id, Cloture(annonce.version, definitive=True), tx.session)


async def on_annonce_effacee(event: AnnonceEffacee, tx: Tx, deps: Deps) -> None:
    """Its words are erased wherever they were copied, and whoever was still to be alerted about it is not."""
    annonce = event.annonce
    cloture = Cloture(annonce.version, definitive=True, effacee=True)
    await deps.registre.clore(annonce.annonce_id, cloture, tx.session)
    await deps.effacement.annonce(annonce.annonce_id, tx.session)
    await tx.forget(annonce.annonce_id, sans_annonce)


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
    await deps.effacement.compte(compte.compte_id, tx.session)
    await deps.reception.oublier(compte.compte_id, tx.session)
    await deps.courriels.effacer(await deps.fils.effacer(compte.compte_id, tx.session), tx.session)
    await deps.engagements.effacer(compte.compte_id, tx.session)
    await deps.telephones.oublier(compte.compte_id, tx)
    await tx.forget(compte.compte_id, sans_compte)


async def _repondre(event: EvenementReponse, genre: Genre, tx: Tx, deps: Deps) -> None:
    """To whoever answered by a message, where they wrote; the site has told the others on its page."""
    if event.message_id is None or event.message_canal is None:
        return
    a = {event.reponse.compte_id: event.message_canal}
    await deps.courrier.ecrire(a, genre, event.message_id, _donnees(event.reponse), tx)


async def _ouvrir(reponse: Reponse, tx: Tx, deps: Deps) -> None:
    """From now on both sides may answer by mail. Whoever answered by SMS is told of messages by SMS too."""
    participants = [reponse.compte_id, *reponse.destinataires]
    effaces = await deps.contacts.effaces(participants, tx.session)
    for compte_id in participants:
        if compte_id not in effaces:
            par_sms = compte_id == reponse.compte_id and reponse.canal is Canal.SMS
            await deps.fils.ouvrir(reponse.reponse_id, compte_id, tx.session, Canal.SMS if par_sms else None)


async def _dire(reponse: Reponse, genre: Genre, donnees: dict[str, Any], tx: Tx, deps: Deps) -> None:
    """To whoever answered, on the channel by which they did, unless they have closed it since."""
    canal = await _canal(reponse, deps)
    cause = f"{reponse.reponse_id}:{reponse.version}"
    await deps.courrier.ecrire({reponse.compte_id: canal}, genre, cause, donnees, tx)


async def _canal(reponse: Reponse, deps: Deps) -> Canal:
    contact = (await deps.contacts.trouver([reponse.compte_id])).get(reponse.compte_id)
    canal = reponse.canal or Canal.EMAIL
    return contact.sinon_courriel(canal) if contact is not None else canal


def _donnees(reponse: Reponse) -> dict[str, Any]:
    return {
        "titre": reponse.annonce_titre,
        "annonce_id": reponse.annonce_id,
        "reponse_id": reponse.reponse_id,
        "quantite": reponse.quantite,
        "quantite_demandee": reponse.quantite_demandee,
        "place": reponse.place,
        "places": reponse.places,
        "rang": reponse.rang,
        "ref": alertes.reference(reponse.annonce_id),
    }


def _par_courriel(comptes: Iterable[str]) -> dict[str, Canal]:
    return dict.fromkeys(comptes, Canal.EMAIL)


def sans_effet(event: object) -> bool:
    """True of an approval that no person has given: whoever posted saw the annonce appear at that moment."""
    return isinstance(event, DecisionPrise) and event.decision.automatique and event.decision.issue is Issue.APPROUVEE


HANDLERS: Handlers = {
    CorrespondancesTrouvees: on_correspondances_trouvees,
    DecisionPrise: on_decision_prise,
    ReponseDeposee: on_reponse_deposee,
    ReponseAcceptee: on_reponse_acceptee,
    ReponseDeclinee: on_reponse_declinee,
    ReponseLiberee: on_reponse_liberee,
    ReponseAnnulee: on_reponse_annulee,
    ReponseEnAttente: on_reponse_en_attente,
    ReponsePromue: on_reponse_promue,
    ReponseClose: on_reponse_close,
    ReponseSansEffet: on_reponse_sans_effet,
    RappelDu: on_rappel_du,
    CirconstancesChangees: on_circonstances_changees,
    ReponseConfirmee: on_reponse_confirmee,
    MessageEcrit: on_message_ecrit,
    AnnonceRetiree: on_annonce_close,
    AnnonceExpiree: on_annonce_close,
    AnnonceEffacee: on_annonce_effacee,
    AnnoncePourvue: on_annonce_pourvue,
    CompteEnregistre: on_compte_enregistre,
    CompteEfface: on_compte_efface,
}
