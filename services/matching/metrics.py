"""Metrics of matching."""

from prometheus_client import Counter, Gauge, Histogram

PROFILS = Gauge("matching_index_profils", "Profils that can be found")
PROFILS_BASE = Gauge("matching_base_profils", "Profils of the database that are to be found")
SEARCH_SECONDS = Histogram(
    "matching_search_seconds",
    "Time of one search in the index",
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1),
)
CORRESPONDANCES = Counter("matching_correspondances_total", "Profils found for annonces")
ILLISIBLES = Counter("matching_profils_illisibles_total", "Records of the topic of profils that could not be read")
SEMAINE = Gauge(
    "matching_publications_semaine",
    "Annonces published this week, of the partitions of this worker",
    ["sens", "domaine", "quartier"],
)
