"""The numbers of French organisations: RNA, SIREN, SIRET. Pure.

python-stdnum knows the check digits of SIREN and SIRET, and the exception of La Poste. It has no RNA.
"""

import re

from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.fr import siren as insee_siren
from stdnum.fr import siret as insee_siret

_RNA = re.compile(r"W[0-9A-Z]{9}")
_SIRET = re.compile(r"[0-9]{14}")
_SEPARATEURS = re.compile(r"[\s.\u00a0\u202f-]+")


class IdentifiantInvalide(ValueError):
    """The message is a French sentence for who typed it."""


def normaliser(texte: str) -> str:
    """Without the spaces, dots and dashes that people type, in upper case."""
    return _SEPARATEURS.sub("", texte).upper()


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
    try:
        return insee_siren.validate(numero)
    except InvalidChecksum:
        raise IdentifiantInvalide("Ce numéro SIREN n’existe pas\u00a0: vérifiez ses neuf chiffres.") from None
    except ValidationError:
        raise IdentifiantInvalide("Un numéro SIREN a neuf chiffres.") from None


def siret(texte: str) -> str:
    """The normalised SIRET: a valid SIREN and a valid check of its own. Raises IdentifiantInvalide."""
    try:
        return insee_siret.validate(normaliser(texte))
    except InvalidChecksum:
        raise IdentifiantInvalide("Ce numéro SIRET n’existe pas\u00a0: vérifiez ses quatorze chiffres.") from None
    except ValidationError:
        raise IdentifiantInvalide("Un numéro SIRET a quatorze chiffres.") from None
