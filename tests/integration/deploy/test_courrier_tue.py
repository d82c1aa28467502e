"""The catcher killed with -9: what it said 250 to is there when it starts again."""

import json
import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from deploy.layout import ROOT
from deploy.stack import ports
from deploy.stack.processes import CATCHER_MODULE
from deploy.stack.servers.waiting import wait_until

NUMBER = 200


class Catcher:
    """A real process on ports and in a folder that outlive it."""

    def __init__(self, folder: Path) -> None:
        self.page = ports.pick()
        self.smtp = ports.pick([self.page])
        self._variables = {"PORT": str(self.page), "SMTP_PORT": str(self.smtp), "DOSSIER": str(folder)}

    @contextmanager
    def running(self) -> Iterator[Callable[[], None]]:
        """Started and answering; yields what kills it."""
        environment = {**os.environ, "HOST": "127.0.0.1", **self._variables}
        process = subprocess.Popen([sys.executable, "-m", CATCHER_MODULE], cwd=ROOT, env=environment)

        def kill() -> None:
            process.send_signal(signal.SIGKILL)
            process.wait()

        try:
            ended = f"le courrier s’est arrêté : {process.args!r}"
            wait_until(self._answers, "le courrier", 30, lambda: ended if process.poll() is not None else None)
            yield kill
        finally:
            process.terminate()
            process.wait(20)

    def get(self, path: str) -> Any:
        with urlopen(f"http://127.0.0.1:{self.page}{path}", timeout=20) as answer:
            return json.load(answer)

    def send(self, connection: smtplib.SMTP, number: int) -> int:
        """The id that the answer to DATA names."""
        connection.mail("alertes@example.org")
        connection.rcpt(f"benevole{number}@example.org")
        code, text = connection.data(
            f"Subject: Besoin {number}\r\nMessage-ID: <{number}@x>\r\n\r\nBonjour\r\n".encode()
        )
        assert code == 250, text
        return int(text.split()[-1])

    def _answers(self) -> bool:
        try:
            return bool(self.get("/sante/pret"))
        except (URLError, ConnectionError):
            return False


def test_ce_qui_est_acquitte_survit_a_un_arret_brutal(tmp_path: Path) -> None:
    catcher = Catcher(tmp_path / "courrier")
    acknowledged: dict[int, int] = {}
    with catcher.running() as kill:
        connection = smtplib.SMTP("127.0.0.1", catcher.smtp)
        connection.ehlo()
        for number in range(NUMBER):
            acknowledged[catcher.send(connection, number)] = number
        before = catcher.get("/api/mails?limite=5000")
        kill()
        connection.close()
    with catcher.running():
        after = catcher.get("/api/mails?limite=5000")
        assert after == before
        assert {mail["id"]: int(mail["sujet"].split()[1]) for mail in after} == acknowledged
        assert len(acknowledged) == NUMBER
        with smtplib.SMTP("127.0.0.1", catcher.smtp) as connection:
            connection.ehlo()
            assert catcher.send(connection, NUMBER) == max(acknowledged) + 1
        assert catcher.get("/api/compte") == {"total": NUMBER + 1, "gardes": NUMBER + 1, "dernier": NUMBER + 1}
        (found,) = catcher.get("/api/mails?a=BENEVOLE7@example.org")
        assert catcher.get(f"/api/mails/{found['id']}")["texte"].strip() == "Bonjour"
