"""PAUSE, REPRENDRE and AIDE: each is the whole of its message. Pure."""

import re

from services.notifications.comprehension.commands import (
    JOURS_PAUSE_MAX,
    Aide,
    Commande,
    Incompris,
    Pause,
    Reprise,
)
from services.notifications.comprehension.text import Message


def _mots(texte: str) -> frozenset[str]:
    return frozenset(texte.split())


_POLITESSES = _mots("bonjour bonsoir salut coucou hello merci svp stp s il te vous plait madame monsieur sms")
_AIDE = re.compile(r"aide[rz]?|help|infos?|menu|commandes?")
_AUTOUR_D_AIDE = _POLITESSES | _mots("j je ai besoin d de moi m comment ca marche")
_REPRISE = re.compile(r"repren(?:dre|ds|ez|d)|reprise|start|reactive[rz]?|recommence[rz]?")
_AUTOUR_DE_REPRISE = _POLITESSES | _mots("les l envoi envois alertes messages je veux")
_PAUSE = re.compile(
    r"(?:(?:je )?(?:mettre |mettez |mets |veux |faire )(?:moi )?(?:en |une )?)?pause"
    r"(?: (?:de |d |pendant |pour )?(?:(\d+|une?) ?(j|jours?|semaines?|mois)?))?"
)


def reglage(message: Message) -> Commande | None:
    """What the message sets; None when it is about something else."""
    mots = [mot.texte for mot in message.mots]
    if not mots:
        return Aide() if message.question else None
    texte = " ".join(mot for mot in mots if mot not in _POLITESSES)
    pause = _PAUSE.fullmatch(texte)
    if pause:
        return _pause(pause[1], pause[2])
    if _rien_que(_REPRISE, mots, _AUTOUR_DE_REPRISE):
        return Reprise()
    if _rien_que(_AIDE, mots, _AUTOUR_D_AIDE) or texte == "comment ca marche":
        return Aide()
    return None


def _pause(nombre: str | None, unite: str | None) -> Commande:
    if nombre is None:
        return Pause()
    en_lettres = nombre.startswith("un")
    if len(nombre) > 3 or (en_lettres and unite is None):
        return Incompris()
    facteur = {"s": 7, "m": 30}.get((unite or "j")[0], 1)
    jours = facteur * (1 if en_lettres else int(nombre))
    return Pause(jours) if 1 <= jours <= JOURS_PAUSE_MAX else Incompris()


def _rien_que(forme: re.Pattern[str], mots: list[str], autour: frozenset[str]) -> bool:
    dits = [mot for mot in mots if forme.fullmatch(mot)]
    return bool(dits) and all(mot in autour for mot in mots if mot not in dits)
