"""Forms of pages and the JSON bodies that the services expect. Pure: what is wrong is for the services to say."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

_LISTES_D_ALERTE = ("natures", "domaines", "categories", "creneaux", "certifications")
_OUI_D_ALERTE = ("a_distance", "mineur", "pmr")
FILTRES = ("q", "sens", "nature", "categorie", "domaine", "quartier", "urgent", "tri")


PRIVES = ("lieu_prive", "a_apporter")
"""Fields of an ad that only accepted people read."""


class Saisie:
    """What somebody typed, by field; shown again when it is refused."""

    def __init__(self, values: Mapping[str, Sequence[str]] | None = None) -> None:
        self._values = {name: list(found) for name, found in (values or {}).items()}

    @classmethod
    def of(cls, items: Iterable[tuple[str, Any]]) -> "Saisie":
        """From the pairs of a form; files, which no form of ours has, are left out."""
        values: dict[str, list[str]] = {}
        for name, value in items:
            if isinstance(value, str):
                values.setdefault(name, []).append(value)
        return cls(values)

    def avec(self, **values: str) -> "Saisie":
        """The same with these fields as well."""
        return Saisie({**self._values, **{name: [value] for name, value in values.items()}})

    def un(self, name: str, default: str = "") -> str:
        """One value, trimmed."""
        found = self._values.get(name)
        return found[0].strip() if found else default

    def tous(self, name: str) -> list[str]:
        return [value for value in self._values.get(name, []) if value]

    def coche(self, name: str) -> bool:
        return bool(self._values.get(name))


def number(text: str) -> int | float | str:
    """ "12" → 12, "2,5" → 2.5; what is no number stays text, so that the service says what it expects."""
    compact = text.replace("\N{NO-BREAK SPACE}", "").replace(" ", "").replace(",", ".")
    try:
        return int(compact)
    except ValueError:
        pass
    try:
        return float(compact)
    except ValueError:
        return text


def _chosen(saisie: Saisie, *names: str) -> dict[str, Any]:
    """The single fields that were filled in."""
    return {name: saisie.un(name) for name in names if saisie.un(name)}


def annonce(saisie: Saisie) -> dict[str, Any]:
    """The body of an annonce, without its author."""
    return {
        **_chosen(saisie, "sens", "nature", "cession", "date_debut", "date_fin", "quartier"),
        "titre": saisie.un("titre"),
        "description": saisie.un("description"),
        "places": number(saisie.un("places", "1")),
        **{name: saisie.tous(name) for name in ("domaines", "categories", "publics", "creneaux", "certifications")},
        **{name: saisie.coche(name) for name in ("a_distance", "accessible_pmr", "ouvert_aux_mineurs", "urgent")},
        **{name: saisie.un(name) for name in PRIVES},
    }


def auteur(saisie: Saisie) -> dict[str, Any]:
    """ "association:<id>", "personne_morale" (with its name) or "particulier"."""
    kind, _, association_id = saisie.un("auteur").partition(":")
    found: dict[str, Any] = {"type": kind}
    if association_id:
        found["association_id"] = association_id
    if kind == "personne_morale":
        found |= {name: saisie.un(f"auteur_{name}") for name in ("nom", "siren") if saisie.un(f"auteur_{name}")}
    return found


def annonce_saisie(stored: Mapping[str, Any], rendez_vous: Mapping[str, Any]) -> Saisie:
    """A stored annonce as its form shows it; `rendez_vous` has its private fields."""
    values = {name: [str(rendez_vous[name])] for name in PRIVES if rendez_vous.get(name)}
    for name in ("sens", "nature", "titre", "description", "cession", "date_debut", "date_fin", "places"):
        if stored.get(name) is not None:
            values[name] = [str(stored[name])]
    for name in ("domaines", "categories", "publics", "creneaux", "certifications"):
        values[name] = [str(code) for code in stored.get(name, [])]
    for name in ("a_distance", "accessible_pmr", "ouvert_aux_mineurs", "urgent"):
        if stored.get(name):
            values[name] = ["oui"]
    quartier = (stored.get("lieu") or {}).get("quartier")
    values["quartier"] = [quartier] if quartier else []
    return Saisie(values)


def annonce_refaite(stored: Mapping[str, Any], rendez_vous: Mapping[str, Any], key: str) -> Saisie:
    """The form of a new annonce with what a stored one says, except its days, which are over. `key`: sent with it."""
    saisie = annonce_saisie({**stored, "date_debut": None, "date_fin": None}, rendez_vous)
    auteur = stored["auteur"]
    qui = f"association:{auteur['association_id']}" if auteur.get("association_id") else str(auteur["type"])
    return saisie.avec(auteur=qui, auteur_nom=str(auteur.get("nom") or ""), cle=key)


def association(saisie: Saisie, version_engagement: str) -> dict[str, Any]:
    """The body of a sign-up; the checkbox is the signature of the contrat d'engagement républicain."""
    return {
        **association_modifiee(saisie),
        "engagement": {
            "version": saisie.un("engagement_version", version_engagement),
            "accepte": saisie.coche("engagement"),
        },
    }


