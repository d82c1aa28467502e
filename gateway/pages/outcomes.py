"""What became of a message, in plain French, from the state and the reason that the ledger keeps. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

CANAUX = {"email": "E\u2011mail", "sms": "SMS", "push": "Notification"}

_EN_COURS = "En cours d’envoi"
_ETATS = {
    "en_file": _EN_COURS,
    "remise": _EN_COURS,
    "echec_temporaire": _EN_COURS,
    "incertain": "Peut-être arrivé",
    "remis": "Envoyé",
    "livre": "Arrivé",
    "non_livre": "Pas arrivé",
    "echec_permanent": "Pas arrivé",
    "echec_technique": "Pas arrivé",
    "regroupee": "Dans un résumé",
    "annulee": "Pas envoyé",
    "sans_consentement": "Pas envoyé",
}
_TEINTES = {
    "Arrivé": "arrive",
    "Envoyé": "arrive",
    "Pas arrivé": "pas-arrive",
    "Pas envoyé": "pas-envoye",
}

_ATTENTES = {
    "heures_calmes": "Il partira aux heures que vous avez choisies pour les SMS.",
    "budget": "Vous avez reçu assez d’alertes cette semaine.",
    "pause": "Il partira à la fin de votre pause.",
    "resume": "Il sera dans votre prochain résumé.",
    "plafond_sms": "Le budget de SMS de la ville est atteint.",
}
"""Reasons of a message that is still to leave."""

_RAISONS = {
    "heures_calmes": "C’était en dehors des heures que vous avez choisies.",
    "budget": "Vous aviez déjà reçu assez d’alertes cette semaine.",
    "pause": "Vos alertes étaient en pause.",
    "annonce_declinee": "Vous aviez répondu «\u00a0pas cette fois\u00a0» à cette annonce.",
    "desabonne": "Vous aviez arrêté cette alerte.",
    "annonce_close": "L’annonce n’était plus en ligne, ou tout était déjà pourvu.",
    "plafond_sms": "Le budget de SMS de la ville était atteint.",
    "consentement_absent": "Vous n’aviez pas accepté les alertes de cette façon.",
    "sans_adresse": "Nous n’avions pas d’adresse ou de numéro confirmé pour vous l’envoyer.",
    "code_expire": "Le code n’était plus valable.",
    "message_impossible": "Le message n’a pas pu être écrit. C’est une erreur de notre part.",
    "compte_efface": "Le compte était effacé.",
    "injoignable": "Le service de messagerie ne répondait pas.",
}
"""Reasons of a message that did not leave, or did not arrive."""

_SANS_MOTIF = {
    "sans_consentement": _RAISONS["consentement_absent"],
    "non_livre": "Votre messagerie ou votre opérateur ne l’a pas accepté pour le moment.",
    "echec_permanent": "L’adresse ou le numéro l’a refusé.",
    "echec_technique": "Nous avons essayé plusieurs fois, sans réponse.",
    "incertain": "Le service de messagerie l’a pris sans confirmer.",
}


@dataclass(frozen=True)
class Sort:
    """`teinte` names the class of its label; `detail` is a sentence, or nothing when the label says it all.

    `resume_at`: when the digest that holds it leaves or left, if that is known.
    """

    libelle: str
    teinte: str
    detail: str = ""
    resume_at: str | None = None


def sort(envoi: Mapping[str, object]) -> Sort:
    """What became of one message. A state or a reason of a newer service is shown without a wrong word."""
    etat, motif = str(envoi.get("etat") or ""), str(envoi.get("motif") or "")
    libelle = _ETATS.get(etat, "Enregistré")
    teinte = _TEINTES.get(libelle, "en-cours")
    if etat == "regroupee":
        when = envoi.get("resume_at")
        return Sort(libelle, teinte, resume_at=when if isinstance(when, str) else None)
    if libelle == _EN_COURS:
        return Sort("En attente", teinte, _ATTENTES[motif]) if motif in _ATTENTES else Sort(libelle, teinte)
    if etat in ("remis", "livre"):
        return Sort(libelle, teinte)
    return Sort(libelle, teinte, _RAISONS.get(motif) or _SANS_MOTIF.get(etat, ""))
