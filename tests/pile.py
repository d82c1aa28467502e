"""The whole system for tests: a stack of its own (`./place up` in a folder of its own), and people who use it."""

import asyncio
import dataclasses
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from deploy import client, layout
from deploy.client import CODE, Client, InternalApis, MailCatcher, PhoneCatcher, RequestRefused, connexion, jusqu_a
from deploy.demo import attendu
from deploy.seed import profils as jeu
from deploy.seed import textes
from deploy.stack import health, ports
from deploy.stack.embedded import PREFERRED_PORTS, Stack
from deploy.verbs import down, moderateur, up

_SERVERS = ("MONGO_URL", "REDIS_URL", "KAFKA_URL", "SMTP_URL", "SMPP_URL", "SMS_HTTP_URL", "PUBLIC_URL")


@contextmanager
def pile(folder: Path, collecteur: str) -> Iterator[Stack]:
    """Servers and processes, everything below `folder`, ended at the end. Trusted associations publish at once.

    `collecteur`: where they send their traces.
    """
    kept = dict(os.environ)
    for name in _SERVERS:
        # The stack is killed and stopped in these tests: it must be ours.
        os.environ.pop(name, None)
    os.environ |= {
        "PLACE_CACHE": str(layout.cache()),
        "PLACE_DIR": str(folder),
        "POLITIQUE": "confiance",
        "BUDGET_SEMAINE": "0",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collecteur,
        "OTEL_BSP_SCHEDULE_DELAY": "500",
    }
    try:
        # Not the ports that `./place up` prefers: two stacks that start at once would both find them free.
        yield up.run(wished={name: ports.pick() for name in PREFERRED_PORTS})
    finally:
        down.run(wipe=False)
        os.environ.clear()
        os.environ |= kept


