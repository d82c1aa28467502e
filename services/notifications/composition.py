"""A message is compiled once per content and filled in per person: MIME for each would cost seven times its sending.

A compiled message is a list of bytes and of named slots. The body is quoted-printable; the pieces around a slot end
with a soft line break, so that a value is encoded alone and dropped in. Values cannot break out: those of the body are
encoded (a line break becomes =0D=0A), those of the headers are addresses, ids and URLs, checked for printable ASCII.
"""

import binascii
import datetime as dt
import html
import re
from collections.abc import Mapping
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from pathlib import Path
from typing import Any

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts import references
from services.notifications.domain import Genre
from services.notifications.messages import MESSAGES, objet

_GABARITS = Path(__file__).with_name("templates")
# Private-use characters delimit a slot in rendered text; what people write is stripped of them.
_OUVRE, _FERME = "\ue000", "\ue001"
_FENTE = re.compile(f"{_OUVRE}([a-z_]+){_FERME}")
_RESERVES = re.compile("[\ue000\ue001]")
_FINS_DE_LIGNE = re.compile(r"\r\n|\r|\n")
_SUR = re.compile(r"[\x21-\x7e]+")
_LIGNE_MAX = 76
_COUPURE_DOUCE = b"=\r\n"

FENTES = ("raisons", "desabonnement", "code")
"""Slots that a template may use: `{{ fente.raisons }}`."""


class ValeurInterdite(ValueError):
    """A header value with anything but printable ASCII."""


def _environnement(echappe: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(_GABARITS),
        autoescape=echappe,  # noqa: S701  # the plain-text part is no HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # The files are those of this release: each message would ask their dates again.
        auto_reload=False,
    )


_TEXTE, _HTML = _environnement(False), _environnement(True)


class Modele:
    """A compiled message."""

    def __init__(self, morceaux: list[bytes | str]) -> None:
        """`morceaux`: bytes as they are, and names of slots: "h:" in a header, "t:" in the text, "x:" in the HTML."""
        self._morceaux = morceaux

    def remplir(self, entetes: Mapping[str, str], corps: Mapping[str, str], at: dt.datetime) -> bytes:
        """The mail of one person, dated `at`. Raises ValeurInterdite."""
        valeurs: dict[str, bytes] = {f"h:{nom}": _ascii(valeur) for nom, valeur in entetes.items()}
        valeurs["date"] = format_datetime(at).encode("ascii")
        for nom, valeur in corps.items():
            valeurs[f"t:{nom}"] = _encode(valeur)
            valeurs[f"x:{nom}"] = _encode(html.escape(valeur))
        return b"".join([m if isinstance(m, bytes) else valeurs[m] for m in self._morceaux])


