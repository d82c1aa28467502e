"""The phones of the demo: numbers confirmed by a code, alerts and answers by SMS, an operator that disappears."""

import asyncio
import datetime as dt
import os
import re
import secrets
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from deploy.client import CODE, Client, InternalApis, PhoneCatcher, jusqu_a
from deploy.console import Steps
from deploy.demo import personnes
from deploy.seed import profils as jeu
from deploy.stack.embedded import Stack
from deploy.stack.processes import OPERATEUR_HTTP, SMSC
from deploy.stack.supervision import Supervisor
from deploy.verbs import drill

VOISINS = 60
_REFERENCE = re.compile(r"OUI (\w+)")
# ARCEP reserves 06 39 98 00 00 to 06 39 98 99 99 for fiction: nobody has these numbers.
_FICTION = 33639980000
# Number of characters of a title that every SMS contains.
_DEBUT = 20
_LENTEUR_MS = 400


@dataclass(frozen=True)
class SmsFigures:
    """Results for alerts by SMS: phones reached, duplicates, SMS sent by the other operator, rows with unknown
    outcome."""

    atteints: int
    doublons: int
    autre: int
    incertains: int


@dataclass
class DemoPhones:
    """`numeros`: name → number. `depuis`: the id of the last SMS before the demo."""

    http: aiohttp.ClientSession
    stack: Stack
    steps: Steps
    interne: InternalApis
    telephones: PhoneCatcher
    suffixe: str
    depuis: int = 0
    # A random start, because numbers of earlier demos belong to other accounts.
    _pris: int = field(default_factory=lambda: secrets.randbelow(9_800))
    numeros: dict[str, str] = field(default_factory=dict)
    voisins: dict[str, str] = field(default_factory=dict)

    async def preparer(self) -> None:
        self.depuis = await self.telephones.dernier_id()

    async def inscrire(self, nom: str, client: Client) -> None:
        """A person enters their number through the public API; a code arrives on the phone, and they enter it."""
        numero = self._numero()
        self.numeros[nom] = numero
        await client.post("/v1/mes/telephone", {"numero": numero})
        code = CODE.search(await self.attendre(nom, "code"))
        assert code is not None
        await client.post("/v1/mes/telephone/confirmation", {"code": code[1]})
        self.steps.say(f"2. {nom} donne son numéro, reçoit un code par SMS et le saisit")

    async def installer_les_voisins(self) -> None:
        """Imports people whom the second annonce concerns and who also want alerts by SMS, with confirmed numbers."""
        at = dt.datetime.now(dt.UTC).isoformat()
        profils = [personnes.voisin(f"voisin{self.suffixe}-{n:03d}") for n in range(VOISINS)]
        contacts = [jeu.contact(profil["compte_id"], at) for profil in profils]
        for contact in contacts:
            contact["consentements"].append({**contact["consentements"][0], "canal": "sms"})
        async for _ in self.interne.importer("notifications", "/v1/interne/contacts", contacts):
            pass
        async for _ in self.interne.importer("matching", "/v1/interne/profils", profils):
            pass
        places = asyncio.Semaphore(8)

        async def prouver(compte_id: str) -> None:
            async with places:
                numero = self.voisins[compte_id]
                proposition = {"compte_id": compte_id, "numero": numero}
                await self._notifications().post("/v1/interne/telephones", proposition)
                code = CODE.search(await self._recu(numero, "code"))
                assert code is not None
                chemin = f"/v1/interne/telephones/{compte_id}/confirmation"
                await self._notifications().post(chemin, {"code": code[1]})

        for profil in profils:
            self.voisins[profil["compte_id"]] = self._numero()
        await asyncio.gather(*(prouver(profil["compte_id"]) for profil in profils))
        self.steps.say(f"2. {VOISINS} autres téléphones prouvés par un code")

    async def alerte(self, nom: str, titre: str) -> str:
        """Waits for the alert on somebody's phone; returns the reference in it."""
        texte = await self.attendre(nom, titre[:_DEBUT])
        reference = _REFERENCE.search(texte)
        assert reference is not None
        self.steps.say(f"5. sur le téléphone de {nom} : « {' / '.join(texte.splitlines())} »")
        return reference[1]

    async def repondre(self, nom: str, texte: str, attendu: str) -> str:
        """Somebody answers by SMS. Returns the reply they get, which must contain `attendu`."""
        await self.telephones.repondre(self.numeros[nom], texte)
        recu = await self.attendre(nom, attendu)
        self.steps.say(f"6. {nom} répond « {texte} » par SMS et lit : « {recu} »")
        return recu

    async def attendre(self, nom: str, extrait: str) -> str:
        return await self._recu(self.numeros[nom], extrait)

    async def combien(self, nom: str, extrait: str) -> int:
        """Number of SMS containing `extrait` that the phone has received since the demo began."""
        siens = await self.telephones.sms(self.depuis, self.numeros[nom])
        return sum(extrait in sms["texte"] for sms in siens)

    async def ralentir_un_operateur(self) -> None:
        """Slows the SMSC down, so that it can disappear in the middle of a hand-over."""
        await Client(self.http, self.stack.operator_urls[SMSC]).post("/api/pannes", {"delai_ms": _LENTEUR_MS})

    async def perdre_un_operateur(self, titre: str) -> None:
        """Kills the SMSC (SIGKILL) once alerts about `titre` arrive on phones; nothing restarts it."""

        async def en_chemin() -> bool:
            return bool(await self._alertes(titre))

        await jusqu_a(en_chemin, "SMS en chemin")
        supervisor = Supervisor(self.stack.layout)
        pid = supervisor.states()[SMSC].pid
        # supervisord must know first, or it would restart the program; then our signal ends it.
        supervisor.stop(SMSC)
        os.kill(pid, signal.SIGKILL)
        self.steps.say(f"5. pendant ce temps, l’opérateur « {SMSC} » est tué (SIGKILL)")

    async def retrouver_l_operateur(self) -> None:
        """Restarts the SMSC, which delivers what it had accepted before."""
        await asyncio.to_thread(drill.start, SMSC)

    async def compter(self, titre: str, incertains: Callable[[], Awaitable[int]]) -> SmsFigures:
        """Counts once each neighbour has an SMS or a row of unknown outcome (`incertains`)."""

        async def tous() -> bool:
            atteints = {sms["a"] for sms in await self._alertes(titre)}
            return len(atteints) == VOISINS or len(atteints) + await incertains() >= VOISINS

        await jusqu_a(tous, "SMS des voisins", 90)
        recus = await self._alertes(titre)
        atteints = len({sms["a"] for sms in recus})
        autre = sum(sms["operateur"] == OPERATEUR_HTTP for sms in recus)
        return SmsFigures(atteints, len(recus) - atteints, autre, await incertains())

    async def _alertes(self, titre: str) -> list[dict[str, Any]]:
        numeros = set(self.voisins.values())
        tous = await self.telephones.sms(self.depuis)
        return [sms for sms in tous if sms["a"] in numeros and titre[:_DEBUT] in sms["texte"]]

    async def _recu(self, numero: str, extrait: str) -> str:
        """Waits for the latest SMS on the phone `numero` that contains `extrait`."""

        async def trouve() -> str:
            siens = await self.telephones.sms(self.depuis, numero)
            return next((sms["texte"] for sms in reversed(siens) if extrait in sms["texte"]), "")

        texte: str = await jusqu_a(trouve, f"SMS « {extrait} »")
        return texte

    def _numero(self) -> str:
        self._pris += 1
        return f"+{_FICTION + self._pris}"

    def _notifications(self) -> Client:
        return self.interne.client("notifications", roles=["systeme"])
