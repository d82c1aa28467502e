"""The table of topics: key, owner, readers, retention. Tests compare code, compose, manifests and documents with it."""

from dataclasses import dataclass

JOUR_MS = 24 * 3600 * 1000
SUR_LE_CHEMIN = 12
"""Partitions of the topics that every annonce passes through; it limits how many workers of a service can share the
work."""
A_COTE = 3
"""Partitions of the other topics. Few, because a consumer lists its partitions in every fetch, which took half of a
worker's CPU."""


@dataclass(frozen=True)
class Topic:
    """`readers` are consumer groups, named like their services. `retention_ms` None keeps the last event of each key
    without limit."""

    name: str
    key: str
    owner: str
    readers: tuple[str, ...]
    compact: bool
    retention_ms: int | None
    partitions: int = A_COTE

    @property
    def cleanup_policy(self) -> str:
        policies = ["compact"] * self.compact + ["delete"] * (self.retention_ms is not None)
        return ",".join(policies)


TOPICS: tuple[Topic, ...] = (
    Topic(
        "annonces.annonce.v1",
        "annonce_id",
        "annonces",
        ("moderation", "matching", "notifications", "gateway"),
        True,
        30 * JOUR_MS,
        SUR_LE_CHEMIN,
    ),
    Topic("annonces.association.v1", "association_id", "annonces", ("moderation", "gateway"), True, None),
    Topic("annonces.conversation.v1", "conversation_id", "annonces", ("notifications",), False, 7 * JOUR_MS),
    Topic("annonces.reponse.v1", "annonce_id", "annonces", ("notifications",), False, 7 * JOUR_MS),
    Topic(
        "moderation.decision.v1",
        "cible_id",
        "moderation",
        ("annonces", "notifications"),
        False,
        30 * JOUR_MS,
        SUR_LE_CHEMIN,
    ),
    Topic("matching.profil.v1", "profil_id", "matching", ("matching",), True, None),
    Topic(
        "matching.correspondance.v1",
        "annonce_id:lot",
        "matching",
        ("notifications",),
        False,
        7 * JOUR_MS,
        SUR_LE_CHEMIN,
    ),
    Topic("notifications.envoi.v1", "lot_id | envoi_id", "notifications", ("matching", "annonces"), False, 7 * JOUR_MS),
    Topic("notifications.reponse.v1", "annonce_id", "notifications", ("annonces",), False, 7 * JOUR_MS),
    Topic(
        "gateway.compte.v1",
        "compte_id",
        "gateway",
        ("annonces", "moderation", "matching", "notifications", "gateway"),
        True,
        None,
    ),
)

PAR_NOM: dict[str, Topic] = {topic.name: topic for topic in TOPICS}


def owned_by(service: str) -> list[Topic]:
    """The topics that `service` writes."""
    return [topic for topic in TOPICS if topic.owner == service]


def read_by(service: str) -> list[Topic]:
    """The topics that `service` consumes."""
    return [topic for topic in TOPICS if service in topic.readers]


SANS_REPRISE = frozenset({"gateway"})
"""Services that only drop cached values when they read an event, so they have no retry topics."""


def groupes() -> dict[str, list[str]]:
    """Consumer group → the topics that it reads; retry groups are not included.

    A service that reads its own topic reads all of it in every process, without a group, so it has no lag there.
    """
    found: dict[str, list[str]] = {}
    for service in sorted({reader for topic in TOPICS for reader in topic.readers}):
        found[service] = [topic.name for topic in read_by(service) if topic.owner != service or service in SANS_REPRISE]
    return found
