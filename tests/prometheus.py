"""A Prometheus for tests: Debian's, with the rules as they are shipped, on the processes of a stack."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from deploy.layout import ROOT
from deploy.stack import ports
from deploy.stack.embedded import Stack
from deploy.stack.processes import replicas

_EVERY = "2s"


@dataclass(frozen=True)
class Prometheus:
    url: str

    async def ask(self, http: aiohttp.ClientSession, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant query that hold a number; none while it does not answer."""
        found = await self._get(http, "query", query=expression)
        return [sample for sample in found["data"]["result"] if sample["value"][1] != "NaN"] if found else []

    async def _get(self, http: aiohttp.ClientSession, path: str, **query: str) -> dict[str, Any]:
        try:
            async with http.get(f"{self.url}/api/v1/{path}", params=query) as answer:
                found: dict[str, Any] = await answer.json() if answer.status == 200 else {}
        except aiohttp.ClientConnectionError:
            return {}
        return found


@contextmanager
def prometheus(folder: Path, stack: Stack) -> Iterator[Prometheus]:
    """Scrapes every process of `stack` for the time of the `with`; data below `folder`."""
    targets = [
        {"targets": [urlsplit(stack.health_url(name)).netloc], "labels": {"processus": process.name}}
        for name, process in replicas(dict(stack.counts))
    ]
    config = folder / "prometheus.yml"
    # YAML holds JSON.
    config.write_text(
        json.dumps(
            {
                "global": {"scrape_interval": _EVERY, "scrape_timeout": _EVERY, "evaluation_interval": _EVERY},
                "rule_files": [str(ROOT / "deploy" / "observability" / "alertes.yml")],
                "scrape_configs": [{"job_name": "place", "static_configs": targets}],
            }
        )
    )
    address = f"127.0.0.1:{ports.pick()}"
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={address}",
        "--log.level=error",
    ]
    with subprocess.Popen(command) as server:
        try:
            yield Prometheus(f"http://{address}")
        finally:
            server.terminate()
