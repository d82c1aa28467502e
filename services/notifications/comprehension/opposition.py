"""Whether somebody asks to be left alone. Pure.

Here the grammar is open, and the error goes the other way: writing on to somebody who said STOP is worse than one who
has to subscribe again. The word STOP stops wherever it stands, except where it is a sign at the road, or « non stop »;
« arrêt » and « désabonner » too, where they are not denied and name no other thing (a bus stop, a sick leave).
"""

import re
from collections.abc import Sequence

from services.notifications.comprehension.text import Message, Mot

_STOP = re.compile(
    r"(?:s+t+o+p+)+(?:e|er|es|ez|sms|all|s)?\d*|sotp|stpo|tsop|sopt|5top|stiop|s[rdfgyx]op|st[0ipl]p|sto[loim]|[dqzaxw]top"
)
_ARRET = re.compile(r"ar+et+(?:e|er|es|ez|ee|ees)?|ces+(?:e[rz]|es?)|halte")
_DESABONNER = re.compile(r"des?s?ab+on+[a-z]*|des?s?ins?cri[a-z]*|unsub[a-z]*|resili[a-z]*")
_STOP_DE_LA_ROUTE = frozenset(("panneau", "auto", "en", "du", "feu"))
_AVANT_UN_ARRET = frozenset(
    ("l", "la", "un", "une", "cet", "cette", "d", "du", "mon", "votre", "quel", "quelle", "prochain", "sans", "en")
) | frozenset(("m", "s", "t", "nous", "ai", "as", "a", "avons", "suis", "est", "sont"))
"""They make it a thing, such as the stop of a bus, or something that is told: « je m’arrête », « j’ai arrêté »."""
_APRES_UN_ARRET = frozenset(("maladie", "bus", "tram", "tramway", "metro", "car", "train", "cardiaque", "travail"))
_NIE = frozenset(("pas", "jamais"))