@dataclasses.dataclass
class Ville:
    """The people of one test, on one stack: addresses are random, so that tests do not meet."""

    http: aiohttp.ClientSession
    stack: Stack
    courrier: MailCatcher
    interne: InternalApis
    telephones: PhoneCatcher
    suffixe: str = dataclasses.field(default_factory=lambda: secrets.token_hex(4))
    agent: Client | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.stack.ports['gateway']}"

    @property
    def kafka(self) -> str:
        return self.stack.urls()["KAFKA_URL"]

    def adresse(self, nom: str) -> str:
        return f"{nom}.{self.suffixe}@essai.example.org"

    def visiteur(self) -> Client:
        return Client(self.http, self.base)

    async def entrer(self, nom: str) -> Client:
        """Somebody signs in by a code."""
        return await connexion(self.http, self.base, self.courrier, self.adresse(nom))

    async def donner_un_numero(self, qui: Client) -> str:
        """Somebody proves a number by the code that it receives, and so agrees to SMS; returns it."""
        # 06 39 98 00 00 to 99 99: what ARCEP keeps for fiction.
        numero = f"+3363998{secrets.randbelow(10**4):04d}"
        before = await self.telephones.dernier_id()
        await qui.post("/v1/mes/telephone", {"numero": numero})
        code = CODE.search((await self.telephones.attendre(numero, before))["texte"])
        assert code is not None
        await qui.post("/v1/mes/telephone/confirmation", {"code": code[1]})
        return numero

    async def sms(self, numero: str, extrait: str) -> dict[str, Any]:
        """The latest SMS of a phone that holds `extrait`, once it is there."""

        async def recu() -> Any:
            siens = await self.telephones.sms(0, numero)
            return next((sms for sms in reversed(siens) if extrait in sms["texte"]), None)

        found: dict[str, Any] = await jusqu_a(recu, f"SMS « {extrait} »")
        return found

    async def moderer(self) -> Client:
        """The moderator of this test, signed in once."""
        if self.agent is None:
            code = await asyncio.to_thread(moderateur.run, self.adresse("moderation"))
            assert code == 0
            self.agent = await self.entrer("moderation")
        return self.agent

    async def decider(self, cible_id: str, issue: str, motifs: Sequence[dict[str, Any]] = ()) -> None:
        agent = await self.moderer()

        async def ouvert() -> Any:
            found = await agent.get(f"/v1/moderation/dossiers?etat=a_traiter&cible_id={cible_id}")
            return found["dossiers"]

        dossier = (await jusqu_a(ouvert, "dossier"))[0]
        path = f"/v1/moderation/dossiers/{dossier['dossier_id']}"
        bail = (await agent.post(f"{path}/prise"))["jeton_bail"]
        await agent.post(f"{path}/decision", {"issue": issue, "motifs": list(motifs), "jeton_bail": bail})

    async def association(self, responsable: Client, *, confiance: bool = False) -> str:
        """A validated association of `responsable`; with `confiance` its annonces are published at once."""
        body = next(textes.associations(1, 1)) | {"rna": f"W59{secrets.randbelow(10**7):07d}"}
        association_id = str((await responsable.post("/v1/associations", body))["association_id"])
        await self.decider(association_id, "approuvee")
        await self.etat(responsable, f"/v1/associations/{association_id}", "validee")
        if confiance:
            agent = await self.moderer()

            async def accordee() -> bool:
                path = f"/v1/moderation/associations/{association_id}/confiance"
                try:
                    await agent.call("PUT", path, {"confiance": True})
                except RequestRefused as refus:
                    if refus.status != 409:
                        raise
                    return False
                return True

            await jusqu_a(accordee, "association de confiance")
        return association_id

    async def etat(self, qui: Client, path: str, etat: str) -> dict[str, Any]:
        """Waits until what lies at `path` is in the state `etat`; returns it."""

        async def atteint() -> Any:
            found = await qui.get(path)
            return found if found["etat"] == etat else None

        found: dict[str, Any] = await jusqu_a(atteint, f"{path} {etat}")
        return found

    async def index_a_jour(self) -> None:
        """Waits until every profil that was written is in the index of every matching worker."""

        async def indexes() -> bool:
            # Each time anew: a topic that lost its records fills again meanwhile.
            actifs = sum(profil.actif for profil in (await attendu.profils(self.kafka)).values())
            for program in self.stack.programs():
                if program.name.startswith("matching-worker"):
                    metrics = str(await Client(self.http, self.stack.health_url(program.name)).get("/metrics"))
                    line = next(line for line in metrics.splitlines() if line.startswith("matching_index_profils "))
                    if int(float(line.split()[1])) != actifs:
                        return False
            return True

        await jusqu_a(indexes, "index à jour")

    async def alertes(self, titre: str, nombre: int, secondes: float = 60) -> list[dict[str, Any]]:
        """The alerts about `titre` (a unique title), once `nombre` of them have reached people of this test."""

        async def arrivees() -> list[dict[str, Any]]:
            mails = [mail for mail in await self.courrier.mails(0, sujet=titre) if mail["sujet"] == titre]
            return mails if len(self.alertes_des_siens(mails)) >= nombre else []

        found: list[dict[str, Any]] = await jusqu_a(arrivees, f"alertes « {titre} »", secondes)
        return found

    def alertes_des_siens(self, mails: list[dict[str, Any]]) -> list[str]:
        """The addresses of this test's own people among the recipients, in order: others share the stack."""
        return sorted(a for mail in mails for a in mail["a"] if a.endswith(f".{self.suffixe}@essai.example.org"))


def annonce(association_id: str, titre: str, categorie: str = "mobilier", **plus: Any) -> dict[str, Any]:
    """The body of a besoin for objects in Lille-Centre."""
    return {
        "auteur": {"type": "association", "association_id": association_id},
        "sens": "besoin",
        "nature": "materiel",
        "titre": titre,
        "description": "Nous cherchons des tables et des chaises pour notre local, en bon état si possible.",
        "categories": [categorie],
        "cession": "don",
        "quartier": "lille-centre",
        "places": 3,
        **plus,
    }


def profil(categorie: str = "mobilier", **plus: Any) -> dict[str, Any]:
    """The body of a subscription to besoins for such objects within 10 km of Lille-Centre."""
    return {"sens": "besoin", "categories": [categorie], "quartier": "lille-centre", "rayon_km": 10, **plus}


@asynccontextmanager
async def ville(stack: Stack) -> AsyncIterator[Ville]:
    async with client.session() as http:
        # An earlier test may have killed what this one needs; a process is ready while a server is away.
        for server in stack.servers:
            await jusqu_a(partial(asyncio.to_thread, server.answers), f"{server.title} répond", 120)
        for program in stack.programs():
            if program.health:
                await jusqu_a(partial(asyncio.to_thread, health.is_ready, program.health), f"{program.name} prêt", 120)
        catcher = stack.catcher_url or ""
        yield Ville(http, stack, MailCatcher(http, catcher), InternalApis(http, stack), PhoneCatcher(http, catcher))


__all__ = ["Ville", "annonce", "jeu", "pile", "profil", "ville"]
