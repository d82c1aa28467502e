"""One content per message, as it could be stored: what the staff's preview shows, and what tests compile. Pure."""

from collections.abc import Mapping
from typing import Any

from contracts.annonces import RaisonCloture, RaisonSansEffet
from contracts.moderation import Motif
from services.notifications.domain import Genre
from services.notifications.messages.catalogue import expliquer

_LIEN = "https://place-des-assos.example/annonces/"

ANNONCE: Mapping[str, Any] = {
    "annonce_id": "5f2b8c1e9a7d4c3eb0a61d7f4e2c9b80",
    "version": 2,
    "etat": "publiee",
    "sens": "besoin",
    "nature": "logistique",
    "titre": "Une camionnette pour un samedi matin",
    "description": "Nous déménageons notre vestiaire solidaire de Fives à Wazemmes : une trentaine de cartons et quatre"
    " portants.\n\nIl nous faut une camionnette et quelqu’un qui la conduise, de 9 h à midi. Le café est offert !",
    "domaines": ["solidarite-et-insertion"],
    "categories": ["vehicule-transport", "logistique"],
    "publics": ["en-difficulte"],
    "cession": "pret",
    "date_debut": "2027-03-13",
    "date_fin": "2027-03-13",
    "creneaux": ["samedi-matin"],
    "lieu": {"quartier": "fives", "lat": 50.6325, "lon": 3.089},
    "a_distance": False,
    "certifications": ["permis-b"],
    "accessible_pmr": False,
    "ouvert_aux_mineurs": False,
    "urgent": True,
    "places": 5,
    "places_restantes": 5,
    "auteur": {
        "type": "association",
        "compte_id": "c0a41e7d52f84b1f9b6e3d2a7c5f8e11",
        "association_id": "a7d3f0b2c4e64f58a1b9d8c7e6f50123",
        "nom": "Le Vestiaire de Fives",
    },
    "deposee_at": "2027-03-01T08:15:30Z",
    "publiee_at": "2027-03-01T08:31:02Z",
    "expire_at": "2027-03-13T22:59:59Z",
    "ref": "K7",
}
_COSTUMES = {
    **ANNONCE,
    "annonce_id": "9c1d",
    "titre": "Trente costumes pour une pièce de théâtre",
    "nature": "materiel",
    "urgent": False,
    "date_debut": None,
    "date_fin": None,
    "creneaux": [],
    "places": 30,
    "lieu": {"quartier": "wazemmes", "lat": 50.625, "lon": 3.05},
    "auteur": {**ANNONCE["auteur"], "nom": "Les Planches du Nord"},
}
_QUAND = {nom: ANNONCE[nom] for nom in ("date_debut", "date_fin", "creneaux", "lieu", "a_distance")}
_REPONSE: Mapping[str, Any] = {
    "reponse_id": "7e1c5d20a9b84f6f9f0d3c2b1a09e8d7",
    "titre": ANNONCE["titre"],
    "annonce_id": ANNONCE["annonce_id"],
    "quantite": 2,
    "quantite_demandee": 3,
    "place": 3,
    "places": 5,
    "rang": None,
}
_RENCONTRE: Mapping[str, Any] = {
    "nom_autre": "Le Vestiaire de Fives",
    "lieu_prive": "12 rue de Bavay, 2e étage, code 4B17",
    "a_apporter": "des gants",
    "effacee": False,
}
_HEURE = "samedi 13 mars à 08:42"
_ASSOCIATION: Mapping[str, Any] = {"titre": "Le Vestiaire de Fives", "cible_id": "a7d3", "automatique": False}
_DECISION: Mapping[str, Any] = {"titre": ANNONCE["titre"], "cible_id": ANNONCE["annonce_id"], "automatique": False}
_A_PRECISER = {
    "motifs": [expliquer(Motif(code="informations-insuffisantes", explication="À quelle heure commencez-vous ?"))]
}
_VALEURS = {"motifs": [expliquer(Motif(code="valeurs", engagement=4, passage="réservé à nos membres"))]}

