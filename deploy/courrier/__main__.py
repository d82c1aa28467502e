"""``python -m deploy.courrier``; environment: HOST, PORT (the page), SMTP_PORT, MAILS_MAX (how many are kept)."""

import asyncio
import os
import signal

import uvloop
from aiohttp import web

from deploy.courrier.boite import Boite
from deploy.courrier.page import build
from deploy.courrier.smtp import Faults, serve


async def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    host = os.environ.get("HOST", "127.0.0.1")
    boite, faults = Boite(int(os.environ.get("MAILS_MAX", "20000"))), Faults()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    smtp = await serve(boite, faults, host, int(os.environ.get("SMTP_PORT", "1025")))
    runner = web.AppRunner(build(boite, faults), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, host, int(os.environ.get("PORT", "8025"))).start()
    await stop.wait()
    smtp.close()
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(main())
