"""What is measured of messages: by channel and outcome, never by person."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from contracts.envois import Etat, Motif
from contracts.notifications import Canal
from services.notifications.domain import non_envoye

ENVOIS = Counter("envois_total", "Messages by what became of one attempt", ["canal", "etat"])
REMISE_SECONDS = Histogram(
    "envoi_remise_seconds",
    "Time to hand one message to the provider",
    ["canal"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 20),
)
FILE = Gauge("envois_file", "Messages in the memory of this process that wait for a connection", ["canal"])
PLUS_ANCIEN = Gauge(
    "envois_plus_ancien_seconds", "For how long the oldest message that is due has waited to be handed over", ["canal"]
)
INJOIGNABLE = Counter("envois_injoignable_total", "Times that the provider of a channel was found away", ["canal"])
RETOURS = Counter("envois_retours_total", "What providers said later of a message", ["fournisseur", "verdict"])
SMS_RECUS = Counter("sms_recus_total", "SMS that people sent, by what they asked for", ["commande"])
COURRIELS_RECUS = Counter("courriels_recus_total", "Mails that came to addresses of ours, by what was done", ["issue"])
COURRIELS_REFUSES = Counter("courriels_refuses_total", "Mails and recipients refused, by the SMTP code", ["code"])
for _code in ("421", "450", "451", "452", "550", "552"):
    # Counted from 0, so that the curve exists before the first refusal.
    COURRIELS_REFUSES.labels(_code)
BASCULES = Counter("fournisseur_bascules_total", "Points moved from one provider to another", ["de", "vers", "raison"])
DEPENSE_SMS = Gauge("sms_depense_mois_euros", "What the SMS of this month have cost so far")
NOUS_REFUSE = Counter(
    "fournisseur_nous_refuse_total",
    "Times that a provider refused us whatever the message: settings, password, credit, quota, sender",
    ["canal", "fournisseur"],
)
NON_ENVOYES = Counter(
    "envois_non_envoyes_total",
    "Messages that will not be sent, by a reason of ours or a code of failure",
    ["motif"],
)

# Series that begin at 0: the first event of a kind is an increase, and a sum over none is 0.
for _motif in Motif:
    NON_ENVOYES.labels(_motif.value)
for _canal in Canal:
    INJOIGNABLE.labels(_canal.value)
    ENVOIS.labels(_canal.value, Etat.REMIS.value)


def compter_non_envoyes(fins: Iterable[tuple[Etat, str | None]]) -> None:
    """Counts those of some states and reasons that end messages unsent."""
    for etat, motif in fins:
        if raison := non_envoye(etat, motif):
            NON_ENVOYES.labels(raison).inc()
