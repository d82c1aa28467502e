"""Events of the service annonces. Each carries the whole public state of its aggregate, and its version."""

import datetime as dt
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from contracts.base import Evenement, Valeur
from contracts.commun import Auteur, Cession, Code, Identifiant, Instant, Lieu, Nature, Sens
from contracts.notifications import Canal, Intention


class EtatAnnonce(StrEnum):
    DEPOSEE = "deposee"
    A_CORRIGER = "a_corriger"
    REFUSEE = "refusee"
    PUBLIEE = "publiee"
    POURVUE = "pourvue"
    RETIREE = "retiree"
    EXPIREE = "expiree"


class Annonce(Valeur):
    """The public state of an annonce.

    `categories` are codes of the lists activites (time, skills) and materiels (objects, premises, transport).
    `date_debut` without `date_fin` means that day only.
    `creneaux` are weekly slots, codes of the list creneaux ("samedi-matin"); empty means any time. `places` is the
    number of people or, for materiel, of objects that are needed. `sans_alerte`: nobody is alerted when it is
    published, because it is generated data.
    """

    annonce_id: Identifiant
    version: int = Field(ge=1)
    etat: EtatAnnonce
    sens: Sens
    nature: Nature
    titre: str
    description: str
    domaines: list[Code] = []
    categories: list[Code] = []
    publics: list[Code] = []
    cession: Cession | None = None
    date_debut: dt.date | None = None
    date_fin: dt.date | None = None
    creneaux: list[Code] = []
    lieu: Lieu
    a_distance: bool = False
    certifications: list[Code] = []
    accessible_pmr: bool = False
    ouvert_aux_mineurs: bool = False
    urgent: bool = False
    places: int = Field(ge=1)
    places_restantes: int = Field(ge=0)
    auteur: Auteur
    deposee_at: Instant
    publiee_at: Instant | None = None
    expire_at: Instant
    sans_alerte: bool = False


class EvenementAnnonce(Evenement):
    """`annonce`: what the public may know.

    `proposee`: the same annonce with a new text, which waits for a moderator while the approved one stays online; its
    `version` is the one in which that text was handed in. None: no text waits.
    """

    topic: ClassVar[str] = "annonces.annonce.v1"
    annonce: Annonce
    proposee: Annonce | None = None

    @property
    def key(self) -> str:
        return self.annonce.annonce_id


class AnnonceDeposee(EvenementAnnonce):
    """Posted, or posted again after a correction: a moderator must read it."""


class AnnonceACorriger(EvenementAnnonce):
    """A moderator asks the author for changes."""


class AnnonceRefusee(EvenementAnnonce):
    """A moderator refused it. Final."""


class AnnoncePubliee(EvenementAnnonce):
    """It is approved, or a new text of it is: matching searches for people to alert who were not alerted before."""


class AnnonceModifiee(EvenementAnnonce):
    """The public state of a published annonce changed (places left, days), or a new text waits. Nobody is alerted."""


class AnnoncePourvue(EvenementAnnonce):
    """All its places are taken."""


class AnnonceRetiree(EvenementAnnonce):
    """Withdrawn by its author or a moderator. Final, whatever order events arrive in."""


class AnnonceExpiree(EvenementAnnonce):
    """Its last day is over. Final."""


class AnnonceEffacee(EvenementAnnonce):
    """The account of the citizen who wrote it was erased: the texts are removed, and the annonce is closed for good.
    Services that copied the texts must erase them too."""


class EtatAssociation(StrEnum):
    INSCRITE = "inscrite"
    VALIDEE = "validee"
    REFUSEE = "refusee"


class Engagement(Valeur):
    """Signature of the contrat d'engagement républicain: version, time, account."""

    version: str
    signe_at: Instant
    signe_par: Identifiant


class Association(Valeur):
    association_id: Identifiant
    version: int = Field(ge=1)
    etat: EtatAssociation
    nom: str
    rna: str | None = None
    siren: str | None = None
    description: str
    domaines: list[Code] = []
    lieu: Lieu
    engagement: Engagement
    membres: list[Identifiant]
    inscrite_at: Instant


class EvenementAssociation(Evenement):
    topic: ClassVar[str] = "annonces.association.v1"
    association: Association

    @property
    def key(self) -> str:
        return self.association.association_id


class AssociationInscrite(EvenementAssociation):
    """Registered: a moderator must read it."""


class AssociationValidee(EvenementAssociation):
    """Approved by a moderator: it may post annonces."""


class AssociationRefusee(EvenementAssociation):
    """Refused by a moderator, with a reason."""


class EtatReponse(StrEnum):
    """`deposee` and `acceptee` hold places; `en_attente` is in the waiting list; `close` means that the annonce ended
    first."""

    DEPOSEE = "deposee"
    ACCEPTEE = "acceptee"
    DECLINEE = "declinee"
    ANNULEE = "annulee"
    EN_ATTENTE = "en_attente"
    CLOSE = "close"


