"""``python -m deploy.standins.sms_operators smsc|http``; see ``reglages`` for the variables."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import uvloop
from aiohttp import web

from deploy.standins.sms_operators import NOMS, Genre, controle, reglages
from deploy.standins.sms_operators.http import CallbackTarget, Fournisseur
from deploy.standins.sms_operators.pannes import Pannes
from deploy.standins.sms_operators.registre import IN_MEMORY, OperatorStore
from deploy.standins.sms_operators.reglages import ReglageFaux, Reglages
from deploy.standins.sms_operators.remise import CatcherClient
from deploy.standins.sms_operators.session import Acces
from deploy.standins.sms_operators.smsc import Smsc


async def main(genre: Genre, reglages: Reglages) -> None:
    """Serves until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    registre = ouvert(genre, reglages)
    # Both peers are on this machine or network: ignore the proxy configured in the environment.
    async with aiohttp.ClientSession(trust_env=False) as http:
        async with _application(genre, reglages, registre, http) as app:
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
            await runner.setup()
            await web.TCPSite(runner, reglages.host, reglages.port).start()
            await stop.wait()
            await runner.cleanup()
    registre.close()


@asynccontextmanager
async def _application(
    genre: Genre, reglages: Reglages, registre: OperatorStore, http: aiohttp.ClientSession
) -> AsyncIterator[web.Application]:
    pannes, courrier = Pannes(debit_par_s=reglages.debit_par_s), CatcherClient(http, reglages.catcher_url)
    if genre == "http":
        rappel = CallbackTarget(reglages.rappel_url, reglages.secret, reglages.cle)
        fournisseur = Fournisseur(rappel, registre, courrier, pannes, http, expediteur=reglages.expediteur)
        yield fournisseur.application()
        return
    smsc = Smsc(Acces(reglages.utilisateur, reglages.mot_de_passe), registre, courrier, pannes)
    await smsc.demarrer(reglages.host, reglages.smpp_port)
    try:
        yield controle.construire(smsc, reglages.expediteur)
    finally:
        await smsc.fermer()


def ouvert(genre: Genre, reglages: Reglages) -> OperatorStore:
    """Opens what was kept before. Ends the process with a sentence when the file cannot be used."""
    path = reglages.dossier / f"{NOMS[genre]}.sqlite3" if reglages.dossier else IN_MEMORY
    try:
        if reglages.dossier:
            # It contains numbers and texts: no other user of the machine may read it.
            reglages.dossier.mkdir(mode=0o700, parents=True, exist_ok=True)
        return OperatorStore(path)
    except (OSError, sqlite3.Error) as error:
        raise SystemExit(
            f"{path} est inutilisable ({error}) : un autre opérateur l’a ouvert, ou effacez-le."
        ) from error


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in NOMS:
        sys.exit("Usage : python -m deploy.standins.sms_operators smsc|http")
    kind: Genre = sys.argv[1]
    try:
        wanted = reglages.lire(kind, os.environ)
    except ReglageFaux as error:
        sys.exit(str(error))
    uvloop.run(main(kind, wanted))
