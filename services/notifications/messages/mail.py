"""A message is compiled once per content and filled in per person: MIME for each would cost seven times its sending.

A compiled message is a list of bytes and of named slots. The body is quoted-printable; the pieces around a slot end
with a soft line break, so that a value is encoded alone and dropped in. Values cannot break out: those of the body are
encoded (a line break becomes =0D=0A), those of the headers are addresses, ids and URLs, checked for printable ASCII.
"""

import base64
import binascii
import datetime as dt
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from typing import Any

from jinja2 import UndefinedError

from services.notifications.domain import Genre
from services.notifications.messages.calendar_file import Organisateur, Sujet, calendrier, horodatage
from services.notifications.messages.catalogue import MESSAGES, objet
from services.notifications.messages.mjml import environnements
from services.notifications.messages.wording import REPERE_DE_REPONSE

# Private-use characters delimit a slot in rendered text; what people write is stripped of them.
_OUVRE, _FERME = "\ue000", "\ue001"
_FENTE = re.compile(f"{_OUVRE}([a-z_]+){_FERME}")
_RESERVES = re.compile("[\ue000\ue001]")
_FINS_DE_LIGNE = re.compile(r"\r\n|\r|\n")
_LIGNES_VIDES = re.compile(r"\n{3,}")
_SUR = re.compile(r"[\x21-\x7e]+")
_LIGNE_MAX = 76
_COUPURE_DOUCE = b"=\r\n"
# With « Subject: » before it a line has at most 76 characters: 39 bytes make 52 of base64.
_MOT_CLAIR, _MOT_OCTETS = 66, 39

FENTES = ("raisons", "desabonnement", "reponse", "code")
"""Slots that a template may use: `{{ fente.raisons }}`. `reponse` is the page where one person answers."""

_CREE = f"{_OUVRE}cree{_FERME}"
_QUAND = ("date_debut", "date_fin", "creneaux", "lieu", "a_distance")

POIDS_MAX = 100_000
"""Bytes of a whole mail, encoded; beyond some 102 kB large providers show only the beginning."""


class ValeurInterdite(ValueError):
    """A header value with anything but printable ASCII."""


class TropLourd(ValeurInterdite):
    """The content makes a mail of more than POIDS_MAX bytes."""


class VariableAbsente(LookupError):
    """The content lacks something that its message says."""


class SansCourriel(LookupError):
    """No mail says this: it is written as an SMS only."""


@dataclass(frozen=True)
class Rendu:
    """A message as people read it, its slots still open: subject, text, HTML, and a calendar file if days are known."""

    objet: str
    texte: str
    page: str
    agenda: str | None

    def rempli(self, corps: Mapping[str, str], at: dt.datetime) -> "Rendu":
        """With its slots filled, to be looked at."""
        valeurs = {**corps, "cree": horodatage(at)}
        return replace(
            self,
            texte=_FENTE.sub(lambda m: valeurs[m[1]], self.texte),
            page=_FENTE.sub(lambda m: html.escape(valeurs[m[1]]), self.page),
            agenda=self.agenda and _FENTE.sub(lambda m: valeurs[m[1]], self.agenda),
        )


class Modele:
    """A compiled message."""

    def __init__(self, morceaux: list[bytes | str]) -> None:
        """`morceaux`: bytes as they are, and names of slots: "h:" in a header, "t:" in the text, "x:" in the HTML,
        "a:" in the calendar file."""
        self._morceaux = morceaux

    def remplir(self, entetes: Mapping[str, str], corps: Mapping[str, str], at: dt.datetime) -> bytes:
        """The mail of one person, dated `at`. Raises ValeurInterdite."""
        valeurs: dict[str, bytes] = {f"h:{nom}": _ascii(valeur) for nom, valeur in entetes.items()}
        valeurs["date"] = format_datetime(at).encode("ascii")
        valeurs["a:cree"] = _encode(horodatage(at))
        for nom, valeur in corps.items():
            valeurs[f"t:{nom}"] = _encode(valeur)
            valeurs[f"x:{nom}"] = _encode(html.escape(valeur))
        return b"".join([m if isinstance(m, bytes) else valeurs[m] for m in self._morceaux])


