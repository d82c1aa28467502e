"""Time from the event of an urgent city-wide annonce to the last SMTP 250, compared with two simple senders in the same
run and on the same mail server.

The peers are a bare sender and a sender with one connection per mail (bench/expediteurs.py), one process each. On the
platform two workers share the annonce, as operators scale them. Rounds alternate (platform, bare, platform …; the slow
one-connection sender takes part in some of them) and each ratio is computed within a round, because the speed of the
machine drifts. Each round has its own people, because previous alerts use up their budget. At the end, 100,000 people
at once, and the memory of a worker.
"""

import asyncio
import datetime as dt
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import uvloop

from bench import besoin, certificat
from bench.expediteurs import CONNEXIONS, EXPEDITEURS
from bench.mail_sink import MailSink
from bench.mesures import Resume, rapport
from contracts.annonces import Annonce
from contracts.envois import Etat
from deploy import client, layout
from deploy.client import InternalApis, jusqu_a
from deploy.console import Steps
from deploy.errors import Impossible
from deploy.seed import profils as jeu
from deploy.stack.embedded import Stack, save_counts
from deploy.stack.supervision import Supervisor
from deploy.verbs import down, up
from kit.database import mongo
from kit.ids import new_id, stable_id
from kit.messaging.events import encode
from kit.messaging.outbox import WAITING
from kit.messaging.producer import Producer
from services.notifications.registre.ids import alertes_de

SEUIL_NU, SEUIL_UNITAIRE, SEUIL_MEMOIRE = 2.0, 5.0, 1.2
WORKERS = 2
"""As after `./place scale notifications=2`: the chunks of one annonce are shared by the workers."""
_PROCESSUS = ("notifications-api", "notifications-worker", "notifications-worker-2")
_CHAUFFE = 1
_UNITAIRE_TOUS_LES = 5
_PALIER = 10_000
# Memory is compared from this step on, when queues and caches are full.
_RSS_DE = 2


def run(as_json: bool, tours: int = 15, destinataires: int = 5700, foule: int = 100_000) -> bool:
    """Starts its own servers and workers, measures, and deletes them. Returns whether all targets are met.

    Raises Impossible when the ledger is incomplete or a mail arrived twice.
    """
    # The mail server runs in this process: pauses for garbage collection would be counted as time of the senders.
    gc.disable()
    figures = uvloop.run(_mesurer(Steps(), tours, destinataires, foule))
    if as_json:
        print(json.dumps(figures, ensure_ascii=False))
    else:
        _montrer(figures)
    return all(verdicts(figures).values())


def verdicts(figures: dict[str, Any]) -> dict[str, bool]:
    return {
        "nu": figures["rapport_nu"] <= SEUIL_NU,
        "unitaire": figures["rapport_unitaire"] >= SEUIL_UNITAIRE,
        "memoire": figures["memoire"]["croissance"] <= SEUIL_MEMOIRE,
    }


async def _mesurer(steps: Steps, tours: int, destinataires: int, foule: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="place-bench-") as folder:
        pem = certificat.faire(Path(folder))
        puits = MailSink(certificat.contexte(pem))
        server = await puits.servir()
        url = f"smtp://{certificat.HOTE}:{server.sockets[0].getsockname()[1]}?starttls=1"
        os.environ.setdefault("PLACE_CACHE", str(layout.cache()))
        # Inherited by the senders and the workers: they trust only this server.
        os.environ |= {"PLACE_DIR": str(Path(folder) / "pile"), "SMTP_URL": url, "SSL_CERT_FILE": str(pem)}
        try:
            # In a thread, because the worker connects to the mail server of this event loop when it starts.
            stack = await asyncio.to_thread(_demarrer, steps)
            async with client.session() as http:
                return await Banc(http, stack, steps, puits, url).mesurer(tours, destinataires, foule)
        finally:
            await asyncio.to_thread(down.run, wipe=True)


def _demarrer(steps: Steps) -> Stack:
    place = layout.current()
    place.make()
    save_counts(place.counts, {"notifications": WORKERS})
    stack = up.run(only_servers=True, steps=steps)
    programs = [program for program in stack.programs() if program.name in _PROCESSUS]
    up.start_programs(programs, Supervisor(stack.layout), steps)
    return stack


