"""The numbers of French organisations: RNA, SIREN, SIRET. Pure."""

import re

_RNA = re.compile(r"W[0-9A-Z]{9}")
_SIREN = re.compile(r"[0-9]{9}")
_SIRET = re.compile(r"[0-9]{14}")
_SEPARATEURS = re.compile(r"[\s.\u00a0\u202f-]+")

LA_POSTE = "356000000"


class IdentifiantInvalide(ValueError):
    """The message is a French sentence for who typed it."""


def normaliser(texte: str) -> str:
    """Without the spaces, dots and dashes that people type, in upper case."""
    return _SEPARATEURS.sub("", texte).upper()


def luhn(chiffres: str) -> bool:
    """True when the Luhn check of a string of ASCII digits holds."""
    total = 0
    for rang, chiffre in enumerate(reversed(chiffres)):
        valeur = int(chiffre) * (1 + rang % 2)
        total += valeur - 9 * (valeur > 9)
    return total % 10 == 0


def rna(texte: str) -> str:
    """The normalised RNA number (W and nine characters). Raises IdentifiantInvalide."""
    numero = normaliser(texte)
    if not _RNA.fullmatch(numero):
        raise IdentifiantInvalide("Un numéro RNA est un W suivi de neuf caractères, par exemple W595001234.")
    return numero


def siren(texte: str) -> str:
    """The normalised SIREN; of a SIRET, which people often give instead, its SIREN. Raises IdentifiantInvalide."""
    numero = normaliser(texte)
    if _SIRET.fullmatch(numero):
        return siret(numero)[:9]
    if not _SIREN.fullmatch(numero):
        raise IdentifiantInvalide("Un numéro SIREN a neuf chiffres.")
    if not luhn(numero):
        raise IdentifiantInvalide("Ce numéro SIREN n’existe pas\u00a0: vérifiez ses neuf chiffres.")
    return numero


def siret(texte: str) -> str:
    """The normalised SIRET: a valid SIREN and a valid check of its own. Raises IdentifiantInvalide."""
    numero = normaliser(texte)
    if not _SIRET.fullmatch(numero):
        raise IdentifiantInvalide("Un numéro SIRET a quatorze chiffres.")
    # La Poste has more establishments than Luhn numbers: theirs add up to a multiple of five instead.
    poste = numero.startswith(LA_POSTE) and sum(map(int, numero)) % 5 == 0
    if not luhn(numero[:9]) or not (luhn(numero) or poste):
        raise IdentifiantInvalide("Ce numéro SIRET n’existe pas\u00a0: vérifiez ses quatorze chiffres.")
    return numero
