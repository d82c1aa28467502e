"""./place seed: fills the platform with plausible data for a whole city, through the APIs of the services."""

import asyncio
import datetime as dt
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy import client, layout
from deploy.client import InternalApis, RequestRefused, jusqu_a
from deploy.errors import Impossible
from deploy.seed import profils as jeu
from deploy.seed import textes
from deploy.stack import embedded

T = TypeVar("T")
R = TypeVar("R")

_SIDE_BY_SIDE = 12
# The moderator of the generated data, as shown in the audit trail.
_MODERATOR = "seed-moderation"


def run(associations: int, annonces: int, profils: int, graine: int) -> None:
    """Nobody is alerted about generated annonces, neither generated nor real people. Raises Impossible."""
    current = embedded.existing(layout.current())
    try:
        asyncio.run(_run(current, associations, annonces, profils, graine))
    except RequestRefused as refus:
        if refus.status == 409:
            raise Impossible(
                f"La graine {graine} a déjà servi ici ({refus}) : prenez-en une autre avec --graine."
            ) from refus
        raise Impossible(f"Un service a refusé une donnée générée ({refus}) : « ./place logs ».") from refus
    except aiohttp.ClientConnectionError as error:
        raise Impossible(f"La plateforme ne répond pas ({error}) : lancez « ./place up » d’abord.") from error


async def _run(current: embedded.Stack, associations: int, annonces: int, profils: int, graine: int) -> None:
    columns = TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    async with client.session() as http:
        interne = InternalApis(http, current)
        with Progress(*columns, console=Console(file=sys.stderr)) as progress:
            owners = await _associations(interne, list(textes.associations(associations, graine)), graine, progress)
            if annonces and not owners:
                raise Impossible("Il faut au moins une association pour des annonces : --associations 1.")
            tirage = random.Random(f"annonces-{graine}")
            bodies = [textes.annonce(tirage, tirage.choice(list(owners))) for _ in range(annonces)]
            await _annonces(interne, bodies, owners, progress)
            await _profils(interne, jeu.profils(profils, graine, f"seed{graine}"), profils, progress)


async def _associations(
    interne: InternalApis, bodies: list[dict[str, Any]], graine: int, progress: Progress
) -> dict[str, str]:
    """Association id → the account that owns it."""

    async def one(numbered: tuple[int, dict[str, Any]]) -> str:
        number, body = numbered
        responsable = _owner(graine, number)
        association = await interne.client("annonces", responsable).post("/v1/associations", body)
        await _approve(interne, association["association_id"])
        return str(association["association_id"])

    task = progress.add_task("associations validées", total=len(bodies))
    ids = await _each(list(enumerate(bodies)), one, lambda: progress.advance(task))
    owners = {id_: _owner(graine, number) for number, id_ in enumerate(ids)}
    for id_, owner in owners.items():
        await jusqu_a(partial(_validated, interne, id_, owner), "association validée", 120)
    return owners


def _owner(graine: int, number: int) -> str:
    return f"seed{graine}-responsable-{number:06d}"


async def _validated(interne: InternalApis, association_id: str, owner: str) -> bool:
    client_ = interne.client("annonces", owner)
    return bool((await client_.get(f"/v1/associations/{association_id}"))["etat"] == "validee")


async def _annonces(
    interne: InternalApis, bodies: list[dict[str, Any]], owners: dict[str, str], progress: Progress
) -> None:
    async def one(body: dict[str, Any]) -> None:
        owner = owners[body["auteur"]["association_id"]]
        annonce = await interne.client("annonces", owner, ["systeme"]).post("/v1/interne/annonces", body)
        await _approve(interne, annonce["annonce_id"])

    task = progress.add_task("annonces publiées", total=len(bodies))
    await _each(bodies, one, lambda: progress.advance(task))


async def _approve(interne: InternalApis, cible_id: str) -> None:
    async def dossier() -> Any:
        agent = interne.client("moderation", _MODERATOR, ["moderateur"])
        found = await agent.get(f"/v1/moderation/dossiers?etat=a_traiter&cible_id={cible_id}")
        return found["dossiers"][0] if found["dossiers"] else None

    path = f"/v1/moderation/dossiers/{(await jusqu_a(dossier, 'dossier de modération', 120))['dossier_id']}"
    agent = interne.client("moderation", _MODERATOR, ["moderateur"])
    bail = await agent.post(f"{path}/prise")
    await agent.post(f"{path}/decision", {"issue": "approuvee", "motifs": [], "jeton_bail": bail["jeton_bail"]})


async def _profils(interne: InternalApis, rows: Iterable[dict[str, Any]], total: int, progress: Progress) -> None:
    at = dt.datetime.now(dt.UTC).isoformat()
    task = progress.add_task("profils et contacts", total=total)
    for lot in _lots(rows, 5000):
        contacts = [jeu.contact(profil["compte_id"], at) for profil in lot]
        await _exhaust(interne.importer("notifications", "/v1/interne/contacts", contacts))
        await _exhaust(interne.importer("matching", "/v1/interne/profils", lot))
        progress.advance(task, len(lot))


def _lots(rows: Iterable[T], size: int) -> Iterable[list[T]]:
    iterator = iter(rows)
    while lot := list(islice(iterator, size)):
        yield lot


async def _exhaust(lots: AsyncIterator[int]) -> None:
    async for _ in lots:
        continue


async def _each(items: Sequence[T], one: Callable[[T], Awaitable[R]], done: Callable[[], None]) -> list[R]:
    """Runs `one` for every item, several at a time; returns the results in order. The first error ends it."""
    gate = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def limited(item: T) -> R:
        async with gate:
            result = await one(item)
            done()
            return result

    return list(await asyncio.gather(*(limited(item) for item in items)))
