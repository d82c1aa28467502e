"""The words by which people answer SMS, as they are after accents, case and apostrophes are gone. Pure.

What each of them does is said in read.py.
"""

import re


def _mots(texte: str) -> frozenset[str]:
    return frozenset(texte.split())


OUI = re.compile(r"o+u+i+|ouais+|ouaip|ok+|oka?y|oki|daccord|yes+|yep|volontiers|partante?s?|نعم")
NON = re.compile(r"no+n+|nan|nope|no|nn|annul(?:e|er|ez|ation)|لا")
STOP = re.compile(r"sto+p+(?:er|ez|sms|all)?|arret(?:er?|ez)?")
DESABONNER = re.compile(r"(?:des?abonn|desinscri)[a-z]*|unsubscribe")
AIDE = re.compile(r"aide[rz]?|help|infos?|menu|commandes?")
REPRISE = re.compile(r"repren(?:dre|ds|ez|d)|reprise|start|reactive[rz]?|recommence[rz]?")

SALUTS = _mots("bonjour bonsoir salut coucou hello")
POLITESSES = SALUTS | _mots("merci beaucoup bien svp stp s il te vous plait madame monsieur sms cordialement شكرا")
AMORCES = POLITESSES | _mots(
    "ah oh eh et bah ben bon alors donc euh moi nous pour je j on c est ce ca sera suis sommes serai viens vient dis "
    "dit reponds reponse ma notre desole desolee hors ref code annonce tout a fait demain matin midi soir apres "
    "lundi mardi mercredi jeudi vendredi samedi dimanche chose"
)
"""What may come before an answer in its clause without changing it."""

AUTOUR_DE_STOP = POLITESSES | _mots(
    "tout tous toutes les le la l de des d vos ces messages message alertes alerte envois numero mon moi me m"
)
AUTOUR_D_AIDE = POLITESSES | _mots("j je ai besoin d de moi m comment ca marche")
AUTOUR_DE_REPRISE = POLITESSES | _mots("les l envoi envois alertes messages je veux")

NON_ARABE = "لا"
"""Also the "not" of every negated verb: it is a no only where nothing else is said."""

NEGATIONS = _mots("ne n pas jamais aucun aucune impossible indisponible")
DOUTES = _mots("mais si sauf sinon bof jsp")

# Said with a yes as often as with a no: they are taken out before negations are looked for.
ANODIN = re.compile(
    r"\b(?:(?:il )?n ?y a pas de |(?:y a )?pas de |sans |aucun |no )(?:soucis?|problemes?|problem|pb)\b"
    r"|\bn hesitez pas\b"
)
DOUTE = re.compile(r"\bpeut[ -]?etre\b|\best ce que\b|\bou non\b|\bne? sais? pas\b|\bpourquoi pas\b")
REFUS = re.compile(
    r"\b(?:pas|plus) (?:dispo(?:nible)?s?|libres?|interesse(?:e|s|es)?|possible|venir)\b"
    r"|\b(?:peux|peut|pouvons|pourrai|pourrais|pourrons) pas (?:venir|aider|participer|etre la|me liberer)\b"
    r"|\bne (?:viens|viendrai|viendrons|participe|participerai) pas\b"
    r"|^(?:bonjour |desolee? )*(?:je )?(?:ne )?(?:peux|pourrai) pas(?: desolee?| merci)*$"
    r"|\bindisponibles?\b|^(?:(?:desolee?|c est|ce sera) )*impossible\b"
)
PLUTOT_OUI = re.compile(
    r"\bmais (?:je|j|on|nous) (?!ne\b|n\b)(?:viens|vient|viendr|peu[xt]|pouvons|ser[ao]|suis|reste)"
)
OPPOSITION = re.compile(
    r"\bne (?:veux|souhaite|desire|voudrais|voulons) (?:plus|pas) "
    r"(?:(?:du tout )?recevoir|(?:de|vos|d) (?:vos )?(?:sms|messages?|alertes?|notifications?))"
    r"|\bne m (?:envoyez|envoye|ecrivez) plus\b|\b(?:arretez|cessez) de m (?:envoyer|ecrire)\b"
)
ARRET_NOM = _mots("l un cet d mon")
"""Before "arret" they make it a thing, such as the stop of a bus."""

ARRET_DE = re.compile(r"^arret (?:maladie|de (?:bus|tram|tramway|metro|train|car|travail))\b")

_UNITES = "personnes?|pers|places?|benevoles?|volontaires?|adultes?|participants?|objets?|exemplaires?|unites?|x"

# Numbers that say when, where, how long or whom to call, but not how many.
_JOURS = "(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)"
AUTRES_NOMBRES = re.compile(
    r"(?<![a-z0-9+])(?:"
    r"(?:\+\d{2,3}|00\d{2,3}|0)[ .-]?(?:\(0\))?\d(?:[ .-]?\d{2}){4}"  # a telephone
    r"|\d{1,2} ?(?:h|heures?) ?(?:\d{2})?|\d{1,2}:\d{2}"
    r"|(?:\d{1,2}[/.-]\d{2}|\d{2}[/.-]\d{1,2})(?:[/.-]\d{2,4})?"
    rf"|(?:le|du|au) (?:{_JOURS} )?\d{{1,2}}(?![ /.-]?\d)|{_JOURS} \d{{2}}"
    r"|\d{1,2}(?:er)? (?:janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre)"
    r"|\d+ ?(?:min|mn|minutes?|jours?|j|semaines?|mois|ans?|km|kms|m|kg|%|€|euros?)"
    r"|\d{5}"  # a postcode
    rf")(?![a-z0-9])(?! (?:{_UNITES})\b)"
)
APRES_QUOI_COMBIEN = _mots("pour x fois sera serons seront serions sommes est")
AVANT_QUOI_COMBIEN = re.compile(_UNITES)
EN_LETTRES = {
    "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "dix": 10,
    "onze": 11, "douze": 12, "quinze": 15, "vingt": 20,
}  # fmt: skip
PAUSE = re.compile(
    r"(?:(?:je )?(?:mettre |mettez |mets |veux |faire )(?:moi )?(?:en |une )?)?pause"
    r"(?: (?:de |d |pendant |pour )?(?:(\d+|une?) ?(j|jours?|semaines?|mois)?))?"
    r"(?: (?:svp|stp|merci|s il (?:vous|te) plait))*"
)

CITATION = re.compile(r"«[^»]*»|“[^”]*”|\"[^\"]*\"")
LIGNE_CITEE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
SUITE_CITEE = re.compile(r"^[^\n]*(?:a écrit ?:|wrote:)[ \t]*$|^-{2,} ?(?:message|original).*$", re.I | re.M)
CLAUSES = re.compile(r"([.,;:!?…()\n،؟]+)")
MOT = re.compile(r"[^\W_]+")
COLLE = re.compile(r"(x|[a-z]{2,})(\d{1,3})|(\d{1,3})(x|[a-z]{2,})")
POUCE_HAUT, POUCE_BAS = "👍✅👌", "👎❌🚫"
