"""The form of the preferences ↔ what notifications keeps. Pure: what is wrong is for the service to say."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from contracts.commun import PARIS
from contracts.notifications import Canal
from gateway.pages.forms import Saisie, number

CADENCES = {
    "immediat": "Dès qu’une annonce correspond",
    "quotidien": "Un résumé par jour",
    "hebdomadaire": "Un résumé par semaine",
}
BUDGETS = (0, 1, 2, 3, 5, 7, 10)
HEURES = range(8, 21)
"""The law leaves SMS the hours from 8 to 20, Monday to Saturday; notifications enforces it."""


def jour(moment: str) -> str:
    """The day of a moment in Paris, as a date field wants it."""
    return dt.datetime.fromisoformat(moment).astimezone(PARIS).date().isoformat()


def pause(texte: str, stored: str | None) -> str | None:
    """The moment until which nothing is sent, from the day on which alerts begin again; None for no pause.

    The day that is stored already keeps its hour: an SMS « PAUSE 30 » is not shortened by another change.
    """
    if not texte:
        return None
    if stored is not None and jour(stored) == texte:
        return stored
    try:
        day = dt.date.fromisoformat(texte)
    except ValueError:
        return texte
    return dt.datetime.combine(day, dt.time(), PARIS).isoformat()


def canaux(saisie: Saisie) -> dict[str, bool]:
    """What the boxes say. A channel without a box (no number yet, no browser yet) is left out: nobody has decided."""
    shown = saisie.tous("cases")
    return {canal.value: saisie.coche(f"canal-{canal.value}") for canal in Canal if canal.value in shown}


def version(saisie: Saisie) -> str:
    """The version that the form was made from, as an If-Match; one that never was, for what is none."""
    text = saisie.un("version")
    return f'"{text}"' if text.isascii() and text.isdigit() and len(text) < 10 else '"999999999"'


def preferences(saisie: Saisie, stored: Mapping[str, Any], profils: Iterable[str]) -> dict[str, Any]:
    """The body of PUT /v1/mes/preferences; what is not in it stays as it is. Of channels the consents tell."""
    shown = {f"cadence-{profil_id}": profil_id for profil_id in profils}
    return {
        "pause_jusqua": pause(saisie.un("pause_jusqua"), stored.get("pause_jusqua")),
        "budget_semaine": number(saisie.un("budget_semaine")) if saisie.un("budget_semaine") else None,
        "heures": {name: number(saisie.un(f"heures_{name}")) for name in ("debut", "fin")},
        "cadences": {
            **stored.get("cadences", {}),
            **{profil_id: saisie.un(name) for name, profil_id in shown.items() if saisie.un(name)},
        },
    }


def saisie_de(stored: Mapping[str, Any], actifs: Collection[str], *, en_pause: bool, numero: str = "") -> Saisie:
    """Stored preferences as their form shows them. `actifs`: the channels that are on and agreed to."""
    heures, budget = stored.get("heures", {}), stored.get("budget_semaine")
    values = {
        "version": [str(stored["version"])],
        "pause_jusqua": [jour(stored["pause_jusqua"])] if en_pause else [],
        "budget_semaine": [] if budget is None else [str(budget)],
        "heures_debut": [str(_permise(heures.get("debut", HEURES[0])))],
        "heures_fin": [str(_permise(heures.get("fin", HEURES[-1])))],
        "numero": [numero],
        **{f"canal-{canal}": ["oui"] for canal in actifs},
        **{f"cadence-{profil_id}": [str(cadence)] for profil_id, cadence in stored.get("cadences", {}).items()},
    }
    return Saisie(values)


def _permise(heure: int) -> int:
    """The nearest hour that the form offers: where SMS leave at any hour (exercises), more are stored."""
    return min(max(heure, HEURES[0]), HEURES[-1])
