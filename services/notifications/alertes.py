"""From a chunk of correspondances to rows of the ledger: whom to alert, on which channels, now, later or not at all."""

import datetime as dt
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.annonces import Annonce
from contracts.envois import Etat, Motif, id_alerte
from contracts.matching import CorrespondancesTrouvees, Destinataire
from contracts.notifications import Canal
from services.notifications.comprehension.codes import reference_code
from services.notifications.contacts.store import Contact
from services.notifications.domain import Genre
from services.notifications.messages.catalogue import MESSAGES
from services.notifications.messages.raisons import phrase
from services.notifications.planning.calendar import Regle
from services.notifications.planning.plan import DansResume, Faits, Maintenant, Plan, PlusTard, planifier
from services.notifications.planning.preferences import SANS_CHOIX
from services.notifications.registre.recipients import Recipients
from services.notifications.registre.rows import Ligne
from services.notifications.registre.store import Registre

_REFERENCES = 20_000


@dataclass(frozen=True)
class Connu:
    """What is known when a chunk arrives. `sollicitations` by (account, urgent): annonces somebody was alerted about
    in seven days."""

    recipients: Recipients
    sollicitations: Mapping[tuple[str, bool], int]


@dataclass(frozen=True)
class Politique:
    """`budget`: alerts in seven days for whoever has not chosen otherwise; 0: no limit. `canaux`: those that work."""

    budget: int
    regle_sms: Regle
    canaux: frozenset[Canal]


def reference(annonce_id: str) -> str:
    """What somebody writes to mean this annonce. Two alerts of one person rarely share it; the newest is meant."""
    return reference_code(zlib.crc32(annonce_id.encode()) % _REFERENCES)


def contenu(annonce: Annonce) -> dict[str, Any]:
    """What templates see of an alert."""
    return {**annonce.model_dump(mode="json"), "ref": reference(annonce.annonce_id)}


def lignes(
    event: CorrespondancesTrouvees, contenu_id: str, connu: Connu, politique: Politique, registre: Registre
) -> list[Ligne]:
    """A row per person for e-mail, the ground of the reckoning, whatever becomes of it; one more for each other channel
    on which they want alerts."""
    annonce = event.annonce
    communs: dict[str, Any] = {
        "contenu_id": contenu_id,
        "annonce_id": annonce.annonce_id,
        "version": annonce.version,
        "titre": annonce.titre,
        "urgent": annonce.urgent,
    }
    now = registre.clock.now()
    plans = Plans(annonce, connu, politique, now)
    nommes = {destinataire.profil_id: plans.nommes(destinataire) for destinataire in event.destinataires}
    return [
        registre.ligne(
            id_alerte(annonce.annonce_id, annonce.version, destinataire.profil_id, canal),
            Genre.ALERTE,
            canal,
            destinataire.compte_id,
            gabarit=MESSAGES[Genre.ALERTE].version,
            now=now,
            profil_id=nommes[destinataire.profil_id][0],
            pourquoi=phrase(destinataire.raisons),
            score=destinataire.score,
            **_facultatifs(annonce.annonce_id, canal, nommes[destinataire.profil_id][1:]),
            **communs,
            **selon,
        )
        for destinataire in event.destinataires
        for canal, selon in plans.pour(destinataire, nommes[destinataire.profil_id][0])
    ]


def _facultatifs(annonce_id: str, canal: Canal, autres_profils: list[str]) -> dict[str, Any]:
    """The fields that only some rows have."""
    champs: dict[str, Any] = {"autres_profils": autres_profils} if autres_profils else {}
    return champs | {"ref": reference(annonce_id)} if canal is Canal.SMS else champs


class Plans:
    """What a chunk means for each of its people: by channel, the fields of a new row. Most of them have chosen nothing,
    and what follows is worked out once for all of those who have the same past."""

    def __init__(self, annonce: Annonce, connu: Connu, politique: Politique, now: dt.datetime) -> None:
        self._annonce = annonce
        self._connu = connu
        self._politique = politique
        self._now = now
        self._deja: dict[tuple[frozenset[Canal], int, int], list[tuple[Canal, dict[str, Any]]]] = {}

    def nommes(self, destinataire: Destinataire) -> list[str]:
        """The profils by which the annonce concerns somebody; the first is the one in whose name they are written to:
        of those that are not unsubscribed the one that wants alerts soonest, and of these the best."""
        profils = [destinataire.profil_id, *destinataire.autres_profils]
        contact = self._connu.recipients.contacts.get(destinataire.compte_id)
        if len(profils) == 1 or contact is None:
            return profils
        suivis = [profil_id for profil_id in profils if profil_id not in self._connu.recipients.desabonnes]
        return sorted(suivis or profils, key=contact.choix.attente)

    def pour(self, destinataire: Destinataire, profil_id: str) -> list[tuple[Canal, dict[str, Any]]]:
        """`profil_id`: the one in whose name they are written to."""
        contact = self._connu.recipients.contacts.get(destinataire.compte_id)
        normales = self._connu.sollicitations.get((destinataire.compte_id, False), 0)
        urgentes = self._connu.sollicitations.get((destinataire.compte_id, True), 0)
        if contact is None or contact.choix is not SANS_CHOIX:
            return self._planifier(profil_id, contact, normales, urgentes)
        cle = contact.accords, normales, urgentes
        if cle not in self._deja:
            self._deja[cle] = self._planifier(profil_id, contact, normales, urgentes)
        return self._deja[cle]

    def _planifier(
        self, profil_id: str, contact: Contact | None, normales: int, urgentes: int
    ) -> list[tuple[Canal, dict[str, Any]]]:
        accords, choix = (contact.accords, contact.choix) if contact else (frozenset[Canal](), SANS_CHOIX)
        preferences = choix.pour(profil_id, accords, self._politique.budget)
        trouves = []
        for canal in sorted(self._politique.canaux & (preferences.canaux | {Canal.EMAIL})):
            faits = Faits(
                canal=canal,
                now=self._now,
                urgent=self._annonce.urgent,
                normales=normales,
                urgentes=urgentes,
                annonce_declinee=self._annonce.annonce_id in choix.refus,
            )
            plan = planifier(preferences, faits, self._politique.regle_sms)
            trouves.append((canal, _selon(plan, connu=contact is not None)))
        return trouves


def _selon(plan: Plan, *, connu: bool) -> dict[str, Any]:
    """What a plan means for a new row. `connu`: somebody has told us of this account."""
    match plan:
        case Maintenant():
            return {}
        case PlusTard(a, motif):
            return {"reprise_at": a, "motif": motif.value}
        case DansResume(a, motif):
            return {"reprise_at": a, "resume_at": a, "motif": motif.value}
        case _ if plan.motif is Motif.CONSENTEMENT_ABSENT:
            # Seen again at the hand-off otherwise; here nobody has agreed to it yet.
            absent = Motif.CONSENTEMENT_ABSENT if connu else Motif.SANS_ADRESSE
            return {"etat": Etat.SANS_CONSENTEMENT.value, "motif": absent.value, "reprise_at": None}
        case _:
            return {"etat": Etat.ANNULEE.value, "motif": plan.motif.value, "reprise_at": None}
