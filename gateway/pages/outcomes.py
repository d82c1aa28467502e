"""What became of a message, in French for its recipient, from the state and motive in the ledger. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.envois import Etat, Motif
from contracts.notifications import Canal

CANAUX: Mapping[str, str] = {Canal.EMAIL: "E\u2011mail", Canal.SMS: "SMS", Canal.PUSH: "Notification"}

_EN_COURS = "En cours d’envoi"
_ETATS: Mapping[str, str] = {
    Etat.EN_FILE: _EN_COURS,
    Etat.REMISE: _EN_COURS,
    Etat.ECHEC_TEMPORAIRE: _EN_COURS,
    Etat.INCERTAIN: "Peut-être arrivé",
    Etat.REMIS: "Envoyé",
    Etat.LIVRE: "Arrivé",
    Etat.NON_LIVRE: "Pas arrivé",
    Etat.ECHEC_PERMANENT: "Pas arrivé",
    Etat.ECHEC_TECHNIQUE: "Pas arrivé",
    Etat.REGROUPEE: "Dans un résumé",
    Etat.ANNULEE: "Pas envoyé",
    Etat.SANS_CONSENTEMENT: "Pas envoyé",
}
_TEINTES = {
    "Arrivé": "arrive",
    "Envoyé": "arrive",
    "Pas arrivé": "pas-arrive",
    "Pas envoyé": "pas-envoye",
}

_ATTENTES: Mapping[str, str] = {
    Motif.HEURES_CALMES: "Il partira aux heures que vous avez choisies pour les SMS.",
    Motif.BUDGET: "Vous avez reçu assez d’alertes cette semaine.",
    Motif.PAUSE: "Il partira à la fin de votre pause.",
    Motif.RESUME: "Il sera dans votre prochain résumé.",
    Motif.PLAFOND_SMS: "Le budget de SMS de la ville est atteint.",
}
"""Motive of a message that waits → sentence for its recipient."""

_RAISONS: Mapping[str, str] = {
    Motif.HEURES_CALMES: "C’était en dehors des heures que vous avez choisies.",
    Motif.BUDGET: "Vous aviez déjà reçu assez d’alertes cette semaine.",
    Motif.PAUSE: "Vos alertes étaient en pause.",
    Motif.ANNONCE_DECLINEE: "Vous aviez répondu «\u00a0pas cette fois\u00a0» à cette annonce.",
    Motif.DESABONNE: "Vous aviez arrêté cette alerte.",
    Motif.ANNONCE_CLOSE: "L’annonce n’était plus en ligne, ou tout était déjà pourvu.",
    Motif.PLAFOND_SMS: "Le budget de SMS de la ville était atteint.",
    Motif.CONSENTEMENT_ABSENT: "Vous n’aviez pas accepté les alertes de cette façon.",
    Motif.SANS_ADRESSE: "Nous n’avions pas d’adresse ou de numéro confirmé pour vous l’envoyer.",
    Motif.CODE_EXPIRE: "Le code n’était plus valable.",
    Motif.MESSAGE_IMPOSSIBLE: "Le message n’a pas pu être écrit. C’est une erreur de notre part.",
    Motif.COMPTE_EFFACE: "Le compte était effacé.",
    Motif.INJOIGNABLE: "Le service de messagerie ne répondait pas.",
}
"""Motive of a message that was not sent or did not arrive → sentence for its recipient."""

_SANS_MOTIF: Mapping[str, str] = {
    Etat.SANS_CONSENTEMENT: _RAISONS[Motif.CONSENTEMENT_ABSENT],
    Etat.NON_LIVRE: "Votre messagerie ou votre opérateur ne l’a pas accepté pour le moment.",
    Etat.ECHEC_PERMANENT: "L’adresse ou le numéro l’a refusé.",
    Etat.ECHEC_TECHNIQUE: "Nous avons essayé plusieurs fois, sans réponse.",
    Etat.INCERTAIN: "Le service de messagerie l’a pris sans confirmer.",
}


@dataclass(frozen=True)
class Sort:
    """`teinte` is the CSS class of the label `libelle`; `detail` is a sentence, empty when the label is enough.

    `resume_at`: when the digest that contains the message is sent, if known.
    """

    libelle: str
    teinte: str
    detail: str = ""
    resume_at: str | None = None


def sort(envoi: Mapping[str, object]) -> Sort:
    """What became of one message. A state or motive that this version does not know gets a neutral label."""
    etat, motif = str(envoi.get("etat") or ""), str(envoi.get("motif") or "")
    libelle = _ETATS.get(etat, "Enregistré")
    teinte = _TEINTES.get(libelle, "en-cours")
    if etat == Etat.REGROUPEE:
        when = envoi.get("resume_at")
        return Sort(libelle, teinte, resume_at=when if isinstance(when, str) else None)
    if libelle == _EN_COURS:
        return Sort("En attente", teinte, _ATTENTES[motif]) if motif in _ATTENTES else Sort(libelle, teinte)
    if etat in (Etat.REMIS, Etat.LIVRE):
        return Sort(libelle, teinte)
    return Sort(libelle, teinte, _RAISONS.get(motif) or _SANS_MOTIF.get(etat, ""))
