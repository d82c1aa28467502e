"""What somebody means who answers by SMS, and the codes by which alerts are told apart. Pure; never raises.

The order of the rules: STOP, then an answer (OUI, NON), then PAUSE, REPRENDRE, AIDE. Whoever reads this reserves places
and cancels them, so an answer counts only where it is said plainly: at the beginning of a clause, after at most a few
words that say nothing ("bonjour", "pour moi c’est", a code). Whatever says both, doubts, asks, or names a number whose
meaning is not plain is `Incompris`: asking again costs one SMS, a wrong reservation costs an association its helper.

STOP is the other way round: at the beginning of a text it wins whatever follows, since writing on to somebody who said
STOP is the worse error. Elsewhere it needs a clause of its own ("Bonjour, STOP svp") or a sentence that says it ("je ne
veux plus recevoir de SMS"): « je ne peux pas m’arrêter samedi » is none.

Codes: a letter of LETTRES, a digit 2-9, then at most two of SUITE ("K7", "K72", "K7AF"). A digit always comes second,
so that no French word is a code; letters that stand for roads, buses, papers, flats or hours (A25, L5, A4, T3, 14 H30)
begin none. SUITE has no O, I, L, S, B, Z, U: whoever writes one of them meant 0, 1, 1, 5, 8, 2, V. Case does not count.
"""

import re
import unicodedata
from dataclasses import dataclass

from services.notifications.reponses_sms import vocabulary as vocabulaire

QUANTITE_MAX = 100
JOURS_PAUSE = 30
JOURS_PAUSE_MAX = 366
LONGUEUR_MAX = 2000
"""Ten SMS have 1,530 characters. Of a longer text only a STOP is read: its end might say the contrary."""

LETTRES = "FGJKPQRVWY"
CHIFFRES = "23456789"
SUITE = "0123456789ACDEFGHJKMNPQRTVWXY"
SOSIES = str.maketrans("OILSBZU", "011582V")
CODES = len(LETTRES) * len(CHIFFRES) * (1 + len(SUITE) + len(SUITE) ** 2)


@dataclass(frozen=True)
class Oui:
    """`quantite`: people or objects, 1 to QUANTITE_MAX; `reference`: the code of the alert, if one was named."""

    quantite: int = 1
    reference: str | None = None


@dataclass(frozen=True)
class Non:
    reference: str | None = None


@dataclass(frozen=True)
class Stop:
    pass


@dataclass(frozen=True)
class Aide:
    pass


@dataclass(frozen=True)
class Pause:
    """For so many days, 1 to JOURS_PAUSE_MAX."""

    jours: int = JOURS_PAUSE


@dataclass(frozen=True)
class Reprise:
    pass


@dataclass(frozen=True)
class Incompris:
    pass


Commande = Oui | Non | Stop | Aide | Pause | Reprise | Incompris

_CODE = re.compile(f"[{LETTRES}][{CHIFFRES}][0-9A-Z]{{0,2}}")


@dataclass(frozen=True)
class _Clause:
    """What stands between two marks of punctuation. `question`: it ends with a question mark."""

    mots: tuple[str, ...]
    question: bool

    @property
    def texte(self) -> str:
        return " ".join(self.mots)


def reference_code(n: int) -> str:
    """The code of the n-th annonce, shortest first. After CODES of them they come again: a code is looked for among the
    latest alerts of a person. Raises ValueError below 0."""
    if n < 0:
        raise ValueError("codes are counted from 0")
    n %= CODES
    longueur, debuts = 0, len(LETTRES) * len(CHIFFRES)
    while n >= debuts * len(SUITE) ** longueur:
        n -= debuts * len(SUITE) ** longueur
        longueur += 1
    # The first letter changes first: neighbours in time differ in what is seen most easily.
    n, lettre = divmod(n, len(LETTRES))
    n, chiffre = divmod(n, len(CHIFFRES))
    code = LETTRES[lettre] + CHIFFRES[chiffre]
    for _ in range(longueur):
        n, signe = divmod(n, len(SUITE))
        code += SUITE[signe]
    return code


def lire_reference(mot: str) -> str | None:
    """The code that a word is, as `reference_code` writes it; None when it is none."""
    code = mot.strip().upper()
    if not _CODE.fullmatch(code):
        return None
    code = code[:2] + code[2:].translate(SOSIES)
    return code if all(signe in SUITE for signe in code[2:]) else None


def lire(texte: str) -> Commande:
    """What the text asks for; Incompris for everything that is not plain."""
    cite = _sans_suite_citee(texte[:LONGUEUR_MAX])
    propre = vocabulaire.CITATION.sub(" ", cite)
    clauses = _clauses(propre)
    if not clauses and sum(len(clause.mots) for clause in _clauses(cite)) <= 3:
        # « STOP » in quotation marks is meant; a whole message between them is what somebody else said.
        propre, clauses = cite, _clauses(cite)
    if clauses and _dit_stop(clauses):
        return Stop()
    if len(texte) > LONGUEUR_MAX:
        return Incompris()
    if not clauses:
        return _sans_mots(propre)
    return _reponse(clauses, propre) or _reglage(clauses) or Incompris()