def association_modifiee(saisie: Saisie) -> dict[str, Any]:
    return {
        **_chosen(saisie, "quartier"),
        **{name: saisie.un(name).replace(" ", "").upper() for name in ("rna", "siren") if saisie.un(name)},
        "nom": saisie.un("nom"),
        "description": saisie.un("description"),
        "domaines": saisie.tous("domaines"),
    }


def association_saisie(stored: Mapping[str, Any]) -> Saisie:
    """A stored association as its form shows it."""
    values = {n: [str(stored[n])] for n in ("nom", "description", "rna", "siren") if stored.get(n)}
    values["domaines"] = [str(code) for code in stored.get("domaines", [])]
    quartier = (stored.get("lieu") or {}).get("quartier")
    values["quartier"] = [quartier] if quartier else []
    return Saisie(values)


def profil(saisie: Saisie) -> dict[str, Any]:
    """The body of an alert."""
    return {
        **_chosen(saisie, "sens", "quartier"),
        **{name: saisie.tous(name) for name in _LISTES_D_ALERTE},
        "rayon_km": number(saisie.un("rayon_km", "5")),
        **{name: saisie.coche(name) for name in _OUI_D_ALERTE},
    }


def profil_saisi(stored: Mapping[str, Any]) -> Saisie:
    """A stored alert as its form shows it."""
    values = {name: [str(code) for code in stored.get(name, [])] for name in _LISTES_D_ALERTE}
    values |= {name: ["oui"] for name in _OUI_D_ALERTE if stored.get(name)}
    quartier = (stored.get("lieu") or {}).get("quartier")
    values |= {"sens": [str(stored["sens"])], "rayon_km": [f"{stored['rayon_km']:g}"]}
    return Saisie({**values, "quartier": [quartier] if quartier else [], "version": [str(stored["version"])]})


def profil_de_recherche(chosen: Mapping[str, str]) -> Saisie:
    """A new alert, filled in by the filters of a search as far as an alert can say them: it has no words."""
    par_champ = {"natures": "nature", "domaines": "domaine", "categories": "categorie", "quartier": "quartier"}
    values = {champ: [chosen[filtre]] for champ, filtre in par_champ.items() if filtre in chosen}
    return Saisie({"sens": [chosen.get("sens", "besoin")], "rayon_km": ["5"], "a_distance": ["oui"], **values})


def reponse(saisie: Saisie) -> dict[str, Any]:
    """The body of an answer; on the waiting list only when its form said so."""
    body = {"message": saisie.un("message"), "quantite": number(saisie.un("quantite", "1"))}
    body |= _chosen(saisie, "prenom")
    return {**body, "liste_attente": True} if saisie.coche("liste_attente") else body


def message(saisie: Saisie) -> dict[str, Any]:
    """The body of a message in a conversation."""
    return {"texte": saisie.un("texte"), **_chosen(saisie, "prenom")}


def reponse_par_lien(saisie: Saisie) -> dict[str, Any]:
    """The button that was pressed, and how many; what stands in the field does not matter to who declines."""
    intention = saisie.un("intention")
    return {"intention": intention, "quantite": 1 if intention == "refuser" else number(saisie.un("quantite", "1"))}


def filtres(params: Mapping[str, str]) -> dict[str, str]:
    """The filters of the list that were chosen; what the page does not know is left out."""
    return {name: params[name].strip() for name in FILTRES if params.get(name, "").strip()}


def recherche(chosen: Mapping[str, str], page: int = 1, taille: int = 20) -> str:
    """The query of GET /v1/annonces, in one order only, so that equal searches are one entry of the cache."""
    pairs = [(name, chosen[name]) for name in FILTRES if name in chosen]
    return urlencode([*pairs, ("page", str(page)), ("taille", str(taille))])


def page_number(text: str) -> int:
    """A page from a URL; what makes no sense is the first."""
    return min(max(int(text), 1), 10_000) if text.isascii() and text.isdigit() else 1


def errors_by_field(errors: Sequence[Mapping[str, str]], fields: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """({field of the form: message}, messages of no field). "domaines.0" goes to "domaines", "auteur.nom" to
    "auteur_nom" where the form has it."""
    known = set(fields)
    placed: dict[str, str] = {}
    general: list[str] = []
    for error in errors:
        path, message = str(error.get("champ", "")), str(error.get("message", ""))
        candidates = (path.replace(".", "_"), path.partition(".")[0])
        field = next((name for name in candidates if name in known), None)
        if field is None:
            general.append(message)
        else:
            placed.setdefault(field, message)
    return placed, general
