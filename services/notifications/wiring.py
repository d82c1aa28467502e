"""Puts the parts together, the same for the api and the worker: stores, messages, one deliverer per channel."""

from dataclasses import dataclass

from contracts.notifications import Canal
from kit.http.internal_calls import InternalApi
from kit.http.tokens import TokenSigner
from kit.resources import Runtime
from services.notifications.alertes import Politique
from services.notifications.canaux.email.dkim import Signataire
from services.notifications.canaux.feedback import Retour, SmsRecu
from services.notifications.canaux.providers import Fournisseurs
from services.notifications.canaux.sms.fournisseur import Recevoir
from services.notifications.contacts.encryption import ContactCipher
from services.notifications.contacts.store import Contacts
from services.notifications.conversations.addresses import AdressesDeReponse
from services.notifications.conversations.complements import Complements
from services.notifications.conversations.engagements import Engagements
from services.notifications.conversations.fils import Fils
from services.notifications.conversations.messages import Messages
from services.notifications.delivery.compiled import Modeles
from services.notifications.delivery.deliverer import Deliverer
from services.notifications.delivery.handoff import Remise
from services.notifications.delivery.outgoing import Courrier
from services.notifications.handlers import Deps
from services.notifications.messages.mail import Compositeur
from services.notifications.messages.signed_links import Liens
from services.notifications.planning import sms_prices
from services.notifications.planning.channel_rules import Regles, SansRegles
from services.notifications.planning.sms_rules import ReglesSms
from services.notifications.registre.erasure import LedgerErasure
from services.notifications.registre.queries import LedgerQueries
from services.notifications.registre.receipts import ProviderReports
from services.notifications.registre.store import Registre
from services.notifications.regroupements import Regroupements
from services.notifications.reponses_email.store import CourrielsRecus
from services.notifications.reponses_sms.act import Reception
from services.notifications.resumes import Resumes
from services.notifications.settings import SERVICE, Reglages
from services.notifications.telephones import Telephones

ANNONCES = "annonces"
# Well below the lease of a lot (domain.BAIL), which waits for the answer.
_DELAI_ANNONCES_S = 4.0


@dataclass(frozen=True)
class Atelier:
    registre: Registre
    consultation: LedgerQueries
    contacts: Contacts
    coffre: ContactCipher
    compositeur: Compositeur
    liens: Liens
    courrier: Courrier
    reception: Reception
    suivi: ProviderReports
    telephones: Telephones
    resumes: Resumes
    regroupements: Regroupements
    effacement: LedgerErasure
    fournisseurs: Fournisseurs
    politique: Politique
    regles_sms: ReglesSms
    deliverers: dict[Canal, Deliverer]
    annonces: InternalApi
    adresses: AdressesDeReponse
    complements: Complements
    fils: Fils
    messages: Messages
    engagements: Engagements
    courriels: CourrielsRecus

    @property
    def deps(self) -> Deps:
        """What handlers are given."""
        return Deps(
            self.registre,
            self.consultation,
            self.contacts,
            self.courrier,
            self.reception,
            self.telephones,
            self.effacement,
            self.politique,
            self.fils,
            self.messages,
            self.engagements,
            self.courriels,
        )

    async def fermer(self) -> None:
        """The connections to providers and to other services."""
        await self.fournisseurs.fermer()
        await self.annonces.close()


def monter(runtime: Runtime, settings: Reglages, connexions: int) -> Atelier:
    """Raises ValueError for keys or URLs that cannot be right: better at the start than at the first message."""
    db, outbox, clock = runtime.mongo.db, runtime.outbox, runtime.clock
    coffre, liens = ContactCipher(settings.cle_chiffrement), Liens(settings.cle_liens)
    adresses = AdressesDeReponse(settings.cle_liens, settings.domaine_entrant)
    compositeur = Compositeur(
        settings.public_url, settings.expediteur_nom, settings.expediteur_adresse, reponses=adresses.ouvertes
    )
    registre = Registre(db, clock)
    consultation, contacts = LedgerQueries(db), Contacts(db, coffre)
    modeles = Modeles(registre, compositeur)
    signataire = None
    if settings.cle_dkim and settings.selecteur_dkim:
        signataire = Signataire(settings.cle_dkim, settings.selecteur_dkim, settings.domaine)
    tarifs = sms_prices.lire(settings.sms_tarifs, settings.sms_centimes)
    engagements, fils = Engagements(db), Fils(db, adresses, clock)
    signer = TokenSigner(settings.jeton_cle_privee, issuer=SERVICE)
    annonces = InternalApi(settings.annonces_url, ANNONCES, signer, _DELAI_ANNONCES_S)
    complements = Complements(annonces, registre, engagements)
    signature = signataire.signer if signataire else None
    remise = Remise(modeles, compositeur, liens, coffre, clock, tarifs, complements, adresses, signature)
    regles_sms = ReglesSms(db, clock, settings.sms_plafond_euros * 100, settings.regle_sms)
    regles: dict[Canal, Regles] = {Canal.SMS: regles_sms}
    # Deliverers and the inbound side need one another: the dictionary is filled once both are there.
    deliverers: dict[Canal, Deliverer] = {}
    courrier = Courrier(registre, contacts, modeles, deliverers)
    reception = Reception(db, consultation, registre, contacts, courrier, coffre, outbox, clock)
    suivi = ProviderReports(db, registre, contacts, outbox, clock)
    fournisseurs = Fournisseurs(settings, db, _recevoir(reception, suivi))
    for canal in fournisseurs.canaux:
        regle = regles.get(canal.nom, SansRegles())
        deliverers[canal.nom] = Deliverer(
            canal, registre, runtime.mongo, contacts, remise, outbox, clock, connexions, regle
        )
    politique = Politique(settings.budget_semaine, settings.regle_sms, frozenset(deliverers))
    return Atelier(
        registre,
        consultation,
        contacts,
        coffre,
        compositeur,
        liens,
        courrier,
        reception,
        suivi,
        Telephones(db, coffre, contacts, courrier, outbox, clock, tarifs),
        Resumes(db, registre, contacts, courrier, outbox, clock, settings.public_url),
        Regroupements(db, registre, courrier, outbox, clock),
        LedgerErasure(db),
        fournisseurs,
        politique,
        regles_sms,
        deliverers,
        annonces,
        adresses,
        complements,
        fils,
        Messages(registre, contacts, fils, courrier),
        engagements,
        CourrielsRecus(runtime.mongo, fils, coffre, clock),
    )


def _recevoir(reception: Reception, suivi: ProviderReports) -> Recevoir:
    async def recevoir(recu: Retour | SmsRecu) -> None:
        if isinstance(recu, SmsRecu):
            await reception.recevoir(recu)
        else:
            await suivi.recevoir([recu])

    return recevoir
