"""Time from POST to SMTP 250: the platform compared with a bare chain of the same hops, in one run on the same servers.

Samples alternate (platform, bare, platform, bare …), because the speed of the machine drifts. Times are measured by the
mail catcher, which receives from both.
"""

import asyncio
import datetime as dt
import json
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.chaine import ChaineNue
from bench.mesures import Resume, rapport
from bench.nu import ECRITURES
from contracts import references
from deploy import client, layout
from deploy.client import Client, InternalApis, MailCatcher, RequestRefused, connexion, jusqu_a
from deploy.console import Steps
from deploy.seed import profils as jeu
from deploy.seed import textes
from deploy.stack.embedded import Stack
from deploy.verbs import down, moderateur, up

SEUIL = 1.5
_LATENCE = ("logistique", "vehicule-transport")
_DEBIT = ("materiel", "mobilier")
_FOULE = ("materiel", "livres")
_CHAUFFE = 15


def run(as_json: bool, echantillons: int = 150, annonces: int = 300, foule: int = 5700) -> bool:
    """Starts its own stack, measures, and deletes it. Returns whether the ratio is at most SEUIL."""
    steps = Steps()
    with tempfile.TemporaryDirectory(prefix="place-bench-") as folder:
        os.environ.setdefault("PLACE_CACHE", str(layout.cache()))
        # In this stack, annonces of a trusted association are published at once: the path without a moderator.
        os.environ |= {"PLACE_DIR": str(Path(folder) / "pile"), "POLITIQUE": "confiance", "BUDGET_SEMAINE": "0"}
        try:
            stack = up.run(steps=steps)
            figures = asyncio.run(_mesurer(stack, steps, echantillons, annonces, foule))
        finally:
            down.run(wipe=True)
    if as_json:
        print(json.dumps(figures, ensure_ascii=False))
    else:
        _montrer(figures)
    return bool(figures["rapport"] <= SEUIL)


async def _mesurer(stack: Stack, steps: Steps, echantillons: int, annonces: int, foule: int) -> dict[str, Any]:
    urls = stack.urls()
    async with client.session() as http:
        banc = Banc(http, stack, steps)
        await banc.preparer(foule)
        servers = {name: urls[name] for name in ("MONGO_URL", "KAFKA_URL", "SMTP_URL")}
        nues = {groupe: ChaineNue(servers, secrets.token_hex(4), groupe=groupe) for groupe in (False, True)}
        await _topics(urls["KAFKA_URL"], [topic for chaine in nues.values() for topic in chaine.topics])
        with nues[False], nues[True]:
            ici, nu, groupe = await banc.latence(nues[False], nues[True], echantillons)
        return {
            "place_ms": vars(Resume.de(ici)),
            "nu_ms": vars(Resume.de(nu)),
            "nu_groupe_ms": vars(Resume.de(groupe)),
            "rapport": rapport(ici, nu),
            "rapport_groupe": rapport(ici, groupe),
            "seuil": SEUIL,
            "ecritures": sum(sum(etape.ecritures(groupe=False)) for etape in ECRITURES.values()),
            "validations": sum(sum(etape.ecritures(groupe=True)) for etape in ECRITURES.values()),
            "annonces_par_s": await banc.debit(annonces),
            "courriels_par_s": await banc.foule(foule),
            "foule": foule,
        }


async def _topics(kafka: str, names: list[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 12, 1) for name in names])
    finally:
        await admin.close()