class Reponse(Valeur):
    """An answer to an annonce ("Je peux aider"). Its text stays in annonces, because people write names and numbers in
    it.

    `quantite`: places reserved or waited for. `quantite_demandee`: places asked for, if fewer could be reserved.
    `place` of `places`: number of places of the annonce that were taken after this reservation ("place 3 sur 5").
    `rang`: position in the waiting list at that moment, from 1. `canal`: channel by which the answer came; None means
    the site.
    """

    reponse_id: Identifiant
    version: int = Field(ge=1)
    etat: EtatReponse
    annonce_id: Identifiant
    annonce_titre: str
    quantite: int = Field(ge=1)
    compte_id: Identifiant
    destinataires: list[Identifiant]
    deposee_at: Instant
    quantite_demandee: int | None = Field(default=None, ge=1)
    place: int | None = Field(default=None, ge=1)
    places: int | None = Field(default=None, ge=1)
    rang: int | None = Field(default=None, ge=1)
    canal: Canal | None = None


class EvenementReponse(Evenement):
    """`reponse.compte_id` is the person who answers; `reponse.destinataires` are the accounts that posted the annonce.

    `message_id` and `message_canal` are set when a message caused this event: the `reponse_id` of its
    ReponseParMessage, and its channel. Its author expects a reply on that channel.
    """

    topic: ClassVar[str] = "annonces.reponse.v1"
    reponse: Reponse
    message_id: Identifiant | None = None
    message_canal: Canal | None = None

    @property
    def key(self) -> str:
        return self.reponse.annonce_id


class ReponseDeposee(EvenementReponse):
    """Somebody offers help; the places are reserved."""


class ReponseAcceptee(EvenementReponse):
    """The author of the annonce accepts."""


class ReponseDeclinee(EvenementReponse):
    """The author of the annonce declines; the places are free again.

    `mot`: the author left a word for whoever answered, who reads it in their account (it is in no event).
    """

    mot: bool = False


class ReponseLiberee(EvenementReponse):
    """The author of the annonce takes back an acceptance; the places are free again. `mot` as in ReponseDeclinee."""

    mot: bool = False


class ReponseAnnulee(EvenementReponse):
    """The person who answered cancels; the places are free again."""


class ReponseEnAttente(EvenementReponse):
    """Too few places are left: the answer joins the waiting list at `reponse.rang`. Nothing is reserved."""


class ReponsePromue(EvenementReponse):
    """Places became free for an answer of the waiting list: they are reserved, as if it had been posted now."""


class RaisonCloture(StrEnum):
    RETIREE = "retiree"
    EXPIREE = "expiree"


class ReponseClose(EvenementReponse):
    """The annonce ended before the answer was settled: withdrawn or refused (`retiree`), or past its last day
    (`expiree`).

    When an annonce has all its places taken, no answer is closed: accepted people keep their place, and the waiting
    list stays.
    """

    raison: RaisonCloture


class RappelDu(EvenementReponse):
    """Reminder on the day before, or later for a person accepted later: `reponse` holds places of an annonce that
    begins on `date_debut`. `creneaux` and `lieu` are those of the annonce, as precise as the public may know them."""

    date_debut: dt.date
    date_fin: dt.date | None = None
    creneaux: list[Code] = []
    lieu: Lieu
    a_distance: bool = False


class Circonstances(Valeur):
    """When and where: as in the annonce, the place as precise as the public may know it."""

    date_debut: dt.date | None = None
    date_fin: dt.date | None = None
    creneaux: list[Code] = []
    lieu: Lieu
    a_distance: bool = False


class CirconstancesChangees(EvenementReponse):
    """When or where it takes place changed after `reponse` was given: whoever gave it is asked whether it still holds.
    Several edits that come close together are told as one; `changees_at` is the last of them.
    """

    changees_at: Instant
    avant: Circonstances
    apres: Circonstances


class ReponseConfirmee(EvenementReponse):
    """Whoever answered says after a change that it still holds."""


class RaisonSansEffet(StrEnum):
    """Why a message had no effect.

    `inconnue`: the annonce does not exist or was never published. `pas_publiee`: its author corrects it, or a moderator
    reads it again. `deja_decline`: its author declined this person as often as they may ask. `trop_de_places`: more
    places than it ever had. `aucune_reponse`: there is nothing to cancel.
    """

    DEJA_REPONDU = "deja_repondu"
    SA_PROPRE_ANNONCE = "sa_propre_annonce"
    INCONNUE = "inconnue"
    PAS_PUBLIEE = "pas_publiee"
    RETIREE = "retiree"
    EXPIREE = "expiree"
    TROP_DE_PLACES = "trop_de_places"
    AUCUNE_REPONSE = "aucune_reponse"
    DEJA_DECLINE = "deja_decline"


class ReponseSansEffet(Evenement):
    """A message had no effect. `reponse_id` is that of the ReponseParMessage. `reponse` is the existing answer, for
    `deja_repondu`. `annonce_titre` and `places` are set if the annonce was ever published."""

    topic: ClassVar[str] = "annonces.reponse.v1"
    reponse_id: Identifiant
    annonce_id: Identifiant
    annonce_titre: str | None = None
    compte_id: Identifiant
    canal: Canal
    intention: Intention
    raison: RaisonSansEffet
    places: int | None = Field(default=None, ge=1)
    reponse: Reponse | None = None

    @property
    def key(self) -> str:
        return self.annonce_id
