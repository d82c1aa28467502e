"""Traces leave the process when its environment names a collector, whole at its end, and without anybody's words."""

import subprocess
import sys

import pytest

from kit import telemetry
from tests.receveur import Receveur, receveur

_PROCESS = """
import sys
from kit import telemetry
telemetry.configure("essai", "worker")
with telemetry.span("cause", {}):
    cause = telemetry.inject()
with telemetry.span("batch", {}, links=telemetry.links([cause, cause, {}])):
    with telemetry.span("suite", cause):
        pass
with telemetry.spans("remise", [cause, cause, {}], kind=telemetry.SpanKind.CLIENT, attributes={"messages": 3}):
    pass
try:
    with telemetry.span("panne", cause):
        raise ValueError("quelqu-un@exemple.fr")
except ValueError:
    pass
telemetry.close()
sys.exit(any(name.startswith("opentelemetry.exporter") for name in sys.modules))
"""


def process(**environment: str) -> int:
    return subprocess.run([sys.executable, "-c", _PROCESS], env=environment, check=False).returncode


@pytest.fixture(scope="module")
def collected() -> Receveur:
    with receveur() as found:
        assert process(OTEL_EXPORTER_OTLP_ENDPOINT=found.url) == 1
    return found


def test_ce_qu_un_processus_a_fait_est_exporte_avant_sa_fin(collected: Receveur) -> None:
    spans = {span.name: span for span in collected.spans}
    assert set(spans) == {"cause", "batch", "suite", "remise", "panne"}
    assert {span.service for span in spans.values()} == {"essai-worker"}
    cause = spans["cause"]
    for name in ("suite", "remise", "panne"):
        assert (spans[name].trace, spans[name].parent) == (cause.trace, cause.span)


def test_un_lot_a_sa_trace_et_nomme_chacune_de_ses_causes_une_fois(collected: Receveur) -> None:
    spans = {span.name: span for span in collected.spans}
    assert spans["batch"].trace != spans["cause"].trace
    assert spans["batch"].links == {(spans["cause"].trace, spans["cause"].span)}
    assert spans["remise"].attributes == {"messages": 3}


def test_d_une_erreur_sort_le_type_et_non_ce_que_quelqu_un_a_ecrit(collected: Receveur) -> None:
    assert {span.error for span in collected.spans if span.name == "panne"} == {"ValueError"}
    assert not any(b"exemple.fr" in body for body in collected.brut)


def test_les_variables_usuelles_nomment_le_service() -> None:
    with receveur() as found:
        process(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{found.url}/v1/traces", OTEL_SERVICE_NAME="autre-nom")
    assert {span.service for span in found.spans} == {"autre-nom"}


@pytest.mark.parametrize("off", [{}, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}])
def test_rien_n_est_exporte_sans_avoir_ete_demande(off: dict[str, str]) -> None:
    with receveur() as found:
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": found.url} if off else {}
        assert process(**endpoint, **off) == 0
    assert found.brut == []


def test_un_evenement_exporte_sans_cause_commence_une_trace() -> None:
    first, second = telemetry.cause("essai"), telemetry.cause("essai")
    assert telemetry.trace_of(first) != telemetry.trace_of(second)
    with telemetry.span("requete", {}):
        assert telemetry.trace_of(telemetry.cause("essai")) == telemetry.trace_id()