class Banc:
    """One trusted association, and people who want alerts about its annonces."""

    def __init__(self, http: Any, stack: Stack, steps: Steps) -> None:
        self._http, self._stack, self._steps = http, stack, steps
        self._base = f"http://127.0.0.1:{stack.ports['gateway']}"
        self._courrier = MailCatcher(http, stack.catcher_url or "")
        self._responsable = Client(http, self._base)
        self._association = ""

    async def preparer(self, foule: int) -> None:
        moderateur.run("moderation@bench.example.org")
        agent = await connexion(self._http, self._base, self._courrier, "moderation@bench.example.org")
        self._responsable = await connexion(self._http, self._base, self._courrier, "association@bench.example.org")
        body = next(textes.associations(1, 7))
        self._association = (await self._responsable.post("/v1/associations", body))["association_id"]

        async def dossier() -> Any:
            found = await agent.get(f"/v1/moderation/dossiers?etat=a_traiter&cible_id={self._association}")
            return found["dossiers"]

        path = f"/v1/moderation/dossiers/{(await jusqu_a(dossier, 'dossier'))[0]['dossier_id']}"
        bail = (await agent.post(f"{path}/prise"))["jeton_bail"]
        await agent.post(f"{path}/decision", {"issue": "approuvee", "motifs": [], "jeton_bail": bail})
        await jusqu_a(self._validee, "association validée")
        await jusqu_a(lambda: self._de_confiance(agent), "association de confiance")
        rows = [self._profil(0, _LATENCE), *(self._profil(n, _DEBIT) for n in (1, 2))]
        rows += [self._profil(n, _FOULE) for n in range(3, 3 + foule)]
        interne, at = InternalApis(self._http, self._stack), dt.datetime.now(dt.UTC).isoformat()
        contacts = [jeu.contact(row["compte_id"], at) for row in rows]
        async for _ in interne.importer("notifications", "/v1/interne/contacts", contacts):
            continue
        async for _ in interne.importer("matching", "/v1/interne/profils", rows):
            continue
        await jusqu_a(lambda: self._indexes(len(rows)), "profils dans l’index", 120)
        self._steps.say(f"une association de confiance, {len(rows)} profils")

    async def _validee(self) -> bool:
        return bool((await self._responsable.get(f"/v1/associations/{self._association}"))["etat"] == "validee")

    async def _de_confiance(self, agent: Client) -> bool:
        """Moderation learns of the approved association through an event, and refuses to trust it before."""
        try:
            await agent.call("PUT", f"/v1/moderation/associations/{self._association}/confiance", {"confiance": True})
        except RequestRefused as refus:
            if refus.status != 409:
                raise
            return False
        return True

    async def _indexes(self, nombre: int) -> bool:
        metrics = str(await Client(self._http, self._stack.health_url("matching-worker")).get("/metrics"))
        return f"matching_index_profils {float(nombre)}" in metrics

    def _profil(self, numero: int, quoi: tuple[str, str]) -> dict[str, Any]:
        id_ = f"bench-{numero:06d}"
        wishes = {"natures": [quoi[0]], "categories": [quoi[1]], "quartier": "lille-centre", "rayon_km": 10}
        return {"profil_id": id_, "compte_id": id_, "sens": "besoin", **wishes}

    def _annonce(self, titre: str, quoi: tuple[str, str]) -> dict[str, Any]:
        return {
            "auteur": {"type": "association", "association_id": self._association},
            "sens": "besoin",
            "nature": quoi[0],
            "titre": titre,
            "description": f"Nous cherchons : {references.libelle('categories', quoi[1])}. Merci de votre aide.",
            "categories": [quoi[1]],
            "quartier": "lille-centre",
            "places": 5,
            **({"cession": "don"} if quoi[0] == "materiel" else {}),
        }

    async def latence(self, nue: ChaineNue, groupee: ChaineNue, echantillons: int) -> tuple[list[float], ...]:
        """Milliseconds from POST to the arrival of the mail: for the platform and the two bare chains."""
        mesures: tuple[list[float], ...] = ([], [], [])
        apres = await self._courrier.dernier_id()
        for numero in range(-_CHAUFFE, echantillons):
            titre = f"Mesure {numero + _CHAUFFE:05d} {secrets.token_hex(3)}"
            start = time.time()
            await self._responsable.post("/v1/annonces", self._annonce(titre, _LATENCE))
            ms, apres = await self._arrivee(start, titre, jeu.adresse("bench-000000"), apres)
            temps = [ms]
            for chaine in (nue, groupee):
                start = time.time()
                async with self._http.post(chaine.url, json={"id": titre, "a": "nu@bench.example.org"}) as answer:
                    await answer.read()
                ms, apres = await self._arrivee(start, titre, "nu@bench.example.org", apres)
                temps.append(ms)
            if numero >= 0:
                for liste, ms in zip(mesures, temps, strict=True):
                    liste.append(ms)
        self._steps.say(f"{echantillons} mesures de chaque côté, en alternance")
        return mesures

    async def _arrivee(self, start: float, titre: str, adresse: str, apres: int) -> tuple[float, int]:
        mail = await self._courrier.attendre(adresse, apres, titre)
        return (dt.datetime.fromisoformat(mail["recu_at"]).timestamp() - start) * 1000, int(mail["id"])

    async def debit(self, annonces: int) -> float:
        """Annonces per second through the whole path: two recipients each, 16 concurrent POSTs."""
        marque = f"Débit {secrets.token_hex(3)}"
        apres = await self._courrier.dernier_id()
        gate = asyncio.Semaphore(16)

        async def one(numero: int) -> None:
            async with gate:
                await self._responsable.post("/v1/annonces", self._annonce(f"{marque} {numero:05d}", _DEBIT))

        start = time.time()
        await asyncio.gather(*(one(n) for n in range(annonces)))
        seconds = await self._tous(start, apres, marque, 2 * annonces)
        self._steps.say(f"{annonces} annonces, deux destinataires chacune : {seconds:.1f} s")
        return round(annonces / seconds, 1)

    async def foule(self, destinataires: int) -> float:
        """E-mails per second for one annonce, from the first to the last arrival."""
        titre = f"Foule {secrets.token_hex(3)}"
        apres = await self._courrier.dernier_id()
        start = time.time()
        await self._responsable.post("/v1/annonces", self._annonce(titre, _FOULE))
        seconds = await self._tous(start, apres, titre, destinataires)
        self._steps.say(f"{destinataires} courriels pour une annonce : {seconds:.1f} s depuis le POST")
        return round(destinataires / seconds, 1)

    async def _tous(self, start: float, apres: int, marque: str, nombre: int) -> float:
        """Seconds from `start` to the arrival of the last of `nombre` alerts whose subject starts with `marque`."""

        async def arrives() -> list[dict[str, Any]]:
            dernier = await self._courrier.dernier_id()
            if dernier < apres + nombre:
                return []
            mails = [m for m in await self._courrier.mails(apres, sujet=marque) if m["sujet"].startswith(marque)]
            return mails if len(mails) >= nombre else []

        mails = await jusqu_a(arrives, "courriels du banc", 300)
        return max(dt.datetime.fromisoformat(mail["recu_at"]).timestamp() for mail in mails) - start


def _montrer(figures: dict[str, Any]) -> None:
    noms = {
        "place_ms": "place",
        "nu_ms": f"chaîne nue, {figures['ecritures']} écritures",
        "nu_groupe_ms": f"chaîne nue, {figures['validations']} écritures (une par transaction)",
    }
    for champ, nom in noms.items():
        print(f"Du POST au 250, {nom} : médiane {figures[champ]['mediane']} ms, p99 {figures[champ]['p99']} ms")
    verdict = "tenu" if figures["rapport"] <= SEUIL else "PAS TENU"
    print(f"Rapport médian, à nombre égal d’écritures : {figures['rapport']} (seuil {SEUIL} : {verdict})")
    print(f"Rapport à une écriture par transaction : {figures['rapport_groupe']}")
    print(f"Débit : {figures['annonces_par_s']} annonces/s, deux destinataires chacune")
    print(f"Foule : {figures['courriels_par_s']} courriels/s pour {figures['foule']} destinataires")
    sys.stdout.flush()