class Compositeur:
    def __init__(self, public_url: str, nom: str, adresse: str) -> None:
        """`nom` and `adresse` of the sender."""
        self._public_url = public_url.rstrip("/")
        self._nom = nom
        self._domaine = adresse.rpartition("@")[2]
        # Of an alert, and of any other message.
        self._fixes = {alerte: self._entetes_fixes(formataddr((nom, adresse)), alerte) for alerte in (True, False)}

    def compiler(self, genre: Genre, contenu_id: str, donnees: Mapping[str, Any]) -> Modele:
        """`donnees` are those of the content row; templates see them by name, without what marks slots."""
        message = MESSAGES[genre]
        contexte = {
            **_sans_reserves(donnees),
            "fente": {nom: f"{_OUVRE}{nom}{_FERME}" for nom in FENTES},
            "public_url": self._public_url,
            "nom_du_site": self._nom,
            "genre": genre.value,
        }
        sujet = objet(genre, contexte)
        texte = _TEXTE.get_template(f"{message.gabarit}.txt.j2").render(contexte)
        page = _HTML.get_template(f"{message.gabarit}.html.j2").render(contexte, objet=sujet)
        frontiere = f"=_place_{binascii.crc32(contenu_id.encode()):08x}"
        return Modele(
            [
                *self._entetes(sujet, message.consentement, frontiere),
                *_partie("plain", frontiere, texte, "t"),
                *_partie("html", frontiere, page, "x"),
                f"--{frontiere}--\r\n".encode(),
            ]
        )

    def entetes(self, envoi_id: str, adresse: str, lien: str | None) -> dict[str, str]:
        """The header slots of one person: the Message-ID is that of the envoi, `lien` the address that unsubscribes."""
        valeurs = {"a": adresse, "message_id": f"{envoi_id}@{self._domaine}"}
        return {**valeurs, "desabonnement": lien} if lien else valeurs

    def lien_desabonnement(self, jeton: str) -> str:
        return f"{self._public_url}/desabonnement/{jeton}"

    def _entetes_fixes(self, expediteur: str, alerte: bool) -> bytes:
        fixe = EmailMessage(policy=SMTP)
        fixe["From"] = expediteur
        fixe["Auto-Submitted"] = "auto-generated"
        fixe["MIME-Version"] = "1.0"
        if alerte:
            fixe["List-Id"] = f"{self._nom} <alertes.{self._domaine}>"
            fixe["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return fixe.as_bytes().rstrip(b"\r\n") + b"\r\n"

    def _entetes(self, sujet: str, alerte: bool, frontiere: str) -> list[bytes | str]:
        # Not through EmailMessage, which parses what it has just been given: half the time of a compilation.
        objet_code = Header(sujet, header_name="Subject", maxlinelen=_LIGNE_MAX).encode(linesep="\r\n")
        # Written by hand: EmailMessage would add the boundaries of a body that it does not have.
        type_ = f'Content-Type: multipart/alternative; boundary="{frontiere}"\r\n'
        morceaux: list[bytes | str] = [b"To: <", "h:a", b">\r\nMessage-ID: <", "h:message_id", b">\r\nDate: "]
        morceaux += ["date", b"\r\n"]
        if alerte:
            morceaux += [b"List-Unsubscribe: <", "h:desabonnement", b">\r\n"]
        return [*morceaux, f"Subject: {objet_code}\r\n".encode(), self._fixes[alerte], f"{type_}\r\n".encode()]


def _partie(type_: str, frontiere: str, rendu: str, prefixe: str) -> list[bytes | str]:
    entete = f"--{frontiere}\r\nContent-Type: text/{type_}; charset=utf-8\r\n"
    morceaux: list[bytes | str] = [entete.encode(), b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"]
    # split() with one group: text, slot, text, slot … text.
    for rang, part in enumerate(_FENTE.split(rendu)):
        if rang % 2:
            morceaux.append(f"{prefixe}:{part}")
        elif part:
            morceaux.append(_encode(_FINS_DE_LIGNE.sub("\r\n", part), texte=True))
    return [*morceaux, b"\r\n"]


def _encode(valeur: str, *, texte: bool = False) -> bytes:
    """Quoted-printable, ending with a soft line break. Line breaks stay as they are only in `texte`."""
    code = binascii.b2a_qp(valeur.encode(), istext=texte, quotetabs=False)
    if not texte:
        code = code.replace(b"=\n", _COUPURE_DOUCE)
    derniere = len(code) - (code.rfind(b"\n") + 1)
    if derniere >= _LIGNE_MAX:
        # One character too long for the "=" of the break: broken before its last one, which may be an =XX.
        coupe = len(code) - (3 if code[-3:-2] == b"=" else 1)
        code = code[:coupe] + _COUPURE_DOUCE + code[coupe:]
    return code + _COUPURE_DOUCE if derniere else code


def _ascii(valeur: str) -> bytes:
    if not _SUR.fullmatch(valeur) or "<" in valeur or ">" in valeur:
        raise ValeurInterdite("a header value may hold printable ASCII only")
    return valeur.encode("ascii")


def _sans_reserves(valeur: Any) -> Any:
    match valeur:
        case str():
            return _RESERVES.sub("", valeur)
        case Mapping():
            return {nom: _sans_reserves(v) for nom, v in valeur.items()}
        case list():
            return [_sans_reserves(v) for v in valeur]
        case _:
            return valeur


def jour(valeur: str) -> str:
    """« samedi 28 novembre 2026 » for an ISO date."""
    return format_date(dt.date.fromisoformat(valeur), "EEEE d MMMM y", locale="fr")


def court(code: str, liste: str) -> str:
    valeurs = references.categories() if liste == "categories" else references.valeurs(liste)  # type: ignore[arg-type]  # templates name lists as text; a wrong one fails at compile time
    return valeurs[code].dans_une_phrase if code in valeurs else code.replace("-", " ")


for _env in (_TEXTE, _HTML):
    _env.filters["jour"] = jour
    _env.filters["court"] = court
