"""``python -m deploy.standins.mailbox``.

Environment: HOST, PORT (pages), SMTP_PORT, MAILS_MAX (number of mails kept), OPERATEURS (``name=url,…``: operators that
carry SMS sent by phones), ENTRANT (``host:port`` of the SMTP server that takes answers to mails; without it none can be
sent), DOSSIER (folder of the file with everything received, created if missing; without it
everything is kept in memory).
"""

import asyncio
import os
import signal
import sqlite3
from pathlib import Path

import uvloop
from aiohttp import web

from deploy.standins.mailbox import operateurs
from deploy.standins.mailbox.mail_store import IN_MEMORY, MailStore
from deploy.standins.mailbox.operateurs import Operateurs
from deploy.standins.mailbox.page import build
from deploy.standins.mailbox.smtp import Faults, serve


async def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    host = os.environ.get("HOST", "127.0.0.1")
    boite, faults = opened(), Faults()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    smtp = await serve(boite, faults, host, int(os.environ.get("SMTP_PORT", "1025")))
    runner = web.AppRunner(
        build(boite, faults, carriers(), os.environ.get("ENTRANT", "")), access_log=None, shutdown_timeout=1
    )
    await runner.setup()
    await web.TCPSite(runner, host, int(os.environ.get("PORT", "8025"))).start()
    await stop.wait()
    smtp.close()
    await runner.cleanup()
    boite.close()


def carriers() -> Operateurs:
    """Ends the process with a sentence when the variable is invalid."""
    try:
        return operateurs.lire(os.environ.get("OPERATEURS", ""))
    except ValueError as error:
        raise SystemExit(str(error)) from error


def opened() -> MailStore:
    """Opens what was kept before. Ends the process with a sentence when the file cannot be used."""
    path: Path | str = IN_MEMORY
    try:
        if folder := os.environ.get("DOSSIER"):
            # The mails contain codes and addresses: no other user of the machine may read them.
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            path = Path(folder) / "mails.sqlite3"
        return MailStore(path, int(os.environ.get("MAILS_MAX", "20000")))
    except (OSError, sqlite3.Error) as error:
        raise SystemExit(f"{path} est inutilisable ({error}) : un autre courrier l’a ouvert, ou effacez-le.") from error


if __name__ == "__main__":
    uvloop.run(main())
