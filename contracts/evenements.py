"""All event classes, and the catalogue (topic → type name → class) that consumers use to decode events."""

from contracts import annonces, comptes, conversations, matching, moderation, notifications
from contracts.base import Evenement

EVENEMENTS: tuple[type[Evenement], ...] = (
    annonces.AnnonceDeposee,
    annonces.AnnonceACorriger,
    annonces.AnnonceRefusee,
    annonces.AnnoncePubliee,
    annonces.AnnonceModifiee,
    annonces.AnnoncePourvue,
    annonces.AnnonceRetiree,
    annonces.AnnonceExpiree,
    annonces.AnnonceEffacee,
    annonces.AssociationInscrite,
    annonces.AssociationValidee,
    annonces.AssociationRefusee,
    annonces.ReponseDeposee,
    annonces.ReponseAcceptee,
    annonces.ReponseDeclinee,
    annonces.ReponseLiberee,
    annonces.ReponseAnnulee,
    annonces.ReponseEnAttente,
    annonces.ReponsePromue,
    annonces.ReponseClose,
    annonces.ReponseSansEffet,
    annonces.RappelDu,
    annonces.CirconstancesChangees,
    annonces.ReponseConfirmee,
    conversations.MessageEcrit,
    conversations.ConversationClose,
    moderation.DecisionPrise,
    matching.ProfilEnregistre,
    matching.ProfilDesactive,
    matching.CorrespondancesTrouvees,
    notifications.EnvoisRemis,
    notifications.DesabonnementDemande,
    notifications.ReponseParMessage,
    comptes.CompteEnregistre,
    comptes.CompteEfface,
)


def catalogue() -> dict[str, dict[str, type[Evenement]]]:
    """Topic name → event type name → class."""
    found: dict[str, dict[str, type[Evenement]]] = {}
    for event in EVENEMENTS:
        found.setdefault(event.topic, {})[event.type_name()] = event
    return found


CATALOGUE = catalogue()
