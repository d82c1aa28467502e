"""Numbers that can get an SMS: what a person types becomes E.164, or a sentence says why not. Pure."""

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

# The overseas departments have plans of their own: 0692… is no number of region FR.
_REGIONS = ("FR", "RE", "GP", "MQ", "GF", "YT")
_INDICATIFS_FRANCAIS = frozenset({33, 262, 590, 594, 596})
_MOBILES = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_FIXES = frozenset({PhoneNumberType.FIXED_LINE, PhoneNumberType.VOIP})
_SPECIAUX = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)
# 06 39 98 xx xx: reserved for fiction by Arcep (décision 2018-0881), so for examples, seeds and demonstrations.
_FICTION = re.compile(r"(?:(?:\+33|0033)0?|0)63998\d{4}")
_MOBILE = re.compile(r"0[67]\d{8}")
_SAISIE = re.compile(r"\+?[\d\s().\-/]+")
_LONGUEUR_MAX = 40
_COURT_MAX = 6
_POINTS = "••"
_NBSP = "\N{NO-BREAK SPACE}"


class NumeroInvalide(Exception):
    """The message is a French sentence for the person who typed; it does not repeat the number."""


def lire(saisie: str) -> str:
    """A mobile number in E.164 ("+33612345678"). Raises NumeroInvalide.

    « 06 12 34 56 78 », « +33 (0)6… », « 0033 6… », « 0692… » and foreign mobiles with their code are understood.
    """
    texte = _nettoyer(saisie)
    if not texte:
        raise NumeroInvalide("Indiquez un numéro de téléphone mobile.")
    if len(texte) > _LONGUEUR_MAX or not _SAISIE.fullmatch(texte):
        raise NumeroInvalide(
            "Ce n’est pas un numéro de téléphone\u00a0: écrivez-le ainsi, 06\u00a012\u00a034\u00a056\u00a078."
        )
    chiffres = re.sub(r"\D", "", texte)
    compact = ("+" if texte.startswith("+") else "") + chiffres
    if _FICTION.fullmatch(compact):
        return f"+33{compact[-9:]}"
    if len(chiffres) <= _COURT_MAX:
        raise NumeroInvalide("Les numéros courts ne reçoivent pas nos SMS\u00a0: indiquez un numéro de mobile complet.")
    return _choisir(_lectures(texte))


def lire_expediteur(adresse: str, *, international: bool = False, national: bool = False) -> str | None:
    """The E.164 number from which an SMS came, as a provider writes it. None for those to whom one cannot answer:
    names, short numbers. `international`, `national`: how the provider says that it is written."""
    chiffres = adresse.removeprefix("+")
    if not (chiffres.isascii() and chiffres.isdigit()) or not 7 <= len(chiffres) <= 17:
        return None
    if chiffres.startswith("00"):
        chiffres = chiffres[2:]
    elif not (international or adresse.startswith("+")):
        if chiffres.startswith("0"):
            return _national(chiffres)
        if national:
            return _national(f"0{chiffres}")
    return f"+{chiffres}" if 7 <= len(chiffres) <= 15 and chiffres[0] != "0" else None


def _national(chiffres: str) -> str | None:
    """Of France or an overseas department. A mobile that the plan does not know yet has written to us all the same."""
    if _FICTION.fullmatch(chiffres):
        return f"+33{chiffres[1:]}"
    if lectures := _lectures(chiffres):
        return _e164(lectures[0])
    return f"+33{chiffres[1:]}" if _MOBILE.fullmatch(chiffres) else None


def masquer(e164: str) -> str:
    """« 06 •• •• •• 78 »: enough to recognise one's own number, too little to call it."""
    try:
        numero = phonenumbers.parse(e164)
    except NumberParseException:
        return _POINTS
    fin = e164[-2:]
    if numero.country_code in _INDICATIFS_FRANCAIS:
        debut = f"0{str(numero.national_number)[0]}"
    else:
        debut = f"+{numero.country_code}"
    return _NBSP.join((debut, _POINTS, _POINTS, _POINTS, fin))


def _nettoyer(saisie: str) -> str:
    """Without what cannot be seen: numbers copied from an address book bring marks of direction."""
    visibles = "".join(c for c in unicodedata.normalize("NFKC", saisie) if unicodedata.category(c) != "Cf")
    chiffres = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in visibles)
    return re.sub(r"[‐‑‒–—−]", "-", chiffres).strip().removeprefix("tel:")


def _lectures(texte: str) -> list[PhoneNumber]:
    """The valid numbers that this can be, mobiles first."""
    lus: list[PhoneNumber] = []
    # +33 692…: the code of mainland France before a number of Réunion, as many people write it.
    essais = [texte, re.sub(r"^(?:\+|00)33[\s.]*(?:\(0\))?", "0", texte)]
    for essai in dict.fromkeys(essais):
        for region in _REGIONS:
            try:
                numero = phonenumbers.parse(essai, region)
            except NumberParseException:
                continue
            if phonenumbers.is_valid_number(numero) and numero.extension is None:
                lus.append(numero)
    return sorted(lus, key=lambda numero: phonenumbers.number_type(numero) not in _MOBILES)


def _choisir(lectures: list[PhoneNumber]) -> str:
    if not lectures:
        raise NumeroInvalide("Ce numéro n’existe pas\u00a0: vérifiez les chiffres.")
    genre = phonenumbers.number_type(lectures[0])
    if genre in _MOBILES:
        return _e164(lectures[0])
    if genre in _FIXES:
        raise NumeroInvalide(
            "C’est un numéro de ligne fixe, qui ne reçoit pas de SMS\u00a0: indiquez un numéro de mobile."
        )
    if genre in _SPECIAUX:
        raise NumeroInvalide("C’est un numéro spécial, qui ne reçoit pas de SMS\u00a0: indiquez un numéro de mobile.")
    raise NumeroInvalide("Ce numéro n’est pas celui d’un mobile\u00a0: indiquez un numéro de mobile.")


def _e164(numero: PhoneNumber) -> str:
    return phonenumbers.format_number(numero, PhoneNumberFormat.E164)
