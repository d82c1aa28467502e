"""A message as words, without what it quotes; numbers, hours, dates, codes and emoji are words of their own. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from services.notifications.comprehension.codes import lire_reference
from services.notifications.comprehension.phrases import ecraser

INCONNU = "#inconnu"
"""Stands for a character that is neither a letter nor known: an emoji that nobody thought of, "+", "/"."""

_LIGNE_CITEE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_SUITE_CITEE = re.compile(
    r"^[^\n]*(?:a écrit ?:|wrote:)[ \t]*$|^-{2,} ?(?:message|original).*$|^-- ?$"
    r"|^Envoyé (?:de|depuis|à partir de) mon (?:iphone|ipad|mobile|smartphone|téléphone|appareil mobile)[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
# Our own instructions, as a telephone quotes them. Other quotation marks hide nothing: « je viens » « peut-être ».
_CONSIGNE_CITEE = re.compile(
    r"«[^»]*\br[ée]pondez\b[^»]*»|“[^”]*\br[ée]pondez\b[^”]*”|\"[^\"]*\br[ée]pondez\b[^\"]*\"", re.IGNORECASE
)
_CONSIGNE = re.compile(r"\brepondez oui\b.{0,12}\bnon\b.{0,12}\bou stop\b")

_INVISIBLES = re.compile("[\u200b-\u200f\u2060\u2640\u2642\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
_EMOTICONES = (
    (re.compile(r"[:;=]['’]?-?[)\]dp](?![a-z])|\^\^|<3"), " 🙂 "),
    (re.compile(r"[:;=]['’]?-?[(/|\\](?![a-z])"), " 😢 "),
)
_EMOJI = {
    "#haut": "👍✅👌✔☑🙋",
    "#bas": "👎❌🚫",
    "#sourire": "🙂😊😀😃😄😁☺😉🤗❤🧡💛💚💙💜🖤🤍💪🎉👏🌞☀🌈🥰😍😘🤝🙌🌹🌸💐✨⭐🌟😇👋",
    "#merci": "🙏",
    "#triste": "😢😞😔😭🙁☹😥😕😟😩😓",
}
_CLE_EMOJI = {signe: cle for cle, signes in _EMOJI.items() for signe in signes}

_MOIS = "janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre"
_JETONS = re.compile(
    r"(?P<tel>(?<![\w+])(?:\+[0-9]{2,3}|00[0-9]{2,3}|0)[ .-]?(?:\(0\))?[0-9](?:[ .-]?[0-9]{2}){4}(?!\w))"
    r"|(?P<heure>(?<!\w)(?:[01]?[0-9]|2[0-4]) ?(?:(?:h|heures?)(?: ?[0-5][0-9])?|:[0-5][0-9])(?!\w))"
    rf"|(?P<date>(?<!\w)(?:[0-3]?[0-9](?:er)? (?:{_MOIS})|[0-3]?[0-9]/[01][0-9](?:/[0-9]{{2,4}})?)(?![\w/]))"
    r"|(?P<mot>[^\W_]+)"
    r"|(?P<coupure>[.,;:!?…()\n،؟]+)"
    r"|(?P<blanc>[\s'’ʼ`´\"«»“”_*\\-]+)"
    r"|(?P<autre>.)",
    re.DOTALL,
)
_COLLE = re.compile(r"(x|[^\W\d_]{2,})(\d{1,3})|(\d{1,3})(p|x|[^\W\d_]{2,})")
_EN_LETTRES = {
    "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "neuf": 9, "dix": 10, "onze": 11,
    "douze": 12, "quinze": 15, "vingt": 20,
}  # fmt: skip


@dataclass(frozen=True)
class Mot:
    """`texte`: as it was written, without accents and case; `cle`: the word of the vocabulary that it is."""

    texte: str
    cle: str


@dataclass(frozen=True)
class Message:
    """`clauses`: the words between two marks of punctuation. `question`: it has a question mark; `suspension`: it
    leaves something open ("…")."""

    clauses: tuple[tuple[Mot, ...], ...]
    question: bool
    suspension: bool

    @property
    def mots(self) -> tuple[Mot, ...]:
        return tuple(mot for clause in self.clauses for mot in clause)


def decouper(texte: str, abreges: Mapping[str, str]) -> Message:
    """`abreges`: words of SMS language, and how they are written out ("jvi1": "je viens")."""
    plat = _aplatir(_sans_citation(texte))
    clauses: list[list[Mot]] = [[]]
    question = suspension = False
    for jeton in _JETONS.finditer(plat):
        sorte, dit = jeton.lastgroup, jeton[0]
        if sorte == "coupure":
            clauses.append([])
            question = question or "?" in dit or "؟" in dit
            suspension = suspension or ".." in dit
        elif sorte == "mot":
            clauses[-1] += [_mot(partie) for partie in _ecrire_en_entier(dit, abreges)]
        elif sorte == "heure":
            clauses[-1].append(Mot(dit, "#heure" if int(re.split(r"\D", dit)[0]) >= 7 else "#heures"))
        elif sorte != "blanc":
            clauses[-1].append(Mot(dit, f"#{sorte}" if sorte != "autre" else _CLE_EMOJI.get(dit, INCONNU)))
    return Message(tuple(tuple(clause) for clause in clauses if clause), question, suspension)


def _sans_citation(texte: str) -> str:
    debut = _SUITE_CITEE.search(texte)
    sans_suite = _LIGNE_CITEE.sub("", texte[: debut.start()] if debut else texte)
    return _CONSIGNE_CITEE.sub(" ", sans_suite)


def _aplatir(texte: str) -> str:
    decompose = unicodedata.normalize("NFKD", texte.casefold())
    plat = "".join(signe for signe in decompose if not unicodedata.combining(signe)).casefold()
    plat = _INVISIBLES.sub("", plat)
    for forme, emoji in _EMOTICONES:
        plat = forme.sub(emoji, plat)
    plat = re.sub(r"\bs[.\s-]?t[.\s-]?o[.\s-]?p\b", "stop", plat)
    plat = re.sub(r"\bo\.k\b", "ok", plat)
    plat = re.sub(r"\bd['’ʼ`´ ]?accord\b", "daccord", plat)
    return _CONSIGNE.sub(f" {INCONNU} ", plat)


def _ecrire_en_entier(mot: str, abreges: Mapping[str, str]) -> list[str]:
    """ "oui3" is two words, and so is "2pers"; a code is one."""
    colle = None if mot in abreges or lire_reference(mot) else _COLLE.fullmatch(mot)
    parties = [partie for partie in colle.groups() if partie] if colle else [mot]
    return [entier for partie in parties for entier in abreges.get(partie, partie).split()]


def _mot(texte: str) -> Mot:
    if lire_reference(texte):
        return Mot(texte, "#code")
    texte = str(_EN_LETTRES.get(texte, texte))
    if texte.isdecimal():
        return Mot(texte, INCONNU if len(texte) > 3 else "#nn" if 10 <= int(texte) <= 31 else "#n")
    return Mot(texte, ecraser(texte))
