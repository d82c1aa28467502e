"""What people see of a conversation: names, never the id of an account. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from contracts.annonces import EtatReponse
from contracts.commun import Code, Identifiant
from contracts.notifications import Canal
from services.annonces.conversations.rules import (
    Carte,
    Conversation,
    Cote,
    Message,
    PasParticipant,
    RendezVous,
    nom_affiche,
)
from services.annonces.views import Page

SUPPRIME = "Compte supprimé"


class VueMessage(BaseModel):
    """`texte` None: erased with the account of its author, or withdrawn. `canal` None: written on the site.

    `carte`: the text is an e-mail address or a phone number that its author shares.
    """

    message_id: Identifiant
    de_moi: bool
    de_mon_cote: bool
    de_nom: str
    texte: str | None
    canal: Canal | None
    carte: Carte | None
    ecrit_at: dt.datetime


class VueConversation(Page):
    """`messages`: one page, the oldest first; page 1 has the newest. `etat`: of the reponse.

    `ouverte`: both sides can write. `nom_autre`: the other side as a whole. `prenom`: of whoever reads, if it is known.
    """

    conversation_id: Identifiant
    version: int
    annonce_id: Identifiant
    annonce_titre: str
    etat: EtatReponse
    cote: Cote
    nom_autre: str
    prenom: str | None
    ouverte: bool
    fermee_at: dt.datetime | None
    messages: list[VueMessage]


class VueRendezVous(BaseModel):
    lieu_prive: str | None
    a_apporter: str | None


class VueRencontre(BaseModel):
    """Where and when two people meet. `sequence` grows with each change (SEQUENCE of RFC 5545)."""

    annonce_id: Identifiant
    annonce_titre: str
    nom_autre: str
    date_debut: dt.date | None
    date_fin: dt.date | None
    creneaux: list[Code]
    quartier: Code | None
    a_distance: bool
    lieu_prive: str | None
    a_apporter: str | None
    sequence: int


def rencontre(
    lue: Conversation, pour: Identifiant, prenoms: Mapping[Identifiant, str], rendez_vous: RendezVous
) -> VueRencontre:
    """As the account `pour` sees it. Raises PasParticipant for whoever is not accepted and did not post the annonce."""
    cote, annonce = lue.cote(pour), lue.annonce
    if cote is Cote.REPONDANT and lue.reponse.etat is not EtatReponse.ACCEPTEE:
        raise PasParticipant("not accepted")
    return VueRencontre(
        annonce_id=annonce.annonce_id,
        annonce_titre=annonce.titre,
        nom_autre=nom_d_en_face(lue, cote, prenoms),
        date_debut=annonce.date_debut,
        date_fin=annonce.date_fin,
        creneaux=annonce.creneaux,
        quartier=annonce.lieu.quartier,
        a_distance=annonce.a_distance,
        lieu_prive=rendez_vous.lieu_prive,
        a_apporter=rendez_vous.a_apporter,
        sequence=annonce.version + rendez_vous.version,
    )


def nom_pour(conversation: Conversation, de: Identifiant, pour: Cote, prenoms: Mapping[Identifiant, str]) -> str:
    """The name under which the side `pour` sees the account `de`."""
    try:
        cote = conversation.cote(de)
    except PasParticipant:
        # Erased, or no member of the association any more; it wrote for a side all the same.
        return SUPPRIME
    return nom_affiche(conversation.annonce.auteur, cote, pour, prenoms.get(de))


def nom_d_en_face(conversation: Conversation, pour: Cote, prenoms: Mapping[Identifiant, str]) -> str:
    """The name of the other side as a whole."""
    autre = Cote.AUTEUR if pour is Cote.REPONDANT else Cote.REPONDANT
    comptes = conversation.comptes(autre)
    if not comptes:
        return SUPPRIME
    prenom = prenoms.get(comptes[0]) if len(comptes) == 1 else None
    return nom_affiche(conversation.annonce.auteur, autre, pour, prenom)


def conversation(
    lue: Conversation,
    compte_id: Identifiant,
    messages: Sequence[Message],
    prenoms: Mapping[Identifiant, str],
    *,
    total: int,
    page: int,
    taille: int,
) -> VueConversation:
    """`messages` with the newest first."""
    cote = lue.cote(compte_id)
    return VueConversation(
        conversation_id=lue.conversation_id,
        version=lue.version,
        annonce_id=lue.annonce.annonce_id,
        annonce_titre=lue.annonce.titre,
        etat=lue.reponse.etat,
        cote=cote,
        nom_autre=nom_d_en_face(lue, cote, prenoms),
        prenom=prenoms.get(compte_id),
        ouverte=lue.ouverte,
        fermee_at=lue.fermee_at,
        messages=[message(lue, un, compte_id, prenoms) for un in reversed(messages)],
        total=total,
        page=page,
        taille=taille,
    )


def message(lue: Conversation, un: Message, compte_id: Identifiant, prenoms: Mapping[Identifiant, str]) -> VueMessage:
    cote = lue.cote(compte_id)
    return VueMessage(
        message_id=un.message_id,
        de_moi=un.de == compte_id,
        de_mon_cote=un.de in lue.comptes(cote),
        de_nom=nom_pour(lue, un.de, cote, prenoms),
        texte=un.texte,
        canal=un.canal,
        carte=un.carte,
        ecrit_at=un.ecrit_at,
    )
