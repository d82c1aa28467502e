"""Metrics of moderation: how long the oldest dossier has waited, and the decisions."""

import datetime as dt

from prometheus_client import Counter, Gauge

from contracts.moderation import Issue

OLDEST = Gauge("moderation_oldest_open_seconds", "Age of the oldest dossier that waits before publication")
DECISIONS = Counter("moderation_decisions_total", "Decisions by issue", ["issue", "automatique"])


def compter(issue: Issue, *, automatique: bool) -> None:
    DECISIONS.labels(issue.value, "oui" if automatique else "non").inc()


def attente(since: dt.datetime | None, now: dt.datetime) -> None:
    """Sets the gauge; 0 when nothing waits."""
    OLDEST.set(max(0.0, (now - since).total_seconds()) if since else 0.0)
