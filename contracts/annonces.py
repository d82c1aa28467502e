"""Events of the service annonces: each carries the whole public state of its aggregate and its version."""

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

    `categories`: codes of the lists activites (time, skills) and materiels (objects, premises, transport).
    `date_debut` without `date_fin`: that day only.
    `creneaux`: weekly slots, codes of the list creneaux ("samedi-matin"); empty: no matter when.
    `places`: how many answers are looked for, in people or, for materiel, in objects.
    `sans_alerte`: nobody is alerted when it is published, since it was not posted here by a person: it was generated.
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
    topic: ClassVar[str] = "annonces.annonce.v1"
    annonce: Annonce

    @property
    def key(self) -> str:
        return self.annonce.annonce_id


class AnnonceDeposee(EvenementAnnonce):
    """Posted, or posted again after a correction: it waits for a moderator."""


class AnnonceACorriger(EvenementAnnonce):
    """A moderator asks its author for changes."""


class AnnonceRefusee(EvenementAnnonce):
    """A moderator refused it; final."""


class AnnoncePubliee(EvenementAnnonce):
    """Approved: matching starts."""


class AnnonceModifiee(EvenementAnnonce):
    """Its public state changed while published (places left): no new alert."""


class AnnoncePourvue(EvenementAnnonce):
    """All its places are taken."""


class AnnonceRetiree(EvenementAnnonce):
    """Withdrawn by its author or a moderator; final, wins over what it overtakes."""


class AnnonceExpiree(EvenementAnnonce):
    """Its last day is over; final."""


class AnnonceEffacee(EvenementAnnonce):
    """The account of the citizen who wrote it is erased: the words are gone, its state is what it was. Whoever has
    copied them erases them too."""


class EtatAssociation(StrEnum):
    INSCRITE = "inscrite"
    VALIDEE = "validee"
    REFUSEE = "refusee"


class Engagement(Valeur):
    """The contrat d'engagement républicain as signed: which version, when, by which account."""

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
    """Signed up: it waits for a moderator."""


class AssociationValidee(EvenementAssociation):
    """Vetted by a person: it may post."""


class AssociationRefusee(EvenementAssociation):
    """Refused by a person, with a reason."""


class EtatReponse(StrEnum):
    """`deposee` and `acceptee` hold places; `en_attente` waits for some; `close`: the annonce ended before."""

    DEPOSEE = "deposee"
    ACCEPTEE = "acceptee"
    DECLINEE = "declinee"
    ANNULEE = "annulee"
    EN_ATTENTE = "en_attente"
    CLOSE = "close"


class Reponse(Valeur):
    """ "Je peux aider": the message itself stays with annonces, since people write names and numbers in it.

    `quantite`: the places that are reserved, or waited for; `quantite_demandee`: what was asked for, where fewer could
    be reserved. `place` of `places`: how many places of the annonce were taken once these were reserved (« place 3 sur
    5 »). `rang`: the position in the waiting list when this was said, from 1. `canal`: by which channel the answer
    came; None: through the site.
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
    """`reponse.compte_id` answers; `reponse.destinataires` are the accounts that posted the annonce.

    `message_id`, `message_canal`: the ReponseParMessage (its `reponse_id`) that made it happen, and its channel, where
    one did: whoever wrote it waits for a reply there.
    """

    topic: ClassVar[str] = "annonces.reponse.v1"
    reponse: Reponse
    message_id: Identifiant | None = None
    message_canal: Canal | None = None

    @property
    def key(self) -> str:
        return self.reponse.annonce_id


class ReponseDeposee(EvenementReponse):
    """Somebody can help; the places are reserved."""


class ReponseAcceptee(EvenementReponse):
    """The author of the annonce accepts."""


class ReponseDeclinee(EvenementReponse):
    """The author of the annonce declines; the places are free again."""


class ReponseAnnulee(EvenementReponse):
    """Who answered takes it back; the places are free again."""


class ReponseEnAttente(EvenementReponse):
    """Too few places are left: it waits in order of arrival, at `reponse.rang`. Nothing is reserved."""


class ReponsePromue(EvenementReponse):
    """Places became free for one that waited: they are reserved, it is as if deposited now."""


class RaisonCloture(StrEnum):
    RETIREE = "retiree"
    EXPIREE = "expiree"


class ReponseClose(EvenementReponse):
    """The annonce ended before this answer came to something: withdrawn or refused (`retiree`), or over (`expiree`).

    None is closed when an annonce is filled: who holds a place keeps it, and who waits knows and goes on waiting.
    """

    raison: RaisonCloture


class RappelDu(EvenementReponse):
    """The day before (or later, for who was accepted later): `reponse` holds places of what begins on `date_debut`.

    `creneaux` and `lieu` as in the annonce, the place as precise as the public may know it.
    """

    date_debut: dt.date
    date_fin: dt.date | None = None
    creneaux: list[Code] = []
    lieu: Lieu
    a_distance: bool = False


class RaisonSansEffet(StrEnum):
    """Why a message changed nothing.

    `inconnue`: no such annonce, or never published. `pas_publiee`: its author corrects it, or a moderator reads it
    again. `trop_de_places`: more than the annonce ever had. `aucune_reponse`: there is nothing to cancel.
    """

    DEJA_REPONDU = "deja_repondu"
    SA_PROPRE_ANNONCE = "sa_propre_annonce"
    INCONNUE = "inconnue"
    PAS_PUBLIEE = "pas_publiee"
    RETIREE = "retiree"
    EXPIREE = "expiree"
    TROP_DE_PLACES = "trop_de_places"
    AUCUNE_REPONSE = "aucune_reponse"


class ReponseSansEffet(Evenement):
    """A message that changed nothing, and why. `reponse_id` is that of the ReponseParMessage.

    `reponse`: the answer that stands, for `deja_repondu`. `annonce_titre` and `places`: of an annonce once published.
    """

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