def _sans_suite_citee(texte: str) -> str:
    debut = vocabulaire.SUITE_CITEE.search(texte)
    return vocabulaire.LIGNE_CITEE.sub("", texte[: debut.start()] if debut else texte)


def _clauses(texte: str) -> list[_Clause]:
    """The words without accents, in lower case, clause by clause."""
    morceaux = [*vocabulaire.CLAUSES.split(_aplatir(texte)), ""]
    clauses = []
    for dits, fin in zip(morceaux[::2], morceaux[1::2], strict=True):
        mots = tuple(mot for brut in vocabulaire.MOT.findall(dits) for mot in _decoller(brut))
        if mots:
            clauses.append(_Clause(mots, "?" in fin or "؟" in fin))
    return clauses


def _aplatir(texte: str) -> str:
    decompose = unicodedata.normalize("NFKD", texte.casefold())
    plat = "".join(signe for signe in decompose if not unicodedata.combining(signe)).casefold()
    plat = re.sub(r"['’ʼ`´]", " ", plat)
    plat = re.sub(r"\bs[.\s-]?t[.\s-]?o[.\s-]?p\b", "stop", plat)
    plat = re.sub(r"\bo\.k\b", "ok", plat)
    plat = re.sub(r"\bd ?accord\b", "daccord", plat)
    if re.search(r"\bpause\b", plat):
        # There a number of days is what is asked for.
        return plat
    return vocabulaire.AUTRES_NOMBRES.sub(" chose ", plat)


def _decoller(mot: str) -> tuple[str, ...]:
    """ "oui3" is two words, and so is "2pers"; a code is one. Numbers in letters become digits."""
    colle = None if lire_reference(mot) else vocabulaire.COLLE.fullmatch(mot)
    if colle is None:
        return (str(vocabulaire.EN_LETTRES.get(mot, mot)),)
    return tuple(partie for partie in colle.groups() if partie)


def _dit_stop(clauses: list[_Clause]) -> bool:
    premiere = clauses[0]
    if _est_arret(premiere.mots[0]) and not vocabulaire.ARRET_DE.match(premiere.texte):
        return True
    for clause in clauses:
        nie = bool(vocabulaire.NEGATIONS & set(clause.mots))
        if vocabulaire.OPPOSITION.search(clause.texte) or (not nie and _dit(vocabulaire.DESABONNER, clause)):
            return True
    # Whoever says yes in the same text, or copies the instructions ("OUI NON STOP"), has not plainly said STOP.
    oui = any(_dit(vocabulaire.OUI, clause) for clause in clauses)
    return not oui and any(_rien_que_stop(clause) for clause in clauses)


def _dit(forme: re.Pattern[str], clause: _Clause) -> bool:
    return any(forme.fullmatch(mot) for mot in clause.mots)


def _est_arret(mot: str) -> bool:
    return bool(vocabulaire.STOP.fullmatch(mot) or vocabulaire.DESABONNER.fullmatch(mot))


def _rien_que_stop(clause: _Clause) -> bool:
    autres = [mot for mot in clause.mots if not _est_arret(mot)]
    return len(autres) < len(clause.mots) and all(
        mot in vocabulaire.AUTOUR_DE_STOP or vocabulaire.NON.fullmatch(mot) or lire_reference(mot) for mot in autres
    )


def _sans_mots(texte: str) -> Commande:
    """Emoji, punctuation, or nothing at all."""
    oui, non = _montre(vocabulaire.POUCE_HAUT, texte), _montre(vocabulaire.POUCE_BAS, texte)
    if "?" in texte:
        return Incompris() if oui or non else Aide()
    if oui == non:
        return Incompris()
    return Oui() if oui else Non()


def _montre(emoji: str, texte: str) -> bool:
    return any(signe in texte for signe in emoji)