# Verbs by their stems, as they are typed.
_OTER = r"(?:re?tir|enlev|sup+rim|ef+ac|oubli|ray|vir|ot|bloqu|blacklist|radi)"
_ECRIRE = (
    r"(?:re)?(?:contact|ecri[stv]|env[oi]|appel|sol+icit|derang|embet|harcel|spam|alert|relanc|import|notifi|message)"
    r"[a-z]*"
)
_VOULOIR = r"(?:veu[xt]?|ve|vx|voulons|souhait(?:e|ons)|desire|desirons)"
_MES_COORDONNEES = (
    r"(?:mon|mes|ce|notre|nos) (?:num[a-z]*|tel[a-z]*|portable|nom|contact|compte|adresse|mail|coordonnees|infos?"
    r"|informations?|donnees)"
)
_MESSAGES = (
    r"(?:s+m+s+|m+es+ages?|msgs?|textos?|mails?|e ?mails?|courriels?|alertes?|notifs?|notifications?|pubs?|publicites?"
    r"|envois?|spams?|sollicitations?|rappels?|relances?)"
)
_VOS_MESSAGES = rf"(?:de |d |des )?(?:tous )?(?:vos |ces |tes |les )?{_MESSAGES}"
_OPPOSITIONS = tuple(
    re.compile(forme)
    for forme in (
        # « Supprimez-moi », but « retirez-moi un doute »
        rf"\b(?:{_OTER}(?:e|es|ez|er)?|sort(?:ez|ir)) (?:moi|moa|nous)\b(?! (?:pas|un|une|le|les|du|des|ce)\b)",
        rf"(?<!ai )(?<!avez )\b{_OTER}(?:e|es|ez|er)? {_MES_COORDONNEES}\b",
        # « Merci de me retirer », « je veux être effacé »
        rf"(?<!pas )\b(?:me|m|etre|nous) {_OTER}(?:er|e|ee|es|ez)\b(?! pas\b)",
        rf"\b{_OTER}ez (?:le|la|les)$",
        rf"\b(?:num\w*|contact) a {_OTER}er\b",
        r"\b(?:retrait|suppression|radiation|sortir|quitter) (?:de )?(?:la|votre|vos|cette|mon) (?:listes?|num\w*)\b",
        rf"\b{_OTER}er de (?:vos|votre|la|cette|ces) (?:listes?|fichiers?|bases?|envois?)\b",
        # « Ne me contactez plus », « m’écrivez pas », but « ne m’appelez pas avant 10 h »
        rf"\b(?:ne|n|me|m) (?:\w+ ){{0,3}}?{_ECRIRE}(?: (?:moi|nous))? (?:plus|jamais|pas|rien)\b"
        r"(?! (?:tard|tot|souvent|d|de detail|de precision|avant|apres|le|la|ce|entre|demain|pendant|quand)\b)",
        rf"\b{_ECRIRE} (?:moi |nous )?(?:plus|jamais|aucune?) (?:rien\b|{_VOS_MESSAGES}\b)",
        rf"\b{_ECRIRE} (?:moi |nous )?(?:plus|jamais|rien)$",
        # « Merci de ne plus m’envoyer de messages »
        rf"\b(?:ne|de) (?:plus|pas|jamais) (?:(?:me|m|nous|etre|vouloir|rien) )*(?:{_ECRIRE}|recevoir)\b",
        rf"\bplus etre {_ECRIRE}\b",
        # « Je veux plus de vos messages », « je ne souhaite pas être contacté »
        rf"\b{_VOULOIR} (?:plus|pas|rien|aucune?) (?:du tout |en |rien )*"
        rf"(?:re[cs]evoir|etre (?:{_ECRIRE}|sur|dans)|entendre|avoir|faire partie)\b",
        rf"\b{_VOULOIR} (?:plus|pas|aucune?) (?:du tout )?{_VOS_MESSAGES}\b",
        rf"\b(?:ne|n) \w+ (?:plus|pas|aucune?) (?:du tout )?(?:besoin |envie )(?:de recevoir |d )?{_VOS_MESSAGES}\b",
        rf"^plus besoin {_VOS_MESSAGES}\b",
        rf"\binteres+e[a-z]* par {_VOS_MESSAGES}\b",
        # « Plus de SMS svp »
        r"^(?:(?:bonjour|merci|non|svp|stp|ok|et|mais|oui) )*(?:plus|pas|aucune?|as+ez|trop) (?:jamais )?"
        rf"{_VOS_MESSAGES}"
        r"(?: (?:svp|stp|merci|s il vous plait|pour moi|de votre part))*$",
        rf"\b(?:plus aucun|plus un seul|plus jamais|marre|ras le bol|assez|fini|arret) {_VOS_MESSAGES}\b",
        r"\b(?:lais|fout|fou|fich|lach)[a-z]* (?:moi |nous )?(?:la paix|tranquil\w*|en paix|peinard)\b",
        r"\blach(?:e|ez|es) (?:moi|nous)\b|\bca suffi[tr]?\b|\by en a marre\b|\bharcelement\b",
        r"\bque (?:ca|cela) (?:s arrete|cesse)\b",
        r"\bm oppose\b|\bdroit (?:a l oubli|d opposition|d effacement|a l effacement)\b|\b(?:cnil|rgpd)\b",
        r"\b(?:vous|te|ce numero) bloque\b|\bbloque (?:ce|votre|vos) num\w*|\bannul\w* (?:mon |l |cet )?abon+ement",
        # Telephones offer English.
        r"\b(?:remove|delete) (?:me|my)\b|\btake me off\b|\bleave me alone\b|\bopt ?out\b",
        r"\b(?:do not|don t|dont|never|no more) (?:text|contact|message|call|sms|write|send|email|alert)",
    )
)
_A_LUI_SEUL = re.compile(
    r"(?:fin|quit|quitter|basta|spam|assez|radiation|suppression|opposition|retrait)|(?:sup+rim|retir|enlev|ef+ac)(?:er|ez)"
)


def dit_stop(message: Message) -> bool:
    if _A_LUI_SEUL.fullmatch(" ".join(mot.texte for mot in message.mots)):
        return True
    return any(_arrete(clause) or _s_oppose(clause) for clause in message.clauses)


def _s_oppose(clause: Sequence[Mot]) -> bool:
    texte = " ".join(mot.texte for mot in clause)
    return any(forme.search(texte) for forme in _OPPOSITIONS)


def _arrete(clause: Sequence[Mot]) -> bool:
    """Whether a word of the clause is STOP, or another that says the same and is not denied."""
    mots = ["", "", "", *(mot.texte for mot in clause), ""]
    for i in range(3, len(mots) - 1):
        mot, avant, apres = mots[i], mots[i - 1], mots[i + 1]
        if _STOP.fullmatch(mot):
            # « Je travaille non stop samedi », but « non STOP ».
            if avant not in _STOP_DE_LA_ROUTE and not (avant == "non" and apres):
                return True
        elif _ARRET.fullmatch(mot) or _DESABONNER.fullmatch(mot):
            nom = _ARRET.fullmatch(mot) and (
                avant in _AVANT_UN_ARRET or {apres, *mots[i + 2 : i + 3]} & _APRES_UN_ARRET
            )
            nie = apres in _NIE or _NIE & set(mots[i - 3 : i]) or (avant == "n" and apres in _NIE)
            if not nom and not nie:
                return True
    return False
