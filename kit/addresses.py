"""E-mail addresses: one rule for whoever takes one, so that none is taken at the door and refused further in."""

from email_validator import EmailNotValidError, validate_email

INVALID = "Cette adresse e-mail n’est pas valable. Exemple\u00a0: prenom.nom@exemple.fr."


def normalize(address: str) -> str:
    """The address in ASCII and lower case: one person, one address, however they type it.

    Raises ValueError, a French sentence. RFC 5321's lengths count (64 before the @, 254 in all). No DNS look-up: a mail
    that comes back says more than a resolver.
    """
    try:
        found = validate_email(address.strip(), check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise ValueError(INVALID) from error
    # As mail servers take it: an accented domain is written in Punycode.
    return (found.ascii_email or found.normalized).casefold()