class Peer:
    """One of the two peers, running and waiting for rounds."""

    def __init__(self, nom: str, url: str) -> None:
        self._command = (sys.executable, "-m", "bench.expediteurs", nom, url)

    async def __aenter__(self) -> Self:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(*self._command, cwd=layout.ROOT, stdin=pipe, stdout=pipe)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._process.kill()
        await self._process.wait()

    async def envoyer(self, annonce: Annonce, debut: int, fin: int) -> float:
        """Sends a mail to each of these people. Returns the Unix time at which it began."""
        ordre = {"annonce": annonce.model_dump(mode="json"), "debut": debut, "fin": fin}
        await self._dire(json.dumps(ordre))
        await self._lire()
        await self._dire("")
        return float(await self._lire())

    async def _dire(self, ligne: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(ligne.encode() + b"\n")
        await self._process.stdin.drain()

    async def _lire(self) -> str:
        assert self._process.stdout is not None
        if not (ligne := await self._process.stdout.readline()):
            raise Impossible("Un expéditeur du banc s’est arrêté.")
        return ligne.decode().strip()


class Banc:
    def __init__(self, http: Any, stack: Stack, steps: Steps, puits: MailSink, url: str) -> None:
        self._interne = InternalApis(http, stack)
        self._steps, self._puits, self._url = steps, puits, url
        self._pids = [
            state.pid
            for name, state in Supervisor(stack.layout).states().items()
            if name.startswith("notifications-worker")
        ]
        self._db = mongo.connect(stack.urls()["MONGO_URL"], "notifications").db
        self._producer = Producer(stack.urls()["KAFKA_URL"])
        self._registre_ms: list[float] = []
        self._octets: dict[str, int] = {}

    async def mesurer(self, tours: int, destinataires: int, foule: int) -> dict[str, Any]:
        await self._contacts(max(foule, (tours + _CHAUFFE) * destinataires))
        try:
            temps = await self._tours(tours, destinataires)
            memoire = await self._memoire(foule)
        finally:
            await self._producer.stop()
        return {
            "destinataires": destinataires,
            "workers": WORKERS,
            "connexions": CONNEXIONS,
            **{f"{nom}_ms": vars(Resume.de(list(ms.values()))) for nom, ms in temps.items()},
            **{
                f"{nom}_par_s": round(destinataires / statistics.median(ms.values()) * 1000)
                for nom, ms in temps.items()
            },
            "octets": self._octets,
            "rapport_nu": _rapport(temps["place"], temps["nu"]),
            "rapport_unitaire": _rapport(temps["unitaire"], temps["place"]),
            "registre_ms": vars(Resume.de(self._registre_ms)),
            "memoire": memoire,
        }

    async def _contacts(self, nombre: int) -> None:
        at = dt.datetime.now(dt.UTC).isoformat()
        rows = [jeu.contact(besoin.personne(numero), at) for numero in range(nombre)]
        async for _ in self._interne.importer("notifications", "/v1/interne/contacts", rows):
            continue
        self._steps.say(f"{nombre} personnes joignables et d’accord")

    async def _tours(self, tours: int, destinataires: int) -> dict[str, dict[int, float]]:
        """Sender → round → milliseconds."""
        temps: dict[str, dict[int, float]] = {nom: {} for nom in ("place", *EXPEDITEURS)}
        async with Peer("nu", self._url) as nu, Peer("unitaire", self._url) as unitaire:
            voisins = {"nu": nu, "unitaire": unitaire}
            for tour in range(-_CHAUFFE, tours):
                debut = (tour + _CHAUFFE) * destinataires
                fin = debut + destinataires
                for nom, siens in temps.items():
                    if nom == "unitaire" and tour % _UNITAIRE_TOUS_LES:
                        continue
                    annonce = besoin.annonce(new_id(), dt.datetime.now(dt.UTC))
                    self._puits.vider()
                    if nom == "place":
                        start = await self._publier(annonce, range(debut, fin))
                    else:
                        start = await voisins[nom].envoyer(annonce, debut, fin)
                    await self._puits.attendre(destinataires, 300)
                    ms = (self._puits.dernier_at - start) * 1000
                    self._verifier(destinataires)
                    self._octets[nom] = self._puits.octets // destinataires
                    if nom == "place":
                        complet = await self._registre(annonce.annonce_id, destinataires, start)
                    if tour >= 0:
                        siens[tour] = ms
                if tour >= 0:
                    self._registre_ms.append(complet)
                self._steps.say(
                    "  ".join(f"{nom} {siens[tour]:.0f} ms" for nom, siens in temps.items() if tour in siens)
                )
        return temps

    def _verifier(self, nombre: int) -> None:
        recus, distincts = len(self._puits.adresses), len(set(self._puits.adresses))
        if (recus, distincts) != (nombre, nombre):
            raise Impossible(f"{recus} courriels reçus, {distincts} adresses, pour {nombre} personnes.")

    async def _publier(self, annonce: Annonce, numeros: Sequence[int]) -> float:
        """Publishes the events like the outbox of matching. Returns the Unix time at which it began."""
        now = dt.datetime.now(dt.UTC)
        messages = [
            encode(
                lot,
                event_id=stable_id("correspondances", annonce.annonce_id, annonce.version, lot.lot),
                source="matching",
                at=now,
            )
            for lot in besoin.lots(annonce, numeros)
        ]
        start = time.time()
        await self._producer.publish(messages)
        return start

    async def _registre(self, annonce_id: str, nombre: int, start: float) -> float:
        """Waits until every mail is marked as handed over in the ledger and the outbox is empty. Returns the
        milliseconds from `start` until the ledger was complete."""
        siennes = alertes_de(annonce_id)

        async def complet() -> bool:
            return bool(await self._db.envois.count_documents({**siennes, "etat": Etat.REMIS.value}) == nombre)

        async def rien_en_attente() -> bool:
            return await self._db.outbox.find_one(WAITING) is None

        await jusqu_a(complet, "registre complet")
        ms = (time.time() - start) * 1000
        await jusqu_a(rien_en_attente, "outbox vide")
        if await self._db.envois.count_documents(siennes) != nombre:
            raise Impossible(f"Le registre n’a pas {nombre} lignes pour cette annonce.")
        return ms

    async def _memoire(self, foule: int) -> dict[str, Any]:
        """Memory of the larger worker (MB) after each further 10,000 mails of one annonce."""
        annonce = besoin.annonce(new_id(), dt.datetime.now(dt.UTC))
        self._puits.vider()
        rss = [max(map(_rss_mo, self._pids))]
        publication = asyncio.create_task(self._publier(annonce, range(foule)))
        for nombre in range(_PALIER, foule + 1, _PALIER):
            await self._puits.attendre(nombre, 300)
            rss.append(max(map(_rss_mo, self._pids)))
            self._steps.say(f"{nombre} courriels remis : {rss[-1]:.0f} Mo")
        start = await publication
        secondes = self._puits.dernier_at - start
        self._verifier(foule)
        await self._registre(annonce.annonce_id, foule, start)
        return {
            "destinataires": foule,
            "courriels_par_s": round(foule / secondes),
            "rss_mo": rss,
            "croissance": round(rss[-1] / rss[min(_RSS_DE, len(rss) - 1)], 2),
        }


def _rapport(a: dict[int, float], b: dict[int, float]) -> float:
    """Ratio over the rounds that have both."""
    tours = sorted(a.keys() & b.keys())
    return rapport([a[tour] for tour in tours], [b[tour] for tour in tours])


def _rss_mo(pid: int) -> float:
    return round(int(psutil.Process(pid).memory_info().rss) / 1e6, 1)


def _montrer(figures: dict[str, Any]) -> None:
    tenus = verdicts(figures)
    garde, unitaire = "expéditeur nu, connexions gardées, pipeliné", "aiosmtplib.send(), une connexion par courriel"
    noms = {"place": "place, registre compris", "nu": garde, "unitaire": unitaire}
    print(
        f"{figures['destinataires']} alertes d’un besoin urgent, {figures['connexions']} connexions TLS par processus "
        f"({figures['workers']} workers pour la place), de l’événement au dernier 250"
    )
    print(f"{'':48}{'médiane':>10}{'p99':>10}{'courriels/s':>13}{'octets':>9}")
    for champ, nom in noms.items():
        resume = figures[f"{champ}_ms"]
        print(
            f"{nom:48}{resume['mediane']:>7.0f} ms{resume['p99']:>7.0f} ms"
            f"{figures[f'{champ}_par_s']:>13}{figures['octets'][champ]:>9}"
        )
    print(f"Rapport à l’expéditeur nu : {figures['rapport_nu']} (seuil {SEUIL_NU} : {_mot(tenus['nu'])})")
    print(
        f"Fois plus vite qu’une connexion par courriel : {figures['rapport_unitaire']} "
        f"(seuil {SEUIL_UNITAIRE} : {_mot(tenus['unitaire'])})"
    )
    print(
        f"Registre : toutes les lignes « remis », aucun courriel en double ; complet "
        f"{figures['registre_ms']['mediane']:.0f} ms après l’événement (médiane)"
    )
    memoire = figures["memoire"]
    print(f"{memoire['destinataires']} destinataires d’un coup : {memoire['courriels_par_s']} courriels/s")
    poids = " ".join(map(str, memoire["rss_mo"]))
    print(f"Mémoire du plus gros worker, à 0 puis tous les {_PALIER} courriels, en Mo : {poids}")
    print(
        f"Croissance depuis {_RSS_DE * _PALIER} : {memoire['croissance']} "
        f"(seuil {SEUIL_MEMOIRE} : {_mot(tenus['memoire'])})"
    )
    sys.stdout.flush()


def _mot(tenu: bool) -> str:
    return "tenu" if tenu else "PAS TENU"
