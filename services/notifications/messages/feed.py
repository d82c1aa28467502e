"""The RSS feed of a profil: the annonces that matched it, and why. Pure.

Its address is secret, not its content: it says what is public of annonces, and reasons without name or place.
"""

import datetime as dt
import hashlib
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feedgenerator import Rss201rev2Feed

from contracts.envois import Motif
from services.notifications.domain import Cloture
from services.notifications.messages.signed_links import Lien, Liens, Usage
from services.notifications.messages.wording import NBSP, periode, une_ligne

MONTREES = 50
"""Annonces in one feed."""

MEDIA_TYPE = "application/rss+xml; charset=utf-8"

_RELIRE_MIN = 15
_EXTRAIT = 600
_ENVOI = "flux"

_EN_SERVICE = (
    f"Les annonces qui correspondent à votre alerte, les dernières d’abord. Cette adresse est la vôtre{NBSP}: "
    "gardez-la pour vous."
)
_ARRETEE = f"Vous avez arrêté cette alerte{NBSP}: ce flux ne reçoit plus rien. Vous pouvez le retirer de votre lecteur."

# What XML 1.0 has no way to write, even escaped.
_HORS_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Entree:
    """One annonce. `at`: when it matched first. `contenu`: the annonce as JSON; None: forgotten meanwhile.

    `cloture`: that of the version that is shown; None: it still needs somebody.
    """

    annonce_id: str
    titre: str
    pourquoi: str
    at: dt.datetime
    contenu: Mapping[str, Any] | None
    cloture: Cloture | None


def lien_flux(public_url: str, liens: Liens, profil_id: str) -> str:
    """The secret address of the feed of a profil, for a feed reader. The same for ever."""
    jeton = liens.signer(Lien(_ENVOI, profil_id), Usage.FLUX)
    return f"{public_url.rstrip('/')}/flux/{jeton}.xml"


def entrees(
    lignes: Iterable[Mapping[str, Any]],
    contenus: Mapping[str, Mapping[str, Any]],
    clotures: Mapping[str, Cloture],
) -> list[Entree]:
    """From rows of the ledger (any channel, any version), the newest annonces first, each once, as its last version
    says; what the person declined is left out. `contenus` by contenu_id, `clotures` by annonce_id."""
    par_annonce: dict[str, list[Mapping[str, Any]]] = {}
    for ligne in lignes:
        par_annonce.setdefault(ligne["annonce_id"], []).append(ligne)
    trouvees = [
        _entree(siennes, contenus, clotures.get(annonce_id))
        for annonce_id, siennes in par_annonce.items()
        if not any(_declinee(ligne) for ligne in siennes)
    ]
    return sorted(trouvees, key=lambda entree: (entree.at, entree.annonce_id), reverse=True)[:MONTREES]


def _declinee(ligne: Mapping[str, Any]) -> bool:
    return ligne.get("reponse") == "refuser" or ligne.get("motif") == Motif.ANNONCE_DECLINEE


def _entree(
    siennes: Sequence[Mapping[str, Any]], contenus: Mapping[str, Mapping[str, Any]], cloture: Cloture | None
) -> Entree:
    derniere = max(siennes, key=lambda ligne: int(ligne["version"]))
    close = cloture is not None and cloture.couvre(derniere["version"])
    return Entree(
        annonce_id=derniere["annonce_id"],
        titre=derniere.get("titre") or "Annonce",
        pourquoi=derniere.get("pourquoi") or "",
        at=min(ligne["cree_at"] for ligne in siennes),
        contenu=contenus.get(derniere["contenu_id"]),
        cloture=cloture if close else None,
    )


class _Rss(Rss201rev2Feed):  # type: ignore[misc]  # it ships no types
    """Without an entry the library says « now »: each reading would look like news."""

    def latest_post_date(self) -> dt.datetime:
        dates: list[dt.datetime] = [item["pubdate"] for item in self.items]
        return max(dates, default=self.feed["ouvert_at"])


def rediger(trouvees: Sequence[Entree], public_url: str, adresse: str, *, arretee: bool, now: dt.datetime) -> bytes:
    """The feed as XML. `adresse`: its own. `arretee`: the alert was unsubscribed; nothing more will come."""
    racine = public_url.rstrip("/")
    flux = _Rss(
        title="Place des assos – vos alertes",
        link=f"{racine}/",
        description=_ARRETEE if arretee else _EN_SERVICE,
        language="fr",
        feed_url=adresse,
        ttl=_RELIRE_MIN,
        ouvert_at=now.replace(hour=0, minute=0, second=0, microsecond=0),
    )
    for entree in trouvees:
        flux.add_item(
            title=_en_xml(_titre(entree)),
            link=f"{racine}/annonces/{entree.annonce_id}",
            description=_en_xml(_description(entree)),
            pubdate=entree.at,
            unique_id=f"annonce:{entree.annonce_id}",
            unique_id_is_permalink=False,
        )
    ecrit: str = flux.writeString("utf-8")
    return ecrit.encode()


def etag(corps: bytes) -> str:
    return f'"{hashlib.sha256(corps).hexdigest()[:32]}"'


def inchange(if_none_match: str | None, marque: str) -> bool:
    """RFC 9110 §13.1.2: a list of tags, weak or not, or *."""
    if if_none_match is None:
        return False
    connus = {connu.strip().removeprefix("W/") for connu in if_none_match.split(",")}
    return marque in connus or "*" in connus


def _titre(entree: Entree) -> str:
    titre = une_ligne(entree.titre)
    if entree.cloture is not None:
        marque = "Plus en ligne" if entree.cloture.definitive else "Déjà pourvue"
        return f"{marque}{NBSP}: {titre}"
    urgent = entree.contenu is not None and entree.contenu.get("urgent")
    return f"Urgent{NBSP}: {titre}" if urgent else titre


def _description(entree: Entree) -> str:
    """HTML, as readers show it. An annonce that was taken down is not repeated here: perhaps it had to go."""
    if entree.cloture is not None and entree.cloture.definitive:
        return _paragraphe("Cette annonce n’est plus en ligne.")
    faits = [f"Pour vous{NBSP}: {entree.pourquoi}"] if entree.pourquoi else []
    if entree.cloture is not None:
        faits.append("Tout ce qu’il fallait est trouvé.")
    if entree.contenu is not None:
        faits.append(periode(entree.contenu.get("date_debut"), entree.contenu.get("date_fin")))
        faits.append(_extrait(str(entree.contenu.get("description") or "")))
    return "".join(_paragraphe(fait) for fait in faits if fait)


def _paragraphe(texte: str) -> str:
    lignes = html.escape(texte, quote=False).splitlines()
    return f"<p>{'<br>'.join(lignes)}</p>"


def _extrait(texte: str) -> str:
    texte = texte.strip()
    if len(texte) <= _EXTRAIT:
        return texte
    coupe = texte[: _EXTRAIT - 1]
    return f"{(coupe.rpartition(' ')[0] or coupe).rstrip()}…"


def _en_xml(texte: str) -> str:
    return _HORS_XML.sub("", texte)
