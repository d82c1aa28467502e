"""French labels, dates in Paris time, and texts with highlighted hints, for the pages. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from babel.dates import format_datetime, format_timedelta
from markupsafe import Markup, escape

from contracts import references
from contracts.commun import PARIS
from services.moderation.domain import COMPTE_EFFACE
from services.moderation.hints import Champ, Indice

ETATS: Mapping[str, str] = {
    "a_traiter": "à traiter",
    "pris": "en cours",
    "a_revoir": "à revoir",
    "decide": "décidé",
    "caduc": "sans objet",
}
ISSUES: Mapping[str, str] = {
    "approuvee": "approuvée",
    "a_corriger": "à corriger",
    "refusee": "refusée",
    "retiree": "retirée",
}
CHOIX: Mapping[str, tuple[str, str]] = {
    "approuvee": ("Approuver", "L’annonce est publiée, les personnes concernées sont alertées."),
    "a_corriger": ("Demander une correction", "L’auteur lit vos motifs, corrige et dépose à nouveau."),
    "refusee": ("Refuser", "La décision est définitive ; l’auteur en lit les motifs."),
    "retiree": ("Retirer", "L’annonce n’est plus visible ; l’auteur en lit les motifs."),
}
CHOIX_CORRECTION: Mapping[str, tuple[str, str]] = {
    "approuvee": ("Approuver", "Le nouveau texte remplace celui qui est en ligne."),
    "a_corriger": ("Demander une correction", "L’annonce reste en ligne telle quelle\u00a0; l’auteur lit vos motifs."),
    "refusee": ("Refuser", "L’annonce reste en ligne telle quelle\u00a0; l’auteur lit pourquoi."),
}
CHOIX_ASSOCIATION: Mapping[str, tuple[str, str]] = {
    "approuvee": ("Valider l’association", "Elle peut déposer des annonces."),
    "a_corriger": ("Demander une correction", "Ses membres lisent vos motifs, corrigent et soumettent à nouveau."),
    "refusee": ("Refuser", "Elle ne peut pas publier\u00a0; ses membres lisent vos motifs."),
}
CHOIX_REVUE: Mapping[str, tuple[str, str]] = {
    "approuvee": ("Laisser en ligne", "L’annonce a été publiée d’office ; vous confirmez qu’elle convient."),
    "retiree": CHOIX["retiree"],
}
_CIBLES = {"annonce": "annonce", "association": "association"}
_AUTEURS = {"association": "association", "personne_morale": "entreprise ou institution", "particulier": "particulier"}


def date(at: dt.datetime | str | None) -> str:
    """ "2 mars 2026 à 13 h 05", in Paris."""
    if at is None:
        return ""
    instant = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
    try:
        return format_datetime(instant, "d MMMM y 'à' H\u00a0'h'\u00a0mm", tzinfo=PARIS, locale="fr")
    except OverflowError:
        # Near the limits of the calendar a conversion may overflow. Show the raw value: a page that fails would block
        # the decision.
        return instant.isoformat()


def heure(at: dt.datetime) -> str:
    return format_datetime(at, "H\u00a0'h'\u00a0mm", tzinfo=PARIS, locale="fr")


def duree(delta: dt.timedelta) -> str:
    """ "9 minutes", "3 heures"."""
    return format_timedelta(delta, locale="fr", threshold=1.2)


def compte(compte_id: str, vous: str = "") -> str:
    """An account as moderators see it, without address."""
    if not compte_id:
        return "automatique"
    if compte_id == vous:
        return "vous"
    return "compte effacé" if compte_id == COMPTE_EFFACE else f"compte {compte_id[:8]}"


def auteur(valeur: Mapping[str, Any]) -> str:
    """The public name, or the type of author."""
    return valeur.get("nom") or _AUTEURS.get(str(valeur["type"]), "")


def surligner(texte: str, indices: Sequence[Indice], champ: Champ) -> Markup:
    """The text with its hints in <mark>, each with a name for people who do not see the colour."""
    morceaux: list[str | Markup] = []
    lu = 0
    for indice in indices:
        entier = indice.debut == 0 and indice.fin == len(texte)
        if indice.champ != champ or entier or indice.debut < lu:
            continue
        morceaux += [
            escape(texte[lu : indice.debut]),
            Markup('<mark>{}<span class="hors-vue"> (indice\u00a0: {})</span></mark>').format(
                texte[indice.debut : indice.fin], indice.libelle
            ),
        ]
        lu = indice.fin
    morceaux.append(escape(texte[lu:]))
    return Markup("").join(morceaux)


_NATURES = {"benevolat": "bénévolat", "competence": "compétence", "materiel": "matériel", "logistique": "logistique"}
_SENS = {"besoin": "besoin", "offre": "offre"}
_CESSIONS = {"don": "don", "pret": "prêt"}


def lignes(contenu: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The other fields of the dossier as (label, value); empty ones are omitted."""
    lieu = contenu.get("lieu") or {}
    jours = " – ".join(_jour(contenu[cle]) for cle in ("date_debut", "date_fin") if contenu.get(cle))
    oui = {True: "oui", False: "", None: ""}
    toutes = [
        ("Sens", _SENS.get(contenu.get("sens", ""), "")),
        ("Nature", _NATURES.get(contenu.get("nature", ""), "")),
        ("Catégories", _libelles("categories", contenu)),
        ("Domaines", _libelles("domaines", contenu)),
        ("Publics aidés", _libelles("publics", contenu)),
        ("Don ou prêt", _CESSIONS.get(contenu.get("cession") or "", "")),
        ("Nombre", str(contenu["places"]) if "places" in contenu else ""),
        ("Dates", jours),
        ("Créneaux", _libelles("creneaux", contenu)),
        ("Quartier", _libelle("quartiers", lieu["quartier"]) if lieu.get("quartier") else ""),
        ("À distance", oui[contenu.get("a_distance")]),
        ("Ouverte aux mineurs", oui[contenu.get("ouvert_aux_mineurs")]),
        ("Accessible PMR", oui[contenu.get("accessible_pmr")]),
        ("Certifications", _libelles("certifications", contenu)),
        ("Numéro RNA", contenu.get("rna") or ""),
        ("Numéro SIREN", contenu.get("siren") or ""),
        ("Contrat d’engagement signé", date((contenu.get("engagement") or {}).get("signe_at"))),
        ("Fin de parution", date(contenu.get("expire_at"))),
    ]
    return [(nom, valeur) for nom, valeur in toutes if valeur]


def _libelle(liste: references.Liste | Literal["categories"], code: str) -> str:
    """The label, or the code itself when a newer writer uses a code that this process does not know."""
    try:
        return references.libelle(liste, code)
    except references.CodeInconnu:
        return code


def _libelles(liste: references.Liste | Literal["categories"], contenu: Mapping[str, Any]) -> str:
    return ", ".join(_libelle(liste, code) for code in contenu.get(liste) or [])


def _jour(iso: str) -> str:
    return dt.date.fromisoformat(iso).strftime("%d/%m/%Y")


def motif(code: str) -> str:
    """The label of a reason."""
    return _libelle("motifs", code)


def engagement(numero: int) -> str:
    """ "4. Égalité et non-discrimination"."""
    return next(f"{e.numero}. {e.libelle}" for e in references.engagements().values() if e.numero == numero)


FILTRES: Mapping[str, Any] = {
    "date": date,
    "heure": heure,
    "duree": duree,
    "auteur": auteur,
    "etat": lambda code: ETATS[str(code)],
    "issue": lambda code: ISSUES[str(code)],
    "cible": lambda code: _CIBLES[str(code)],
    "motif": motif,
    "engagement": engagement,
}
