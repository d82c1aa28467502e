"""The seven acts. Each says what happens while it happens; what is missing at the end is counted, not hidden."""

import datetime as dt
import random
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from deploy.client import Client, Courrier, Interne, Refus, connexion, jusqu_a
from deploy.console import Steps
from deploy.demo import attendu, personnes
from deploy.errors import Impossible
from deploy.seed import profils as jeu
from deploy.stack import Stack
from deploy.verbs import moderateur


@dataclass
class Alertes:
    """What was expected of one annonce, and what the catcher received. Times are Unix seconds."""

    titre: str
    posee_at: float
    attendues: int
    livrees: int
    doublons: int
    manquantes: int
    premier_at: float | None
    dernier_at: float | None


@dataclass
class Scenario:
    http: aiohttp.ClientSession
    stack: Stack
    steps: Steps
    kafka: str
    courrier: Courrier
    suffixe: str = field(default_factory=lambda: secrets.token_hex(3))
    debut: int = 0
    alertes: list[Alertes] = field(default_factory=list)
    manques: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.stack.ports['gateway']}"

    def adresse(self, nom: str) -> str:
        return f"{nom}.{self.suffixe}@demo.example.org"

    async def entrer(self, nom: str) -> Client:
        return await connexion(self.http, self.base, self.courrier, self.adresse(nom))

    def constater(self, vrai: bool, quoi: str) -> None:
        """Notes what did not happen; the run goes on, and ends with an exit code that is not 0."""
        if not vrai:
            self.manques.append(quoi)
            self.steps.say(f"MANQUE : {quoi}")

    async def jouer(self, nombre: int, progression: Any) -> None:
        """All acts, with `nombre` generated profils; `progression(done)` is told as they are stored."""
        self.debut = await self.courrier.dernier_id()
        association_id, responsable, agent = await self.acte_1()
        benevoles = await self.acte_2(nombre, progression)
        camionnette_id, camionnette_at, costumes_id = await self.acte_3(responsable, association_id)
        await self.decider(agent, camionnette_id, "approuvee", [])
        self.steps.say("4. la modératrice approuve la camionnette")
        costumes_at = await self.acte_4(responsable, agent, association_id, costumes_id)
        alerte = await self.acte_5("camionnette", camionnette_id, camionnette_at, benevoles)
        await self.acte_6(responsable, benevoles, camionnette_id, alerte)
        await self.publier_corrigee(agent, costumes_id)
        await self.acte_5("costumes et tailleurs", costumes_id, costumes_at, benevoles, sans={"noor"})

    async def acte_1(self) -> tuple[str, Client, Client]:
        """An association signs up and is validated by a moderator."""
        if moderateur.run(self.adresse("moderation")) != 0:
            raise Impossible("Le rôle de modérateur n’a pas pu être donné : « ./place logs gateway ».")
        agent = await self.entrer("moderation")
        responsable = await self.entrer("association")
        try:
            await responsable.post("/v1/associations", personnes.association(personnes.FAUX_RNA))
            self.constater(False, "un faux numéro RNA a été accepté")
        except Refus as refus:
            self.steps.say(f"1. un numéro RNA mal formé est refusé ({refus.status}) : {refus.body['detail']}")
        rna = f"W59{random.SystemRandom().randrange(10**7):07d}"[:10]
        association = await responsable.post("/v1/associations", personnes.association(rna))
        association_id = association["association_id"]
        self.steps.say(f"1. « {association['nom']} » s’inscrit ({rna}) et signe le contrat d’engagement républicain")
        await self.decider(agent, association_id, "approuvee", [])
        await jusqu_a(
            lambda: self._etat(responsable, f"/v1/associations/{association_id}", "validee"), "association validée"
        )
        self.steps.say("1. la modératrice la valide")
        return association_id, responsable, agent

    async def acte_2(self, nombre: int, progression: Any) -> dict[str, Client]:
        """People subscribe through the door; generated ones are imported."""
        clients = {}
        for nom, profil in personnes.benevoles().items():
            clients[nom] = await self.entrer(nom)
            await clients[nom].post("/v1/profils", profil)
        self.steps.say(f"2. {len(clients)} abonnements aux alertes : deux personnes, une entreprise, une association")
        await self._importer(nombre, progression)
        tous = await attendu.profils(self.kafka)
        actifs = sum(1 for profil in tous.values() if profil.actif)
        await jusqu_a(lambda: self._indexes(actifs), "profils dans l’index", 120)
        self.steps.say(f"2. {actifs} profils sont dans l’index de chaque worker de matching")
        return clients

    async def _importer(self, nombre: int, progression: Any) -> None:
        interne = Interne(self.http, self.stack)
        at = dt.datetime.now(dt.UTC).isoformat()
        generes = list(jeu.profils(nombre, 1, f"demo{self.suffixe}"))
        fait = 0
        async for lot in interne.importer(
            "notifications", "/v1/interne/contacts", [jeu.contact(profil["compte_id"], at) for profil in generes]
        ):
            fait += lot
            progression(fait)
        async for lot in interne.importer("matching", "/v1/interne/profils", generes):
            fait += lot
            progression(fait)

    async def acte_3(self, responsable: Client, association_id: str) -> tuple[str, float, str]:
        """Two needs are posted."""
        samedi = personnes.prochain_samedi(dt.datetime.now(dt.UTC).date())
        posee_at = time.time()
        camionnette = await responsable.post("/v1/annonces", personnes.camionnette(association_id, samedi))
        costumes = await responsable.post(
            "/v1/annonces", personnes.costumes(association_id, personnes.TEXTE_TROP_BAVARD)
        )
        self.steps.say(f"3. deux besoins déposés : « {camionnette['titre']} », « {costumes['titre']} »")
        return camionnette["annonce_id"], posee_at, costumes["annonce_id"]

    async def acte_4(self, responsable: Client, agent: Client, association_id: str, costumes_id: str) -> float:
        """The second need is sent back with a reason, and corrected. Returns when it was posted again."""
        await self.decider(agent, costumes_id, "a_corriger", [{"code": "coordonnees-dans-le-texte"}])
        mail = await self.courrier.attendre(self.adresse("association"), self.debut, "à corriger")
        self.constater("Retirez du titre" in mail["texte"], "le message ne dit pas quoi corriger")
        self.steps.say(f"4. l’autre est à corriger ; l’association lit : « {mail['sujet']} »")
        chemin = f"/v1/annonces/{costumes_id}"
        await jusqu_a(lambda: self._etat(responsable, chemin, "a_corriger"), "annonce à corriger")
        version = (await responsable.call("GET", chemin))[1]["ETag"]
        corrigee_at = time.time()
        corps = personnes.costumes(association_id, personnes.TEXTE_CORRIGE)
        corps.pop("auteur")
        await responsable.call("PUT", chemin, corps, {"If-Match": version})
        self.steps.say("4. l’association corrige et dépose à nouveau")
        return corrigee_at

    async def publier_corrigee(self, agent: Client, costumes_id: str) -> None:
        await self.decider(agent, costumes_id, "approuvee", [])
        self.steps.say("4. la modératrice approuve l’annonce corrigée")

    async def acte_5(
        self,
        quoi: str,
        annonce_id: str,
        posee_at: float,
        benevoles: dict[str, Client],
        sans: frozenset[str] | set[str] = frozenset(),
    ) -> dict[str, Any]:
        """Counts the alerts of one annonce; returns the alert of « noor », whole, when she is expected."""
        annonce = await jusqu_a(lambda: attendu.publiee(self.kafka, annonce_id), "annonce publiée")
        destinataires = attendu.attendus(annonce, await attendu.profils(self.kafka))
        adresses = {client.compte_id: self.adresse(nom) for nom, client in benevoles.items()}
        await self._toutes_recues(annonce.titre, len(destinataires))
        mails = [
            m for m in await self.courrier.mails(self.debut, sujet=annonce.titre) if self._alerte(m, annonce.titre)
        ]
        recus = [adresse for mail in mails for adresse in mail["a"]]
        connues = {adresses.get(d.compte_id) or jeu.adresse(d.compte_id) for d in destinataires.values()}
        if any(adresse not in connues and adresse.endswith(f"{self.suffixe}@demo.example.org") for adresse in recus):
            self.constater(False, f"« {annonce.titre} » est arrivée à quelqu’un qu’elle ne concerne pas")
        instants = sorted(dt.datetime.fromisoformat(mail["recu_at"]).timestamp() for mail in mails)
        distincts = len(set(recus))
        self.alertes.append(
            Alertes(
                titre=annonce.titre,
                posee_at=posee_at,
                attendues=len(destinataires),
                livrees=distincts,
                doublons=len(recus) - distincts,
                manquantes=max(0, len(destinataires) - distincts),
                premier_at=instants[0] if instants else None,
                dernier_at=instants[-1] if instants else None,
            )
        )
        self.steps.say(f"5. {quoi} : {distincts} alertes livrées sur {len(destinataires)} attendues")
        for nom in sans:
            self.constater(self.adresse(nom) not in recus, f"{nom} s’était désabonnée et a reçu une alerte")
        siennes = [mail for mail in mails if self.adresse("noor") in mail["a"]]
        if not siennes:
            self.constater("noor" in sans, "noor n’a pas été alertée")
            return {}
        lue: dict[str, Any] = await self.courrier.client.get(f"/api/mails/{siennes[0]['id']}")
        raison = next((ligne.strip() for ligne in lue["texte"].splitlines() if "·" in ligne), "")
        self.constater(bool(raison), "l’alerte ne dit pas pourquoi")
        self.steps.say(f"5. noor lit pourquoi : « {raison} »")
        return lue

    async def acte_6(
        self, responsable: Client, benevoles: dict[str, Client], annonce_id: str, alerte: dict[str, Any]
    ) -> None:
        """One answers and is accepted; another unsubscribes with one click."""
        reponse = await benevoles["camille"].post(
            f"/v1/annonces/{annonce_id}/reponses",
            {"message": "J’ai un utilitaire, je suis libre samedi.", "quantite": 1},
        )
        recue = await self.courrier.attendre(self.adresse("association"), self.debut, "peut vous aider")
        self.steps.say(f"6. camille répond « je peux aider » ; l’association lit : « {recue['sujet']} »")
        await responsable.post(f"/v1/reponses/{reponse['reponse_id']}/acceptation")
        acceptee = await self.courrier.attendre(self.adresse("camille"), self.debut, "acceptée")
        self.steps.say(f"6. l’association accepte ; camille lit : « {acceptee['sujet']} »")
        entetes = {nom.lower(): valeur for nom, valeur in dict(alerte.get("entetes", {})).items()}
        lien = str(entetes.get("list-unsubscribe", "")).strip("<>")
        self.constater(
            entetes.get("list-unsubscribe-post") == "List-Unsubscribe=One-Click", "pas d’en-tête RFC 8058 dans l’alerte"
        )
        async with self.http.post(lien, data={"List-Unsubscribe": "One-Click"}) as answer:
            self.constater(answer.status == 200, f"le désabonnement en un clic a répondu {answer.status}")
        noor = benevoles["noor"]

        async def inactif() -> bool:
            return all(not profil["actif"] for profil in (await noor.get("/v1/profils"))["profils"])

        await jusqu_a(inactif, "profil de noor désactivé")
        self.steps.say("6. noor se désabonne en un clic (POST, sans cookie) : son profil n’est plus actif")

    async def decider(self, agent: Client, cible_id: str, issue: str, motifs: list[dict[str, Any]]) -> None:
        """A moderator claims the open dossier of a target and decides."""

        async def ouvert() -> Any:
            liste = await agent.get(f"/v1/moderation/dossiers?etat=a_traiter&cible_id={cible_id}")
            return liste["dossiers"][0] if liste["dossiers"] else None

        dossier = await jusqu_a(ouvert, f"dossier de modération de {cible_id}")
        chemin = f"/v1/moderation/dossiers/{dossier['dossier_id']}"
        bail = await agent.post(f"{chemin}/prise")
        await agent.post(f"{chemin}/decision", {"issue": issue, "motifs": motifs, "jeton_bail": bail["jeton_bail"]})

    async def _etat(self, client: Client, path: str, etat: str) -> bool:
        return bool((await client.get(path))["etat"] == etat)

    def _alerte(self, mail: dict[str, Any], titre: str) -> bool:
        return str(mail["sujet"]).removeprefix("Urgent\u00a0: ") == titre

    async def _toutes_recues(self, titre: str, nombre: int) -> None:
        async def recues() -> bool:
            mails = await self.courrier.mails(self.debut, sujet=titre)
            return sum(self._alerte(mail, titre) for mail in mails) >= nombre

        try:
            await jusqu_a(recues, "alertes", 90)
        except Impossible:
            self.constater(False, f"« {titre} » : toutes les alertes ne sont pas arrivées en 90 s")

    async def _indexes(self, actifs: int) -> bool:
        """Whether the index of every matching worker holds all active profils."""
        for nom, port in self.stack.ports.items():
            if nom.startswith("matching-worker") and nom in {program.name for program in self.stack.programs()}:
                metrics = str(await Client(self.http, f"http://127.0.0.1:{port}").get("/metrics"))
                ligne = next(line for line in metrics.splitlines() if line.startswith("matching_index_profils "))
                if int(float(ligne.split()[1])) < actifs:
                    return False
        return True
