"""What an SMS and a notification of the browser say. Pure.

An SMS is paid by the part, so it is written in the alphabet that packs 160 characters into one (GSM-7): here no « », no
’, no ê; what people wrote is lightened the same way. An alert has at most ALERTE_PARTIES parts: its reasons are
shortened first, its title last, the reference and STOP never.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from services.notifications.canaux.sms.gsm7 import alleger, compter
from services.notifications.domain import Genre
from services.notifications.messages.catalogue import objet
from services.notifications.messages.raisons import SEPARATEUR
from services.notifications.messages.wording import (
    au_rang,
    court,
    endroit,
    jour_court,
    periode_courte,
    quand_et_ou,
    raison_sans_effet,
    rang,
    une_ligne,
)

ALERTE_PARTIES = 2
_TITRE_MAX = 60
_TITRE_MIN = 12
_LIEU_MAX = 120
_SUITE = "..."
SITE = "Place des assos"
_MOT = "L'auteur vous a laissé un mot, dans votre compte."

# Pictures, private and unassigned characters, halves of a pair; the joiners and selectors between pictures.
_IMAGES = frozenset({"So", "Sk", "Co", "Cn", "Cs"})
_INVISIBLES = frozenset("\u200d\ufe0e\ufe0f\u20e3")

Donnees = Mapping[str, Any]


class SansTexte(LookupError):
    """This message is not written for this channel."""


def rediger_sms(genre: Genre, donnees: Donnees) -> str:
    """`donnees`: the content, and for one person `pourquoi`, `code` and `page`.

    Raises SansTexte, or KeyError for what lacks.
    """
    if genre not in SMS:
        raise SansTexte(genre.value)
    return alleger(SMS[genre](donnees))


def _alerte(d: Donnees) -> str:
    versions = _versions(d)
    # Lightened at each step, since that may make it longer: "…" becomes three points.
    return next((texte for texte in versions if compter(alleger(texte)) <= ALERTE_PARTIES), "") or _au_plus_court(d)


def _versions(d: Donnees) -> Iterator[str]:
    """The alert with less and less around its title, then with less and less of it."""
    titre, auteur = _propre(d["titre"]), _propre(d["auteur"]["nom"] or "")
    quand = periode_courte(d["date_debut"], d["date_fin"])
    creneaux = ", ".join(court(code, "creneaux") for code in d["creneaux"][:3])
    ou = endroit(d["lieu"], d["a_distance"])
    raisons = [_propre(raison) for raison in d["pourquoi"].split(SEPARATEUR) if raison]
    for nombre in range(len(raisons), 0, -1):
        yield _composer(d, titre, auteur, (quand, creneaux, ou), raisons[:nombre])
    yield _composer(d, titre, auteur, (quand, creneaux, ou), [])
    yield _composer(d, titre, auteur, (quand, ou), [])
    yield _composer(d, titre, "", (quand, ou), raisons[:1])
    for longueur in range(len(titre) - 1, _TITRE_MIN - 1, -8):
        yield _composer(d, _abreger(titre, longueur), "", (quand, ou), [])


def _au_plus_court(d: Donnees) -> str:
    """In an alphabet of 70 characters a part, little more than the title fits."""
    return _composer(d, _abreger(_propre(d["titre"]), _TITRE_MIN), "", (), [])


def _composer(d: Donnees, titre: str, auteur: str, quand_ou: tuple[str, ...], raisons: list[str]) -> str:
    quoi = "Besoin" if d["sens"] == "besoin" else "Offre"
    if d["urgent"]:
        quoi = f"{quoi} {'urgent' if d['sens'] == 'besoin' else 'urgente'}"
    lignes = [
        f"{quoi} : {titre} ({auteur})" if auteur else f"{quoi} : {titre}",
        ", ".join(morceau for morceau in quand_ou if morceau),
        f"Pour vous : {', '.join(raisons)}" if raisons else "",
        f"Réf. {d['ref']}. Répondez OUI {d['ref']}, NON {d['ref']} ou STOP",
    ]
    return "\n".join(ligne for ligne in lignes if ligne)


def _propre(texte: str) -> str:
    """One line without pictures: one emoji would halve what a part holds. Letters of any script stay."""
    nu = "".join(c for c in texte if unicodedata.category(c) not in _IMAGES and c not in _INVISIBLES)
    return une_ligne(nu) or une_ligne(texte)


def _abreger(texte: str, longueur: int) -> str:
    """At most `longueur` characters, cut between words where that costs little."""
    if len(texte) <= longueur:
        return texte
    coupe = texte[: longueur - len(_SUITE)]
    entier = coupe.rpartition(" ")[0]
    return (entier if len(entier) > len(coupe) * 2 // 3 else coupe).rstrip(" ,;:.-") + _SUITE


def _titre(d: Donnees) -> str:
    return f'"{_abreger(_propre(d["titre"]), _TITRE_MAX)}"'


def _code_telephone(d: Donnees) -> str:
    return f"{d['code']} est votre code {SITE}. Il est valable quelques minutes. Ne le donnez à personne."


def _recue(d: Donnees) -> str:
    return f"Quelqu'un peut vous aider pour {_titre(d)}{_quantite(d)}. Lisez sa réponse sur le site, dans votre compte."


def _notee(d: Donnees) -> str:
    moins = d["quantite_demandee"] and d["quantite_demandee"] > d["quantite"]
    reste = f" Il n'en restait pas {d['quantite_demandee']}." if moins else ""
    notee = rang(d["place"], d["quantite"], d["places"])
    return f"Merci, {notee} pour {_titre(d)}.{reste} L'auteur de l'annonce vous dira s'il accepte. {_renoncer(d)}"


def _en_attente(d: Donnees) -> str:
    numero = f" (numéro {d['rang']})" if d["rang"] else ""
    return (
        f"Complet pour {_titre(d)} : vous voici en liste d'attente{numero}. Nous vous écrirons si une place se libère."
    )


def _promue(d: Donnees) -> str:
    return f"Une place s'est libérée pour {_titre(d)} : elle est à vous{_quantite(d)}. {_renoncer(d)}"


def _acceptee(d: Donnees) -> str:
    suite = _rendez_vous(d, *_jours(d)) if d.get("rencontre") else ()
    return " ".join([f"Votre aide pour {_titre(d)} est acceptée. Merci !", *suite])


def _rendez_vous(d: Donnees, *jours: str) -> Iterator[str]:
    """Who, when, where and with what, as far as it is known; the page has the whole of it."""
    rencontre = d.get("rencontre")
    if not rencontre or rencontre["effacee"]:
        return
    avec = f"Avec {rencontre['nom_autre']}" if rencontre["nom_autre"] else ""
    dit = (avec, *jours, _abreger(_propre(rencontre["lieu_prive"]), _LIEU_MAX))
    if dite := ", ".join(partie for partie in dit if partie):
        yield f"{dite}."
    if rencontre["a_apporter"]:
        yield f"À apporter : {_abreger(_propre(rencontre['a_apporter']), _LIEU_MAX)}."
    yield f"Pour vous écrire : {d['page']}"


def _jours(d: Donnees) -> tuple[str, str]:
    creneaux = ", ".join(court(code, "creneaux") for code in d["creneaux"][:3])
    return periode_courte(d["date_debut"], d["date_fin"]), creneaux


def _message(d: Donnees) -> str:
    """Never the words themselves: a phone shows an SMS to whoever is near."""
    return f"{SITE} : vous avez un message. Lisez-le et répondez : {d['page']}"


def _declinee(d: Donnees) -> str:
    return f"Votre aide pour {_titre(d)} n'est pas retenue cette fois. Merci de l'avoir proposée."


def _declinee_mot(d: Donnees) -> str:
    return f"{_declinee(d)} {_MOT}"


def _liberee(d: Donnees) -> str:
    return f"Votre place pour {_titre(d)} n'est plus retenue : ne vous déplacez pas.{f' {_MOT}' if d['mot'] else ''}"


def _changees(d: Donnees) -> str:
    return (
        f"Changement pour {_titre(d)} : {_quand_ou_court(d['apres'])} (avant : {_quand_ou_court(d['avant'])}). "
        f"Toujours d'accord ? Répondez OUI {d['ref']} ou NON {d['ref']}"
    )


def _quand_ou_court(circonstances: Donnees) -> str:
    c = circonstances
    creneaux = ", ".join(court(code, "creneaux") for code in c["creneaux"][:3])
    dates = (periode_courte(c["date_debut"], c["date_fin"]), creneaux, endroit(c["lieu"], c["a_distance"]))
    return ", ".join(x for x in dates if x) or "sans date"


def _confirmee(d: Donnees) -> str:
    return f"C'est noté : pour {_titre(d)}, on compte toujours sur vous. Merci !"


def _annulee(d: Donnees) -> str:
    return (
        f"Quelqu'un renonce à vous aider pour {_titre(d)}{_quantite(d)}. Ce qui lui était réservé est libre à nouveau."
    )


def _sans_effet(d: Donnees) -> str:
    raison = raison_sans_effet(d["raison"], d["place"], d["places"], d["rang"])
    sujet = f" pour {_titre(d)}" if d["titre"] else ""
    return f"Merci, mais votre message ne change rien{sujet} : {raison}."


def _rappel(d: Donnees) -> str:
    return " ".join([f"Rappel : {_titre(d)}, {_quand_ou_court(d)}.", *_rendez_vous(d), _renoncer(d)])


def _retire(d: Donnees) -> str:
    fin = "est terminée" if d["raison"] == "expiree" else "est retirée"
    return f"L'annonce {_titre(d)} {fin} : on ne vous attend plus. Merci d'avoir proposé votre aide."


def _stop(_: Donnees) -> str:
    return f"{SITE} : c'est noté, vous ne recevrez plus de SMS. Vous pouvez y revenir depuis votre compte."


def _pause(d: Donnees) -> str:
    return f"C'est noté : pas d'alerte jusqu'au {jour_court(d['jusqua'])}. Pour reprendre avant, répondez REPRENDRE."


def _reprise(_: Donnees) -> str:
    return "C'est noté : les alertes reprennent. STOP pour ne plus recevoir de SMS."


def _non(d: Donnees) -> str:
    return f"C'est noté : plus de message pour {_titre(d)}. Merci d'avoir répondu."


def _aide(d: Donnees) -> str:
    if d["inconnu"]:
        return f"{SITE} ne connaît pas ce numéro. Pour recevoir des alertes, donnez-le sur le site, dans votre compte."
    return (
        f"{SITE} : répondez aux alertes par OUI et leur référence (OUI K7), avec un nombre si vous venez à plusieurs "
        "(OUI 3 K7), ou par NON. PAUSE 30 : rien pendant 30 jours. STOP : plus de SMS."
    )


def _quelle_annonce(d: Donnees) -> str:
    choix = d["annonces"][:3]
    lignes = [f"{a['ref']} : {_abreger(_propre(a['titre']), 40)}" for a in choix]
    return "\n".join(["Pour quelle annonce ?", *lignes, f"Répondez par exemple OUI {choix[0]['ref']}."])


def _renoncer(d: Donnees) -> str:
    """A bare NON means the last alert, which may be another one: only with the reference of this one."""
    if ref := d.get("ref"):
        return f"Pour renoncer, répondez NON {ref}."
    return "Pour renoncer : votre compte, sur le site."


def _quantite(d: Donnees) -> str:
    return f" (quantité : {d['quantite']})" if d["quantite"] > 1 else ""


SMS: Mapping[Genre, Callable[[Donnees], str]] = {
    Genre.ALERTE: _alerte,
    Genre.REPONSE_RECUE: _recue,
    Genre.REPONSE_NOTEE: _notee,
    Genre.REPONSE_EN_ATTENTE: _en_attente,
    Genre.REPONSE_PROMUE: _promue,
    Genre.REPONSE_ACCEPTEE: _acceptee,
    Genre.REPONSE_DECLINEE: _declinee,
    Genre.REPONSE_DECLINEE_MOT: _declinee_mot,
    Genre.PLACE_LIBEREE: _liberee,
    Genre.CIRCONSTANCES_CHANGEES: _changees,
    Genre.REPONSE_CONFIRMEE: _confirmee,
    Genre.REPONSE_ANNULEE: _annulee,
    Genre.REPONSE_SANS_EFFET: _sans_effet,
    Genre.RAPPEL: _rappel,
    Genre.BESOIN_RETIRE: _retire,
    Genre.MESSAGE_RECU: _message,
    Genre.CODE_TELEPHONE: _code_telephone,
    Genre.STOP_CONFIRME: _stop,
    Genre.PAUSE_CONFIRMEE: _pause,
    Genre.REPRISE_CONFIRMEE: _reprise,
    Genre.NON_CONFIRME: _non,
    Genre.AIDE_SMS: _aide,
    Genre.QUELLE_ANNONCE: _quelle_annonce,
}


def rediger_push(genre: Genre, donnees: Donnees) -> dict[str, str]:
    """{title, body, url}, the last one a path of the site. Raises SansTexte, or KeyError for what lacks."""
    if genre not in PUSH:
        raise SansTexte(genre.value)
    texte, chemin = PUSH[genre]
    valeurs = _Enonce(donnees)
    return {"title": objet(genre, donnees), "body": texte.format_map(valeurs), "url": chemin.format_map(valeurs)}


class _Enonce(dict[str, Any]):
    """What the sentences below name: the content, and what follows from it."""

    def __missing__(self, nom: str) -> str:
        match nom:
            case "notee":
                return rang(self["place"], self["quantite"], self["places"])
            case "attente":
                return au_rang(self["rang"])
            case "sans_effet":
                return raison_sans_effet(self["raison"], self["place"], self["places"], self["rang"])
            case "quand_ou":
                return quand_et_ou(self)
            case "maintenant":
                return quand_et_ou(self["apres"]) or "sans date"
            case _:
                raise KeyError(nom)


_MOTIFS = "Les raisons et ce que vous pouvez faire sont dans votre compte."
_ANNONCE = "/annonces/{annonce_id}"
_COMPTE = "/mon-compte"
PUSH: Mapping[Genre, tuple[str, str]] = {
    Genre.ALERTE: ("{pourquoi}", _ANNONCE),
    Genre.RESUME: ("Les plus proches de ce que vous avez demandé d’abord.", "/annonces"),
    Genre.ANNONCE_PUBLIEE: ("Les personnes qu’elle concerne sont prévenues.", "/annonces/{cible_id}"),
    Genre.ANNONCE_A_CORRIGER: (_MOTIFS, "/annonces/{cible_id}/modifier"),
    Genre.ANNONCE_REFUSEE: (_MOTIFS, _COMPTE),
    Genre.ANNONCE_RETIREE: (_MOTIFS, _COMPTE),
    Genre.CORRECTION_PUBLIEE: ("Le nouveau texte remplace l’ancien.", "/annonces/{cible_id}"),
    Genre.CORRECTION_A_CORRIGER: (_MOTIFS, "/annonces/{cible_id}/modifier"),
    Genre.CORRECTION_REFUSEE: (_MOTIFS, "/annonces/{cible_id}/modifier"),
    Genre.ASSOCIATION_VALIDEE: ("Vous pouvez déposer vos annonces.", "/annonces/nouvelle"),
    Genre.ASSOCIATION_A_CORRIGER: (_MOTIFS, "/associations/{cible_id}/modifier"),
    Genre.ASSOCIATION_REFUSEE: (_MOTIFS, _COMPTE),
    Genre.ASSOCIATION_RETIREE: (_MOTIFS, _COMPTE),
    Genre.REPONSE_RECUE: ("Lisez sa réponse et dites-lui si vous l’acceptez.", _COMPTE),
    Genre.REPONSE_NOTEE: ("Merci : {notee}.", _ANNONCE),
    Genre.REPONSE_EN_ATTENTE: ("C’est complet : vous êtes en liste d’attente{attente}.", _ANNONCE),
    Genre.REPONSE_PROMUE: ("Elle est à vous. Si vous ne pouvez plus, dites-le dans votre compte.", _ANNONCE),
    Genre.REPONSE_ACCEPTEE: ("Merci ! Tout est sur la page de l’annonce.", _ANNONCE),
    Genre.REPONSE_DECLINEE: ("Merci de l’avoir proposée : d’autres annonces en ont besoin.", "/annonces"),
    Genre.REPONSE_DECLINEE_MOT: ("L’auteur vous a laissé un mot.", _COMPTE),
    Genre.PLACE_LIBEREE: ("Ne vous déplacez pas.", _COMPTE),
    Genre.CIRCONSTANCES_CHANGEES: ("Maintenant\u00a0: {maintenant}. Dites si vous venez toujours.", _COMPTE),
    Genre.REPONSE_CONFIRMEE: ("On compte toujours sur vous. Merci\u00a0!", _ANNONCE),
    Genre.REPONSE_ANNULEE: ("Ce qui lui était réservé est de nouveau disponible.", _ANNONCE),
    Genre.REPONSE_SANS_EFFET: ("Raison : {sans_effet}.", "/annonces"),
    Genre.RAPPEL: ("{quand_ou}", _ANNONCE),
    Genre.BESOIN_RETIRE: ("Merci d’avoir proposé votre aide.", "/annonces"),
}
"""Genre → what the notification says below its title (the subject of the mail), and the page that it opens."""
