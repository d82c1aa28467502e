"""E-mail addresses: one validation rule for every part of the system, so that no address accepted by a form is refused
later."""

from email_validator import EmailNotValidError, validate_email

INVALID = "Cette adresse e-mail n’est pas valable. Exemple\u00a0: prenom.nom@exemple.fr."


def normalize(address: str) -> str:
    """Returns the address in ASCII and lower case, so that one person has one address however they type it.

    Raises ValueError with a French sentence. Checks the length limits of RFC 5321 (64 characters before the @, 254 in
    all). Makes no DNS look-up: a bounce tells more than a resolver.
    """
    try:
        found = validate_email(address.strip(), check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise ValueError(INVALID) from error
    # Mail servers expect an accented domain in Punycode.
    return (found.ascii_email or found.normalized).casefold()
