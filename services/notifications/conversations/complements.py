"""What a message says that is stored nowhere here: texts of messages and meeting points, asked of the service annonces
when the message is handed over. What was erased meanwhile is not written any more."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Protocol

from babel.dates import format_datetime

from contracts.commun import PARIS
from services.notifications.conversations.engagements import Dit, Engagements, sequence_suivante
from services.notifications.domain import Genre
from services.notifications.messages.calendar_file import Sujet
from services.notifications.registre.rows import Ligne
from services.notifications.registre.store import Registre

_RENCONTRES = frozenset({Genre.REPONSE_ACCEPTEE, Genre.RAPPEL})
_ANNULATIONS = frozenset({Genre.REPONSE_DECLINEE, Genre.REPONSE_DECLINEE_MOT, Genre.PLACE_LIBEREE, Genre.BESOIN_RETIRE})
COMPLETES = _RENCONTRES | _ANNULATIONS | {Genre.MESSAGE_RECU}
"""The messages that are completed, where their content names a reponse; contents of older versions do not."""


class HorsConversation(LookupError):
    """The person is not part of the conversation any more."""


class Reponse(Protocol):
    """As kit.http.internal_calls.Answer."""

    @property
    def status(self) -> int: ...

    @property
    def content(self) -> Mapping[str, Any]: ...


class Annonces(Protocol):
    """The API of the service annonces, as kit.http.internal_calls.InternalApi calls it. Raises ServiceAway."""

    async def call(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, content: object = None
    ) -> Reponse: ...


class Complements:
    def __init__(self, annonces: Annonces, registre: Registre, engagements: Engagements) -> None:
        self._annonces = annonces
        self._registre = registre
        self._engagements = engagements

    async def pour(self, ligne: Ligne, genre: Genre, donnees: Mapping[str, Any]) -> dict[str, Any]:
        """What is added to the content of one row. Raises ServiceAway, HorsConversation, or LookupError."""
        if genre is Genre.MESSAGE_RECU:
            return await self._messages(ligne, donnees["reponse_id"])
        if genre in _RENCONTRES:
            return await self._rencontre(donnees["reponse_id"], ligne["compte_id"])
        return await self._annulation(donnees["reponse_id"])

    async def _messages(self, ligne: Ligne, conversation_id: str) -> dict[str, Any]:
        """Its messages as stored now: others may have joined them while the row waited."""
        pour = {"pour": ligne["compte_id"]}
        lus: list[dict[str, Any]] = []
        titre, ouverte = "", True
        for message_id in await self._registre.messages(ligne["_id"]):
            chemin = f"/v1/interne/conversations/{conversation_id}/messages/{message_id}"
            lue = await self._annonces.call("GET", chemin, query=pour)
            if lue.status == 404:
                lus.append({"de": "Message", "texte": None, "quand": "effacé"})
                continue
            trouve = _contenu(lue)
            titre, ouverte = trouve["annonce_titre"], trouve["ouverte"]
            lus.append({"de": trouve["de_nom"], "texte": trouve["texte"], "quand": _heure(trouve["ecrit_at"])})
        return {
            "titre": await self._registre.nommer(ligne["contenu_id"], titre or "une annonce"),
            "messages": lus,
            "ouverte": ouverte,
        }

    async def _rencontre(self, reponse_id: str, compte_id: str) -> dict[str, Any]:
        lue = await self._demander_rencontre(reponse_id, compte_id)
        if lue.status == 404:
            return {"rencontre": {"effacee": True}}
        if lue.status == 403:
            # Not accepted any more, or not yet: the message says what everybody may know.
            return {}
        trouve = _contenu(lue)
        quand = _quand(trouve)
        sequence = sequence_suivante(await self._engagements.dit(reponse_id), trouve["sequence"])
        await self._engagements.noter_dit(reponse_id, Dit(quand, sequence, annule=False))
        rencontre = {nom: trouve[nom] or "" for nom in ("nom_autre", "lieu_prive", "a_apporter")}
        return {**quand, "sequence": sequence, "rencontre": {**rencontre, "effacee": False}}

    async def sujets(self, compte_id: str, public_url: str) -> list[Sujet]:
        """What somebody is expected for. Raises ServiceAway."""
        trouves = []
        for reponse_id in await self._engagements.du_compte(compte_id):
            lue = await self._demander_rencontre(reponse_id, compte_id)
            if lue.status == 200:
                trouves.append(_sujet(reponse_id, lue.content, f"{public_url.rstrip('/')}/reponses/{reponse_id}"))
        return trouves

    async def _demander_rencontre(self, reponse_id: str, compte_id: str) -> Reponse:
        return await self._annonces.call("GET", f"/v1/interne/rencontres/{reponse_id}", query={"pour": compte_id})

    async def _annulation(self, reponse_id: str) -> dict[str, Any]:
        """Withdraws what a calendar was told, if it was told anything."""
        dit = await self._engagements.dit(reponse_id)
        if dit is None:
            return {}
        sequence = dit.sequence if dit.annule else dit.sequence + 1
        await self._engagements.noter_dit(reponse_id, Dit(dit.quand, sequence, annule=True))
        return {**dit.quand, "sequence": sequence}


def _contenu(lue: Reponse) -> Mapping[str, Any]:
    if lue.status == 403:
        raise HorsConversation
    if lue.status != 200:
        raise LookupError(f"annonces answered {lue.status}")
    return lue.content


def _quand(trouve: Mapping[str, Any]) -> dict[str, Any]:
    """As in the JSON of an annonce."""
    quand = {nom: trouve[nom] for nom in ("date_debut", "date_fin", "creneaux", "a_distance")}
    return {**quand, "lieu": {"quartier": trouve["quartier"]}}


def _sujet(reponse_id: str, trouve: Mapping[str, Any], lien: str) -> Sujet:
    return Sujet(
        reponse_id,
        trouve["annonce_titre"],
        lien,
        _quand(trouve),
        trouve["sequence"],
        trouve["lieu_prive"] or "",
        trouve["a_apporter"] or "",
    )


def _heure(ecrit_at: str) -> str:
    """« samedi 28 novembre à 14:02 » for an ISO date and time."""
    at = dt.datetime.fromisoformat(ecrit_at).astimezone(PARIS)
    return format_datetime(at, "EEEE d MMMM 'à' HH:mm", locale="fr")
