"""Numbers that can receive SMS: converts input to E.164, or says in a sentence why it cannot. Pure."""

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

# The overseas departments have their own numbering plans: 0692… is not a number of region FR.
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
# 06 39 98 xx xx is reserved for fiction by Arcep (décision 2018-0881), so it is used in examples, seeds and demos.
_FICTION = re.compile(r"(?:(?:\+33|0033)0?|0)63998\d{4}")
_MOBILE = re.compile(r"0[67]\d{8}")
_SAISIE = re.compile(r"\+?[\d\s().\-/]+")
_LONGUEUR_MAX = 40
_COURT_MAX = 6
_POINTS = "••"
_NBSP = "\N{NO-BREAK SPACE}"


class NumeroInvalide(Exception):
    """The text is a French sentence for the person who typed the number, without the number."""


def lire(saisie: str) -> str:
    """A mobile number in E.164 ("+33612345678"). Accepts 06 12 34 56 78, +33 (0)6…, 0033 6…, 0692…, and foreign mobiles
    with their country code. Raises NumeroInvalide."""
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
    """The sender of an SMS in E.164; None for senders that cannot be answered (names, short numbers). `international`,
    `national`: the format stated by the provider."""
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
    """A number of France or an overseas department. Mobiles unknown to the numbering plan are accepted, since they have
    sent an SMS."""
    if _FICTION.fullmatch(chiffres):
        return f"+33{chiffres[1:]}"
    if lectures := _lectures(chiffres):
        return _e164(lectures[0])
    return f"+33{chiffres[1:]}" if _MOBILE.fullmatch(chiffres) else None


def masquer(e164: str) -> str:
    """ "06 •• •• •• 78": recognisable by its owner, but of no use to others."""
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
    """Removes invisible characters, such as the direction marks in numbers copied from an address book."""
    visibles = "".join(c for c in unicodedata.normalize("NFKC", saisie) if unicodedata.category(c) != "Cf")
    chiffres = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in visibles)
    return re.sub(r"[‐‑‒–—−]", "-", chiffres).strip().removeprefix("tel:")


def _lectures(texte: str) -> list[PhoneNumber]:
    """The valid numbers that the text may mean, mobiles first."""
    lus: list[PhoneNumber] = []
    # Many people write the country code of mainland France before a number of Réunion: +33 692…
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
