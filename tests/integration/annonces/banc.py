"""What the tests of annonces work with: the service under test, bodies of requests, decisions of a moderator."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from contracts import references
from contracts.base import Evenement
from contracts.moderation import Decision, DecisionPrise, Issue, Motif, TypeCible
from kit.ids import new_id
from kit.messaging.events import Record, encode
from kit.messaging.processor import Processor
from kit.messaging.producer import Producer
from tests.attente import Bientot

Corps = dict[str, Any]


@dataclass
class Banc:
    """The service under test. `evenements` are those that it published on Kafka, in their order of arrival."""

    client: httpx.AsyncClient
    app: Any
    jeton: Callable[..., str]
    processor: Processor
    producer: Producer
    bientot: Bientot
    evenements: list[Any] = field(default_factory=list)

    async def appeler(
        self, methode: str, chemin: str, sub: str = "", *, roles: set[str] | None = None, **arguments: Any
    ) -> httpx.Response:
        entetes = {
            "Authorization": f"Bearer {self.jeton('annonces', sub=sub, roles=roles or set())}",
            **arguments.pop("headers", {}),
        }
        return await self.client.request(methode, chemin, headers=entetes, **arguments)

    async def traiter(self, event: Evenement, *, event_id: str = "") -> None:
        """Hands an event to the processor, as the consumer does, and returns when it has met its fate."""
        message = encode(event, event_id=event_id or new_id(), source="test", at=dt.datetime.now(dt.UTC))
        await self.processor.process([Record(message.topic, 0, 0, message.key, message.value, message.headers, 0)])

    async def publier(self, event: Evenement) -> None:
        """Sends an event over Kafka, as the other services do."""
        await self.producer.publish([encode(event, event_id=new_id(), source="test", at=dt.datetime.now(dt.UTC))])

    async def association(self, sub: str, **champs: Any) -> Corps:
        """A validated association whose only member is `sub`."""
        reponse = await self.appeler("POST", "/v1/associations", sub, json=corps_association(**champs))
        assert reponse.status_code == 201, reponse.text
        await self.traiter(decision(TypeCible.ASSOCIATION, reponse.json()["association_id"], 1))
        lue = await self.appeler("GET", f"/v1/associations/{reponse.json()['association_id']}", sub)
        assert lue.json()["etat"] == "validee"
        return dict(lue.json())

    async def publiee(self, sub: str, association_id: str, **champs: Any) -> Corps:
        """A published annonce of an association."""
        reponse = await self.appeler("POST", "/v1/annonces", sub, json=corps_besoin(association_id, **champs))
        assert reponse.status_code == 201, reponse.text
        await self.traiter(decision(TypeCible.ANNONCE, reponse.json()["annonce_id"], 1))
        return await self.lire(reponse.json()["annonce_id"], sub)

    async def lire(self, annonce_id: str, sub: str = "") -> Corps:
        reponse = await self.appeler("GET", f"/v1/annonces/{annonce_id}", sub)
        assert reponse.status_code == 200, reponse.text
        return dict(reponse.json())

    async def entendu(self, type_name: str, cle: str) -> Any:
        """The first event of this type for this aggregate (an id, or a reponse's id), once it has arrived."""

        def trouve() -> Any:
            return next((e for e in self.evenements if e.type_name() == type_name and cle in e.model_dump_json()), None)

        return await self.bientot(trouve)


def corps_association(**champs: Any) -> Corps:
    return {
        "nom": "Les Jardins de Fives",
        "rna": f"W59{new_id()[:7]}",
        "description": "Nous cultivons un jardin partagé avec les habitants du quartier.",
        "domaines": ["protection-de-la-nature"],
        "quartier": "fives",
        "engagement": {"version": references.version_engagement(), "accepte": True},
        **champs,
    }


def corps_besoin(association_id: str, **champs: Any) -> Corps:
    return {
        "auteur": {"type": "association", "association_id": association_id},
        "sens": "besoin",
        "nature": "logistique",
        "titre": "Une camionnette pour samedi",
        "description": "Nous cherchons une camionnette pour transporter du terreau samedi matin.",
        "categories": ["vehicule-transport"],
        "domaines": ["protection-de-la-nature"],
        "creneaux": ["samedi-matin"],
        "quartier": "fives",
        "places": 1,
        **champs,
    }


def corps_offre(**champs: Any) -> Corps:
    return {
        "auteur": {"type": "particulier"},
        "sens": "offre",
        "nature": "materiel",
        "titre": "Trente costumes à donner",
        "description": "Je donne trente costumes de scène en très bon état, de toutes tailles.",
        "categories": ["vetements-costumes"],
        "cession": "don",
        "lat": 50.63254,
        "lon": 3.08941,
        "places": 30,
        **champs,
    }


def decision(
    cible: TypeCible, cible_id: str, version: int, issue: Issue = Issue.APPROUVEE, motifs: list[Motif] | None = None
) -> DecisionPrise:
    return DecisionPrise(
        decision=Decision(
            decision_id=new_id(),
            dossier_id=new_id(),
            cible_type=cible,
            cible_id=cible_id,
            cible_version=version,
            cible_titre="titre",
            issue=issue,
            motifs=motifs or [],
            destinataires=["c1"],
            decidee_at=dt.datetime.now(dt.UTC),
        )
    )