class Compositeur:
    def __init__(self, public_url: str, nom: str, adresse: str, *, reponses: bool = False) -> None:
        """`nom` and `adresse` of the sender. `reponses`: mails of a conversation may be answered."""
        self._public_url = public_url.rstrip("/")
        self._nom = nom
        self.organisateur = Organisateur(nom, adresse)
        self._reponses = reponses
        self._domaine = adresse.rpartition("@")[2]
        # Of an alert, and of any other message.
        self._fixes = {alerte: self._entetes_fixes(formataddr((nom, adresse)), alerte) for alerte in (True, False)}

    def rendre(self, genre: Genre, donnees: Mapping[str, Any]) -> Rendu:
        """`donnees` are those of the content row; templates see them by name, without what marks slots.

        Raises VariableAbsente, or SansCourriel.
        """
        message = MESSAGES[genre]
        if not message.gabarit:
            raise SansCourriel(genre.value)
        if absentes := message.variables - donnees.keys():
            raise VariableAbsente(f"{genre}: {', '.join(sorted(absentes))}")
        connues = _sans_reserves(donnees)
        contexte = {
            **connues,
            "quand": connues if all(nom in connues for nom in _QUAND) else None,
            "fente": {nom: f"{_OUVRE}{nom}{_FERME}" for nom in FENTES},
            "public_url": self._public_url,
            "nom_du_site": self._nom,
            "genre": genre.value,
            # Private, and asked of the service annonces for one person: in no stored content.
            "rencontre": connues.get("rencontre"),
            "page": self.page(connues),
            "repere": f"{REPERE_DE_REPONSE}." if self._conversation(genre, donnees) and self._reponses else "",
        }
        en_texte, en_html = environnements()
        sujet = objet(genre, contexte)
        try:
            texte = en_texte.get_template(f"{message.gabarit}.j2").render(contexte)
            page = en_html.get_template(f"{message.gabarit}.j2").render(contexte, objet=sujet)
        except UndefinedError as error:
            raise VariableAbsente(f"{genre}: {error}") from error
        agenda = self._agenda(genre, contexte) if message.agenda else None
        return Rendu(sujet, _LIGNES_VIDES.sub("\n\n", texte).rstrip() + "\n", page, agenda)

    def compiler(self, genre: Genre, contenu_id: str, donnees: Mapping[str, Any]) -> Modele:
        """What `rendre` writes, as a mail. Raises VariableAbsente, SansCourriel, or TropLourd."""
        rendu = self.rendre(genre, donnees)
        empreinte = f"{binascii.crc32(contenu_id.encode()):08x}"
        alternatives = f"=_place_{empreinte}"
        type_ = f'multipart/alternative; boundary="{alternatives}"'
        corps: list[bytes | str] = [
            *_partie("plain", alternatives, rendu.texte, "t"),
            *_partie("html", alternatives, rendu.page, "x"),
            f"--{alternatives}--\r\n".encode(),
        ]
        if rendu.agenda is not None:
            entier = f"=_entier_{empreinte}"
            entete = f"--{entier}\r\nContent-Type: {type_}\r\n\r\n".encode()
            corps = [
                entete,
                *corps,
                *_partie_agenda(entier, rendu.agenda, str(MESSAGES[genre].agenda)),
                f"--{entier}--\r\n".encode(),
            ]
            type_ = f'multipart/mixed; boundary="{entier}"'
        fil = self._fil(self._conversation(genre, donnees))
        morceaux = [*fil, *self._entetes(rendu.objet, MESSAGES[genre].consentement, type_), *corps]
        if sum(map(len, morceaux)) > POIDS_MAX:
            raise TropLourd(f"{genre}: more than {POIDS_MAX} bytes")
        return Modele(morceaux)

    def _agenda(self, genre: Genre, contexte: Mapping[str, Any]) -> str | None:
        methode = MESSAGES[genre].agenda
        if contexte["quand"] is None or methode is None:
            return None
        rencontre = contexte["rencontre"] or {}
        sujet = Sujet(
            contexte.get("reponse_id") or contexte["annonce_id"],
            contexte["titre"],
            contexte["page"],
            contexte["quand"],
            contexte.get("sequence", 0),
            rencontre.get("lieu_prive") or "",
            rencontre.get("a_apporter") or "",
        )
        return calendrier([sujet], self.organisateur, _CREE, methode)

    def page(self, donnees: Mapping[str, Any]) -> str:
        """Where both sides of a reponse meet; of older contents, the page of the annonce."""
        if reponse_id := donnees.get("reponse_id"):
            return f"{self._public_url}/reponses/{reponse_id}"
        return f"{self._public_url}/annonces/{donnees.get('annonce_id', '')}"

    @staticmethod
    def _conversation(genre: Genre, donnees: Mapping[str, Any]) -> str | None:
        """The conversation to which a mail belongs."""
        return donnees.get("reponse_id") if MESSAGES[genre].conversation else None

    def _fil(self, conversation_id: str | None) -> list[bytes | str]:
        """The headers by which mail programs keep the mails of a conversation together, and send an answer to it."""
        if conversation_id is None:
            return []
        premier = f"<fil.{conversation_id}@{self._domaine}>"
        morceaux: list[bytes | str] = [f"In-Reply-To: {premier}\r\nReferences: {premier}\r\n".encode()]
        return [b"Reply-To: <", "h:repondre_a", b">\r\n", *morceaux] if self._reponses else morceaux

    def entetes(self, envoi_id: str, adresse: str, lien: str | None, repondre_a: str = "") -> dict[str, str]:
        """The header slots of one person: the Message-ID is that of the envoi, `lien` the address that unsubscribes,
        `repondre_a` the one to which they answer."""
        valeurs = {"a": adresse, "message_id": f"{envoi_id}@{self._domaine}"}
        if repondre_a:
            valeurs["repondre_a"] = repondre_a
        return {**valeurs, "desabonnement": lien} if lien else valeurs

    def lien_desabonnement(self, jeton: str) -> str:
        return f"{self._public_url}/desabonnement/{jeton}"

    def lien_reponse(self, jeton: str) -> str:
        """A page where one person answers: reading it changes nothing."""
        return f"{self._public_url}/repondre/{jeton}"

    def _entetes_fixes(self, expediteur: str, alerte: bool) -> bytes:
        fixe = EmailMessage(policy=SMTP)
        fixe["From"] = expediteur
        fixe["Auto-Submitted"] = "auto-generated"
        fixe["MIME-Version"] = "1.0"
        if alerte:
            fixe["List-Id"] = f"{self._nom} <alertes.{self._domaine}>"
            fixe["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return fixe.as_bytes().rstrip(b"\r\n") + b"\r\n"

    def _entetes(self, sujet: str, alerte: bool, type_: str) -> list[bytes | str]:
        morceaux: list[bytes | str] = [b"To: <", "h:a", b">\r\nMessage-ID: <", "h:message_id", b">\r\nDate: "]
        morceaux += ["date", b"\r\n"]
        if alerte:
            morceaux += [b"List-Unsubscribe: <", "h:desabonnement", b">\r\n"]
        # The type by hand: EmailMessage would add the boundaries of a body that it does not have.
        fin = f"Content-Type: {type_}\r\n\r\n".encode()
        return [*morceaux, f"Subject: {_mots(sujet)}\r\n".encode(), self._fixes[alerte], fin]


def _partie(type_: str, frontiere: str, rendu: str, prefixe: str) -> list[bytes | str]:
    entete = f"--{frontiere}\r\nContent-Type: text/{type_}; charset=utf-8\r\n"
    return [f"{entete}Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode(), *_corps(rendu, prefixe), b"\r\n"]


def _partie_agenda(frontiere: str, agenda: str, methode: str) -> list[bytes | str]:
    entete = (
        f"--{frontiere}\r\nContent-Type: text/calendar; charset=utf-8; method={methode}\r\n"
        'Content-Disposition: attachment; filename="rendez-vous.ics"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return [entete.encode(), *_corps(agenda, "a"), b"\r\n"]


def _corps(rendu: str, prefixe: str) -> list[bytes | str]:
    morceaux: list[bytes | str] = []
    # split() with one group: text, slot, text, slot … text.
    for rang, part in enumerate(_FENTE.split(rendu)):
        if rang % 2:
            morceaux.append(f"{prefixe}:{part}")
        elif part:
            morceaux.append(_encode_texte(part))
    return morceaux


def _mots(sujet: str) -> str:
    """A subject of one line as encoded words (RFC 2047). Header takes a third of a compilation for it."""
    if sujet.isascii() and len(sujet) <= _MOT_CLAIR and "=?" not in sujet:
        return sujet
    mots, mot = [], b""
    for caractere in sujet:
        octets = caractere.encode(errors="replace")
        if len(mot) + len(octets) > _MOT_OCTETS:
            mots.append(mot)
            mot = b""
        mot += octets
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(m).decode()}?=" for m in (*mots, mot))


def _encode_texte(texte: str) -> bytes:
    """Quoted-printable; line breaks stay as they are, and what follows the last of them ends as a value does."""
    *lignes, fin = _FINS_DE_LIGNE.sub("\n", texte).split("\n")
    return b"".join([_quoted_printable(ligne) + b"\r\n" for ligne in lignes]) + _ouverte(fin)


def _encode(valeur: str) -> bytes:
    """Quoted-printable, ending with a soft line break; line breaks are encoded."""
    return (b"=0A" + _COUPURE_DOUCE).join([_ouverte(ligne) for ligne in valeur.split("\n")])


def _ouverte(ligne: str) -> bytes:
    """A line that goes on: it ends with a soft line break, unless it is empty."""
    code = _quoted_printable(ligne)
    derniere = len(code) - (code.rfind(b"\n") + 1)
    if derniere >= _LIGNE_MAX:
        # One character too long for the "=" of the break: broken before its last one, which may be an =XX.
        coupe = len(code) - (3 if code[-3:-2] == b"=" else 1)
        code = code[:coupe] + _COUPURE_DOUCE + code[coupe:]
    return code + _COUPURE_DOUCE if derniere else code


def _quoted_printable(ligne: str) -> bytes:
    """`ligne` holds no "\\n": before one b2a_qp makes lines of 77 characters, and RFC 2045 allows 76."""
    return binascii.b2a_qp(ligne.encode(), istext=False, quotetabs=False).replace(b"=\n", _COUPURE_DOUCE)


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
