"""The hand-off of a lot: each person's message, given to the channel, and what its answer means for the row."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from contracts.envois import Etat, Motif
from contracts.notifications import Canal
from kit.clock import Clock
from kit.http.internal_calls import ServiceAway
from kit.logging import get_logger
from services.notifications import domain
from services.notifications.canaux.base import (
    Colis,
    Connexion,
    Inconnu,
    Injoignable,
    Issue,
    NousRefuse,
    Recu,
    Sature,
    Temporaire,
)
from services.notifications.contacts.encryption import ContactCipher, Illisible
from services.notifications.contacts.store import Contact
from services.notifications.conversations.addresses import AdressesDeReponse
from services.notifications.conversations.complements import COMPLETES, Complements, HorsConversation
from services.notifications.delivery.compiled import Modeles
from services.notifications.domain import REPONDABLES, Genre, Suite
from services.notifications.messages.catalogue import MESSAGES
from services.notifications.messages.mail import Compositeur, Modele, ValeurInterdite
from services.notifications.messages.signed_links import Lien, Liens, Usage
from services.notifications.messages.sms import rediger_push, rediger_sms
from services.notifications.planning.sms_prices import Tarifs
from services.notifications.registre.rows import Ligne

log = get_logger(__name__)

Signature = Callable[[bytes], bytes]
"""Signs a whole mail (DKIM)."""


def sceller(coffre: ContactCipher, envoi_id: str, adresse: str, code: str) -> dict[str, object]:
    """The secret of a row: a code and where it goes. It is removed as soon as the row is done."""
    return coffre.fermer(orjson.dumps([adresse, code]).decode(), envoi_id)


_SANS_PROFIL = "aucun"
"""Stands for the profil in the link of a message that no profil asked for."""


class Remise:
    def __init__(
        self,
        modeles: Modeles,
        compositeur: Compositeur,
        liens: Liens,
        coffre: ContactCipher,
        clock: Clock,
        tarifs: Tarifs,
        complements: Complements,
        adresses: AdressesDeReponse,
        signature: Signature | None = None,
    ) -> None:
        self._modeles = modeles
        self._compositeur = compositeur
        self._liens = liens
        self._coffre = coffre
        self._clock = clock
        self._signature = signature
        self._tarifs = tarifs
        self._complements = complements
        self._adresses = adresses

    def preparer(self, lignes: Sequence[Ligne]) -> None:
        """Compiles what the rows need and memory holds, where all of them get the same."""
        communes = [ligne for ligne in lignes if ligne["canal"] == Canal.EMAIL and ligne["genre"] not in COMPLETES]
        for contenu_id in {ligne["contenu_id"] for ligne in communes}:
            self._modeles.compiler_si_connu(contenu_id)

    async def remettre(
        self,
        connexion: Connexion,
        lignes: Sequence[Ligne],
        contacts: Mapping[str, Contact],
        tenu: Callable[[], bool],
    ) -> dict[str, Suite]:
        """Sends, and returns the fate of each row. What no retry can help ends there, with its reason."""
        suites: dict[str, Suite] = {}
        prets: list[tuple[Ligne, Colis]] = []
        annonces_absentes = False
        for ligne in lignes:
            if annonces_absentes and Genre(ligne["genre"]) in COMPLETES:
                suites[ligne["_id"]] = domain.contenu_absent(self._clock.now())
                continue
            try:
                colis = await self._colis(ligne, contacts.get(ligne["compte_id"]))
                if ligne["canal"] == Canal.SMS and self._tarifs.centimes(colis.adresse) is None:
                    suites[ligne["_id"]] = Suite(Etat.ANNULEE, Motif.PAYS_NON_DESSERVI)
                else:
                    prets.append((ligne, colis))
            except ServiceAway:
                # Nobody else of this lot waits for it again: its lease would end meanwhile.
                annonces_absentes = True
                suites[ligne["_id"]] = domain.contenu_absent(self._clock.now())
            except HorsConversation:
                suites[ligne["_id"]] = Suite(Etat.ANNULEE, Motif.HORS_CONVERSATION)
            except (LookupError, Illisible, ValeurInterdite) as error:
                log.error("message_cannot_be_written", envoi=ligne["_id"], error=type(error).__name__)
                suites[ligne["_id"]] = domain.apres_refus(Motif.MESSAGE_IMPOSSIBLE)
        issues = await connexion.remettre([colis for _, colis in prets], tenu) if prets else []
        now = self._clock.now()
        for (ligne, colis), issue in zip(prets, issues, strict=True):
            suites[ligne["_id"]] = self._suite(ligne, colis.adresse, issue, now)
        return suites

    def _suite(self, ligne: Ligne, adresse: str, issue: Issue, now: dt.datetime) -> Suite:
        match issue:
            case Recu():
                prix = self._tarifs.centimes(adresse) if ligne["canal"] == Canal.SMS else None
                return domain.apres_remise(issue, issue.parties * (prix or 0.0))
            case Sature():
                return domain.apres_saturation(issue.motif, now)
            case Temporaire():
                return domain.apres_report(ligne["tentatives"], issue.motif, now)
            case NousRefuse():
                return domain.retenue(now)
            case Injoignable():
                return domain.non_commencee(now)
            case Inconnu():
                return domain.apres_inconnue(Canal(ligne["canal"]), ligne["tentatives"], Motif.ISSUE_INCONNUE, now)
            case _:
                return domain.apres_refus(issue.motif)

    async def _colis(self, ligne: Ligne, contact: Contact | None) -> Colis:
        """Raises ServiceAway, HorsConversation, LookupError, Illisible or ValeurInterdite."""
        canal = Canal(ligne["canal"])
        adresse, code = contact.adresses.get(canal) if contact else None, ""
        if "secret" in ligne:
            adresse, code = orjson.loads(self._coffre.ouvrir(ligne["secret"], ligne["_id"]))
        if adresse is None:
            raise LookupError("no address")
        if canal is Canal.EMAIL:
            return Colis(ligne["_id"], adresse, await self._courriel(ligne, adresse, code))
        genre, donnees = await self._modeles.donnees(ligne["contenu_id"])
        # An SMS only says that there is a message: its text is not asked for.
        if genre is not Genre.MESSAGE_RECU:
            donnees = await self._completer(ligne, genre, donnees)
        variables = {
            **donnees,
            "pourquoi": ligne.get("pourquoi", ""),
            "code": code,
            "page": self._compositeur.page(donnees),
        }
        if canal is Canal.SMS:
            return Colis(ligne["_id"], adresse, rediger_sms(genre, variables))
        return Colis(ligne["_id"], adresse, orjson.dumps(rediger_push(genre, variables)).decode())

    async def _courriel(self, ligne: Ligne, adresse: str, code: str) -> bytes:
        modele = await self._modele(ligne)
        desabonnement = reponse = None
        if profil_id := ligne.get("profil_id"):
            lien = Lien(ligne["_id"], profil_id)
            desabonnement = self._compositeur.lien_desabonnement(self._liens.signer(lien))
            reponse = self._compositeur.lien_reponse(self._liens.signer(lien, Usage.REPONSE))
        elif ligne["genre"] in REPONDABLES:
            lien = Lien(ligne["_id"], _SANS_PROFIL)
            reponse = self._compositeur.lien_reponse(self._liens.signer(lien, Usage.REPONSE))
        corps = {
            "raisons": ligne.get("pourquoi", ""),
            "desabonnement": desabonnement or "",
            "reponse": reponse or "",
            "code": code,
        }
        entetes = self._compositeur.entetes(ligne["_id"], adresse, desabonnement, await self._repondre_a(ligne))
        message = modele.remplir(entetes, corps, self._clock.now())
        return self._signature(message) if self._signature else message

    async def _modele(self, ligne: Ligne) -> Modele:
        """Of what is private to one person nothing is kept: it is compiled for this row alone."""
        if Genre(ligne["genre"]) not in COMPLETES:
            return await self._modeles.obtenir(ligne["contenu_id"])
        genre, donnees = await self._modeles.donnees(ligne["contenu_id"])
        complet = await self._completer(ligne, genre, donnees)
        return self._compositeur.compiler(genre, ligne["contenu_id"], complet)

    async def _completer(self, ligne: Ligne, genre: Genre, donnees: Mapping[str, Any]) -> Mapping[str, Any]:
        if genre not in COMPLETES or "reponse_id" not in donnees:
            return donnees
        return {**donnees, **await self._complements.pour(ligne, genre, donnees)}

    async def _repondre_a(self, ligne: Ligne) -> str:
        """The address to which this person answers in this conversation, "" where they cannot."""
        if not (self._adresses.ouvertes and MESSAGES[Genre(ligne["genre"])].conversation):
            return ""
        _, donnees = await self._modeles.donnees(ligne["contenu_id"])
        conversation_id = donnees.get("reponse_id")
        if conversation_id is None:
            return ""
        return self._adresses.adresse(self._adresses.jeton(conversation_id, ligne["compte_id"]))