def _reponse(clauses: list[_Clause], texte: str) -> Commande | None:
    """OUI or NON; Incompris when a text says something of both; None when it says neither."""
    mots_oui = any(_dit(vocabulaire.OUI, clause) for clause in clauses)
    mots_non = any(_dit(vocabulaire.NON, clause) for clause in clauses)
    # An emoji answers only where words do not, and in front of them: « Merci pour tout 👍 » only thanks.
    devant = "" if mots_oui or mots_non else _emoji_devant(clauses, texte)
    oui = any(_place(vocabulaire.OUI, clause) for clause in clauses) or devant == vocabulaire.POUCE_HAUT
    non = any(_place(vocabulaire.NON, clause) for clause in clauses) or devant == vocabulaire.POUCE_BAS
    refus = any(vocabulaire.REFUS.search(clause.texte) for clause in clauses if not clause.question)
    if not oui and not non and not refus:
        return None
    references = {code for clause in clauses for mot in clause.mots if (code := lire_reference(mot))}
    reference = next(iter(references), None)
    if len(references) > 1:
        return Incompris()
    if oui:
        quantite = _quantite(clauses)
        contraire = non or refus or mots_non or _montre(vocabulaire.POUCE_BAS, texte)
        return Incompris() if contraire or quantite is None or _nuance(clauses) else Oui(quantite, reference)
    entier = " ".join(clause.texte for clause in clauses)
    # « Si ce n’est plus possible … » : without the word NON, a condition is no refusal.
    conditionnel = not non and bool(vocabulaire.DOUTES & set(entier.split()) or vocabulaire.DOUTE.search(entier))
    return Incompris() if mots_oui or conditionnel or vocabulaire.PLUTOT_OUI.search(entier) else Non(reference)


def _place(forme: re.Pattern[str], clause: _Clause) -> bool:
    """Whether this clause says that word first, apart from what says nothing. A question says nothing either."""
    if clause.question:
        return False
    for mot in clause.mots:
        if forme.fullmatch(mot):
            return mot != vocabulaire.NON_ARABE or _seul(mot, clause)
        if not _neutre(mot):
            return False
    return False


def _seul(mot: str, clause: _Clause) -> bool:
    return all(autre == mot or _neutre(autre) for autre in clause.mots)


def _neutre(mot: str) -> bool:
    return mot in vocabulaire.AMORCES or mot.isdecimal() or lire_reference(mot) is not None


def _emoji_devant(clauses: list[_Clause], texte: str) -> str:
    """POUCE_HAUT or POUCE_BAS when such emoji come before the first word, or with a code or a number only; else ""."""
    haut, bas = _montre(vocabulaire.POUCE_HAUT, texte), _montre(vocabulaire.POUCE_BAS, texte)
    if haut == bas or any(clause.question for clause in clauses):
        return ""
    formes = vocabulaire.POUCE_HAUT if haut else vocabulaire.POUCE_BAS
    premier = vocabulaire.MOT.search(texte)
    devant = premier is not None and _montre(formes, texte[: premier.start()])
    seul = all(mot.isdecimal() or lire_reference(mot) for clause in clauses for mot in clause.mots)
    return formes if devant or seul else ""


def _nuance(clauses: list[_Clause]) -> bool:
    """Whether anything in the text takes a yes back, or makes it depend on something."""
    for clause in clauses:
        reste = vocabulaire.ANODIN.sub(" ", clause.texte)
        mots = reste.split()
        if set(mots) & (vocabulaire.NEGATIONS | vocabulaire.DOUTES) or vocabulaire.DOUTE.search(reste):
            return True
        for avant, mot in zip(["", *mots], mots, strict=False):
            if _est_arret(mot) and avant not in vocabulaire.ARRET_NOM:
                return True
    return False


def _quantite(clauses: list[_Clause]) -> int | None:
    """How many; 1 when no number is named, None when a number is not plainly a quantity, or not a possible one."""
    mots = ["", *(mot for clause in clauses for mot in clause.mots), ""]
    trouvees = set()
    for avant, mot, apres in zip(mots, mots[1:], mots[2:], strict=False):
        if lire_reference(mot) or not any(signe.isdecimal() for signe in mot):
            continue
        if not mot.isdecimal() or len(mot) > 3 or not (_annonce(avant, apres) or len(mots) == 3):
            return None
        trouvees.add(int(mot))
    quantite = trouvees.pop() if trouvees else 1
    return quantite if not trouvees and 1 <= quantite <= QUANTITE_MAX else None


def _annonce(avant: str, apres: str) -> bool:
    """Whether a number between these two words says how many."""
    return bool(
        avant in vocabulaire.APRES_QUOI_COMBIEN
        or vocabulaire.OUI.fullmatch(avant)
        or lire_reference(avant)
        or vocabulaire.AVANT_QUOI_COMBIEN.fullmatch(apres)
        or vocabulaire.OUI.fullmatch(apres)
    )


def _reglage(clauses: list[_Clause]) -> Commande | None:
    """PAUSE, REPRENDRE or AIDE: each is the whole of its text."""
    mots = [mot for clause in clauses for mot in clause.mots]
    texte = " ".join(mot for mot in mots if mot not in vocabulaire.SALUTS)
    pause = vocabulaire.PAUSE.fullmatch(texte)
    if pause:
        return _pause(pause[1], pause[2])
    if _rien_que(vocabulaire.REPRISE, mots, vocabulaire.AUTOUR_DE_REPRISE):
        return Reprise()
    if _rien_que(vocabulaire.AIDE, mots, vocabulaire.AUTOUR_D_AIDE) or texte == "comment ca marche":
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