EXEMPLES: Mapping[Genre, Mapping[str, Any]] = {
    Genre.ALERTE: ANNONCE,
    Genre.RESUME: {
        "titre": "4 annonces pour vous",
        "annonces": [
            {**ANNONCE, "pourquoi": "à 1,2 km de chez vous · samedi matin · véhicule", "lien": f"{_LIEN}5f2b"},
            {**_COSTUMES, "pourquoi": "à 800 m de chez vous · vêtements", "lien": f"{_LIEN}9c1d"},
        ],
        "autres": 2,
    },
    Genre.CODE: {},
    Genre.ANNONCE_PUBLIEE: {**_DECISION, "motifs": []},
    Genre.ANNONCE_A_CORRIGER: {**_DECISION, **_A_PRECISER},
    Genre.ANNONCE_REFUSEE: {**_DECISION, **_VALEURS},
    Genre.ANNONCE_RETIREE: {**_DECISION, **_VALEURS},
    Genre.CORRECTION_PUBLIEE: {**_DECISION, "motifs": []},
    Genre.CORRECTION_A_CORRIGER: {**_DECISION, **_A_PRECISER},
    Genre.CORRECTION_REFUSEE: {**_DECISION, **_VALEURS},
    Genre.ASSOCIATION_VALIDEE: {**_ASSOCIATION, "motifs": []},
    Genre.ASSOCIATION_A_CORRIGER: {**_ASSOCIATION, **_A_PRECISER},
    Genre.ASSOCIATION_REFUSEE: {**_ASSOCIATION, **_VALEURS},
    Genre.ASSOCIATION_RETIREE: {**_ASSOCIATION, **_VALEURS},
    Genre.REPONSE_RECUE: _REPONSE,
    Genre.REPONSE_NOTEE: _REPONSE,
    Genre.REPONSE_EN_ATTENTE: {**_REPONSE, "place": None, "rang": 2},
    Genre.REPONSE_PROMUE: {**_REPONSE, **_QUAND},
    Genre.REPONSE_ACCEPTEE: {**_REPONSE, **_QUAND, "rencontre": _RENCONTRE, "sequence": 0},
    Genre.MESSAGE_RECU: {
        "titre": ANNONCE["titre"],
        "reponse_id": _REPONSE["reponse_id"],
        "messages": [
            {
                "de": "Le Vestiaire de Fives",
                "texte": "Bonjour Camille,\npouvez-vous venir à 9\u00a0h\u00a0?",
                "quand": _HEURE,
            },
            {"de": "Message", "texte": None, "quand": "effacé"},
        ],
        "ouverte": True,
    },
    Genre.COURRIEL_NON_TRANSMIS: {"raison": "autre_adresse", "reponse_id": _REPONSE["reponse_id"]},
    Genre.REPONSE_DECLINEE: _REPONSE,
    Genre.REPONSE_DECLINEE_MOT: _REPONSE,
    Genre.PLACE_LIBEREE: {**_REPONSE, "mot": True},
    Genre.REPONSE_ANNULEE: _REPONSE,
    Genre.REPONSE_SANS_EFFET: {**_REPONSE, "raison": RaisonSansEffet.DEJA_REPONDU.value},
    Genre.RAPPEL: {**_REPONSE, **_QUAND, "rencontre": _RENCONTRE, "sequence": 1},
    Genre.CIRCONSTANCES_CHANGEES: {
        **_REPONSE,
        "ref": ANNONCE["ref"],
        "avant": {**_QUAND, "date_debut": "2027-03-06", "date_fin": "2027-03-06"},
        "apres": _QUAND,
    },
    Genre.REPONSE_CONFIRMEE: _REPONSE,
    Genre.BESOIN_RETIRE: {**_REPONSE, "raison": RaisonCloture.RETIREE.value},
    Genre.REGROUPEMENT: {
        "titre": "12 réponses depuis 14\u00a0h\u00a002",
        "nouvelles": [
            {"quoi": "9 propositions d’aide", "titre": ANNONCE["titre"]},
            {"quoi": "3 propositions annulées", "titre": ANNONCE["titre"]},
        ],
        "autres": 0,
    },
    Genre.CODE_TELEPHONE: {},
    Genre.STOP_CONFIRME: {},
    Genre.PAUSE_CONFIRMEE: {"jusqua": "2027-04-12", "jours": 30},
    Genre.REPRISE_CONFIRMEE: {},
    Genre.NON_CONFIRME: {"titre": ANNONCE["titre"]},
    Genre.AIDE_SMS: {"inconnu": False},
    Genre.QUELLE_ANNONCE: {
        "annonces": [{"ref": "K7", "titre": ANNONCE["titre"]}, {"ref": "P4", "titre": _COSTUMES["titre"]}]
    },
}
"""Genre → content. Of one person, beside it: PERSONNE."""

PERSONNE: Mapping[str, str] = {
    "pourquoi": "à 1,2 km de chez vous · samedi matin · véhicule",
    "code": "428 913",
    "page": "https://place-des-assos.example/reponses/exemple",
}
"""What an SMS and a notification add to the content."""

CORPS: Mapping[str, str] = {
    "raisons": PERSONNE["pourquoi"],
    "desabonnement": "https://place-des-assos.example/desabonnement/exemple",
    "reponse": "https://place-des-assos.example/repondre/exemple",
    "code": "428913",
}
"""What fills the slots of a mail."""
