"""Which group reads which topics: what the gateway measures of all of them (kit/lag.py)."""

from contracts import topics
from kit.deadletters import retry_topic

SERVICE = "gateway"


def groupes() -> dict[str, list[str]]:
    """Group → its topics, retry topics included.

    What a worker reads of its own service (the profils) it reads whole, in no group: there is no lag to know.
    """
    found: dict[str, list[str]] = {}
    for service in sorted({reader for topic in topics.TOPICS for reader in topic.readers}):
        if service == SERVICE:
            # It only forgets what has changed: nothing is tried again.
            found[service] = [topic.name for topic in topics.read_by(service)]
        else:
            found[service] = [topic.name for topic in topics.read_by(service) if topic.owner != service]
            found[f"{service}.retry"] = [retry_topic(name, service) for name in found[service]]
    return found
