"""What somebody wrote in an answer, without the mail that their program quotes below it. Pure, in linear time.

Mails that may be answered begin with a line of their own (REPERE_DE_REPONSE): wherever it comes back, all from there on
is ours. Without it, what the usual programs put before a quotation is looked for.
"""

import re

from services.notifications.messages.wording import REPERE_DE_REPONSE

_CITE = re.compile(r"\s*>")
# « Le sam. 28 nov. 2026 à 10:12, Place des assos <…> a écrit : », which may be folded over three lines.
_ATTRIBUTION_DEBUT = re.compile(r"\s*(?:>\s*)?(?:Le|On|Am|El|Il)\s.{0,300}", re.IGNORECASE)
_ATTRIBUTION_FIN = re.compile(r"(?:a écrit|a ecrit|wrote|schrieb|escribió|ha scritto)\s*:?\s*$", re.IGNORECASE)
_ATTRIBUTION_LIGNES = 4
_HEURE_OU_ADRESSE = re.compile(r"\d\s?[:hH]\s?\d\d|@")
_SEPARATEUR = re.compile(
    r"\s*(?:-{2,}\s*(?:Message d['’]origine|Message original|Original Message|Message transféré|Forwarded message)"
    r"|_{10,}\s*$|>?\s*Message du \d{2}/\d{2}/\d{2})",
    re.IGNORECASE,
)
_ENTETE = re.compile(r"\s*\*?(De|From|Von)\s?:\*?\s.{0,300}$", re.IGNORECASE)
_ENTETE_SUITE = re.compile(r"\s*\*?(Envoyé|Date|Sent|À|A|To|Objet|Subject|Gesendet|An|Cc)\s?:\*?", re.IGNORECASE)
_SIGNATURE = re.compile(r"--\s?$")
_ENVOYE_DE = re.compile(
    r"\s*(?:Envoyé (?:de|depuis|avec|à partir)|Sent (?:from|with)|Télécharger Outlook|Get Outlook|Obtenez Outlook)\b"
    r".{0,120}$",
    re.IGNORECASE,
)
# How our mails begin, before the line of their own.
_SALUT = re.compile(r"\s*(?:>\s*)*Bonjour,\s*$")
_VIDES = re.compile(r"\n{3,}")


def sans_citation(texte: str) -> str:
    """The words of the answer; "" when nothing is left. Somebody who answers below or between quoted lines keeps what
    they wrote there, and the quoted lines only where they stand between their own words."""
    # Empty lines are most of what somebody may send to make this slow: a few are enough.
    uni = _VIDES.sub("\n\n", re.sub(r"\r\n?", "\n", texte))
    lignes = [ligne.rstrip() for ligne in uni.split("\n")]
    debut, fin = _avant(lignes), len(lignes)
    for rang in range(debut, len(lignes)):
        if _coupe(lignes, rang) or _SIGNATURE.match(lignes[rang]):
            fin = rang
            break
    reste = lignes[debut:fin]
    if fin < len(lignes) and REPERE_DE_REPONSE in lignes[fin]:
        while reste and (not reste[-1].strip() or _SALUT.match(reste[-1])):
            reste.pop()
    while reste and (not reste[-1].strip() or _CITE.match(reste[-1]) or _ENVOYE_DE.match(reste[-1])):
        reste.pop()
    return _VIDES.sub("\n\n", "\n".join(reste)).strip()


def _avant(lignes: list[str]) -> int:
    """Where the answer begins: after the quotation, when that comes first and words follow it."""
    rang = _suivante(lignes, 0)
    rang = _suivante(lignes, _attribution(lignes, rang) or rang)
    if rang == len(lignes) or not _CITE.match(lignes[rang]):
        return 0
    while rang < len(lignes) and (not lignes[rang].strip() or _CITE.match(lignes[rang])):
        rang += 1
    return rang if rang < len(lignes) else 0


def _suivante(lignes: list[str], rang: int) -> int:
    """The next line that is not empty."""
    while rang < len(lignes) and not lignes[rang].strip():
        rang += 1
    return rang


def _coupe(lignes: list[str], rang: int) -> bool:
    """Whether a quotation begins here that lasts to the end."""
    ligne = lignes[rang]
    if REPERE_DE_REPONSE in ligne or _SEPARATEUR.match(ligne):
        return True
    if _ENTETE.match(ligne):
        return any(_ENTETE_SUITE.match(suivante) for suivante in lignes[rang + 1 : rang + 4])
    return bool(_attribution(lignes, rang))


def _attribution(lignes: list[str], rang: int) -> int:
    """The line after « Le … à 10:12, … a écrit : » that begins here, 0 where none does. Without an hour or an address
    it is somebody who tells what another one wrote."""
    if rang >= len(lignes) or not _ATTRIBUTION_DEBUT.fullmatch(lignes[rang]):
        return 0
    for dernier in range(rang, min(rang + _ATTRIBUTION_LIGNES, len(lignes))):
        if not lignes[dernier].strip():
            return 0
        if _ATTRIBUTION_FIN.search(lignes[dernier][-40:]):
            entiere = " ".join(ligne[:300] for ligne in lignes[rang : dernier + 1])
            return dernier + 1 if _HEURE_OU_ADRESSE.search(entiere) else 0
    return 0
