"""./place status: what runs, its health, and its lag."""

import asyncio
import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from contracts import topics
from deploy import layout
from deploy.errors import Impossible
from deploy.stack import embedded, external, health
from deploy.stack.embedded import Program, Stack
from deploy.stack.processes import BY_NAME, SERVERS
from deploy.stack.supervision import State, Supervisor
from kit.errors import is_outage
from kit.messaging import lag
from kit.messaging.lag import Lag


@dataclass(frozen=True)
class Row:
    """One line. ``uptime_s`` and ``age_s`` in seconds, ``retard`` in events; None where not applicable.

    ``retard`` and ``age_s`` are those of the whole service, whether or not its workers run; its first line has them.
    ``injoignables``: servers that the process cannot reach, although it may be ready.
    """

    nom: str
    etat: str
    pid: int | None
    uptime_s: int | None
    pret: bool
    version: str | None = None
    adresse: str | None = None
    retard: int | None = None
    age_s: float | None = None
    detail: str = ""
    injoignables: tuple[str, ...] = ()

    @property
    def bien(self) -> bool:
        return self.pret and not self.injoignables


def collect() -> list[Row]:
    """One row per server and process of the stack. Raises Impossible when the stack was never started."""
    place = layout.current()
    current = embedded.existing(place)
    supervisor = Supervisor(place)
    states = supervisor.states() if supervisor.pid() else {}
    rows = [
        Row(name, "EXTERNE", None, None, _reachable(name, url), adresse=external.hosts(url))
        for name, url in current.external.items()
    ]
    with ThreadPoolExecutor(8) as pool:
        rows += pool.map(lambda server: _server(current, server.name, states.get(server.name)), current.servers)
        programs = [program for program in current.programs() if program.health]
        lags = asyncio.run(_lags(current.urls()["KAFKA_URL"]))
        rows += pool.map(lambda program: _process(program, states.get(program.name), lags.get(program.name)), programs)
    return rows


async def _lags(kafka_url: str) -> dict[str, Lag]:
    """The process that reads for a service → how far its groups are behind; {} while Kafka does not answer."""
    try:
        return by_reader(await lag.measure(kafka_url, lag.with_retries(topics.groupes(), topics.SANS_REPRISE)))
    except Exception as error:
        if not is_outage(error):
            raise
        return {}


def by_reader(measured: Mapping[tuple[str, str], Lag]) -> dict[str, Lag]:
    """(group, topic) → lag, as the process that reads → events of all its groups, age of the oldest."""
    found: dict[str, Lag] = {}
    for (group, _), each in measured.items():
        # What was put aside has a group of its own: « matching.retry ».
        service = group.partition(".")[0]
        reader = service if service in BY_NAME else f"{service}-worker"
        so_far = found.get(reader, Lag(0, 0.0))
        found[reader] = Lag(so_far.events + each.events, max(so_far.oldest_s, each.oldest_s))
    return found


def _reachable(name: str, url: str) -> bool:
    try:
        external.check(f"{name.upper()}_URL", url)
    except Impossible:
        return False
    return True


def _server(current: Stack, name: str, state: State | None) -> Row:
    server = next(server for server in current.servers if server.name == name)
    alive = state is not None and state.pid > 0
    return Row(
        name,
        state.state if state else "ABSENT",
        state.pid if state and alive else None,
        state.uptime if state and alive else None,
        alive and server.answers(),
        version=server.version(),
        adresse=f"127.0.0.1:{server.port}",
        detail=state.message if state else "",
    )


def _process(program: Program, state: State | None, behind: Lag | None) -> Row:
    url = program.health or ""
    alive = state is not None and state.pid > 0
    return Row(
        program.name,
        state.state if state else "ABSENT",
        state.pid if state and alive else None,
        state.uptime if state and alive else None,
        alive and health.is_ready(url),
        adresse=url.split("/")[2],
        retard=behind.events if behind else None,
        age_s=round(behind.oldest_s, 3) if behind else None,
        detail=state.message if state else "",
        injoignables=tuple(health.servers_away(url)) if alive else (),
    )


def run(*, as_json: bool = False) -> bool:
    """Prints the table, or one line of JSON. Returns True when everything is ready and reaches its servers."""
    rows = collect()
    well = all(row.bien for row in rows)
    if as_json:
        print(json.dumps({"pret": well, "programmes": [asdict(row) for row in rows]}, ensure_ascii=False))
        return well
    table = Table(title=None, header_style="bold")
    for title in ("Programme", "État", "Pid", "Depuis", "Prêt", "Retard", "Plus ancien", "Adresse", "Version"):
        table.add_column(title, justify="right" if title in ("Pid", "Depuis", "Retard", "Plus ancien") else "left")
    last_server = [row for row in rows if row.nom in SERVERS][-1]
    for row in rows:
        ready = "[green]oui[/green]" if row.pret else "[red]non[/red]"
        table.add_row(
            row.nom,
            row.etat,
            str(row.pid or "—"),
            duration(row.uptime_s),
            ready,
            "" if row.retard is None else str(row.retard),
            "" if row.age_s is None else f"{row.age_s:.1f} s".replace(".", ","),
            row.adresse or "",
            row.version or row.detail or ("sans " + ", ".join(row.injoignables) if row.injoignables else ""),
            end_section=row is last_server,
        )
    # In a pipe, rich would cut the table at 80 columns.
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    return well


def duration(seconds: int | None) -> str:
    """ "3 h 05", "12 min", "40 s"."""
    if seconds is None:
        return "—"
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d}"
