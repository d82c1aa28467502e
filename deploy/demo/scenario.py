"""The eight acts of the demo. Each prints what it does; whatever is missing is counted and shown at the end."""

import datetime as dt
import random
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from deploy.bilan.alerts import calme
from deploy.client import Client, InternalApis, MailCatcher, PhoneCatcher, RequestRefused, connexion, jusqu_a
from deploy.console import Steps
from deploy.demo import attendu, personnes
from deploy.demo.comptage import Alertes, Comptage, compter
from deploy.demo.conversation import converser
from deploy.demo.sms import VOISINS, DemoPhones, SmsFigures
from deploy.errors import Impossible
from deploy.seed import profils as jeu
from deploy.stack.embedded import Stack
from deploy.verbs import moderateur

_REGISTRE = "/v1/notifications/registre.json"
_BILAN_S = 60


@dataclass
class Scenario:
    http: aiohttp.ClientSession
    stack: Stack
    steps: Steps
    kafka: str
    courrier: MailCatcher
    suffixe: str = field(default_factory=lambda: secrets.token_hex(3))
    debut: int = 0
    alertes: list[Alertes] = field(default_factory=list)
    manques: list[str] = field(default_factory=list)
    releve: SmsFigures | None = None
    inexpliquees: int | None = None
    conversations: int = 0

    def __post_init__(self) -> None:
        self.interne = InternalApis(self.http, self.stack)
        phones = PhoneCatcher(self.http, self.stack.catcher_url or "")
        self.sms = DemoPhones(self.http, self.stack, self.steps, self.interne, phones, self.suffixe)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.stack.ports['gateway']}"

    def adresse(self, nom: str) -> str:
        return f"{nom}.{self.suffixe}@demo.example.org"

    async def entrer(self, nom: str) -> Client:
        return await connexion(self.http, self.base, self.courrier, self.adresse(nom))

    def constater(self, vrai: bool, quoi: str) -> None:
        """Records a missing result. The demo goes on and ends with an exit code other than 0."""
        if not vrai:
            self.manques.append(quoi)
            self.steps.say(f"MANQUE : {quoi}")

    async def jouer(self, nombre: int, progression: Any) -> None:
        """Plays all acts with `nombre` generated profils; calls `progression(done)` as they are stored."""
        self.debut = await self.courrier.dernier_id()
        await self.sms.preparer()
        association_id, responsable, agent = await self.acte_1()
        benevoles = await self.acte_2(nombre, progression)
        camionnette_id, camionnette_at, costumes_id = await self.acte_3(responsable, association_id)
        await self.decider(agent, camionnette_id, "approuvee", [])
        self.steps.say("4. la modératrice approuve la camionnette")
        costumes_at = await self.acte_4(responsable, agent, association_id, costumes_id)
        compte = await self.acte_5("camionnette", camionnette_id, camionnette_at, benevoles)
        await self.acte_6(responsable, benevoles, camionnette_id, await self.lire(compte, "noor"))
        await self.acte_7(agent, costumes_id, costumes_at, benevoles)
        await self.acte_8()

    async def acte_1(self) -> tuple[str, Client, Client]:
        """An association registers, and a moderator approves it."""
        if moderateur.run(self.adresse("moderation")) != 0:
            raise Impossible("Le rôle de modérateur n’a pas pu être donné : « ./place logs gateway ».")
        agent = await self.entrer("moderation")
        responsable = await self.entrer("association")
        try:
            await responsable.post("/v1/associations", personnes.association(personnes.FAUX_RNA))
            self.constater(False, "un faux numéro RNA a été accepté")
        except RequestRefused as refus:
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
        """People subscribe through the public API; generated ones are imported."""
        clients = {}
        for nom, profil in personnes.benevoles().items():
            clients[nom] = await self.entrer(nom)
            await clients[nom].post("/v1/profils", profil)
        self.steps.say(f"2. {len(clients)} abonnements aux alertes : deux personnes, une entreprise, une association")
        for nom in ("camille", "transports-durand"):
            await self.sms.inscrire(nom, clients[nom])
        await self._importer(nombre, progression)
        await self.sms.installer_les_voisins()
        tous = await attendu.profils(self.kafka)
        actifs = sum(1 for profil in tous.values() if profil.actif)
        await jusqu_a(lambda: self._indexes(actifs), "profils dans l’index", 120)
        self.steps.say(f"2. {actifs} profils sont dans l’index de chaque worker de matching")
        return clients

    async def _importer(self, nombre: int, progression: Any) -> None:
        at = dt.datetime.now(dt.UTC).isoformat()
        generes = list(jeu.profils(nombre, 1, f"demo{self.suffixe}"))
        fait = 0
        async for lot in self.interne.importer(
            "notifications", "/v1/interne/contacts", [jeu.contact(profil["compte_id"], at) for profil in generes]
        ):
            fait += lot
            progression(fait)
        async for lot in self.interne.importer("matching", "/v1/interne/profils", generes):
            fait += lot
            progression(fait)

    async def acte_3(self, responsable: Client, association_id: str) -> tuple[str, float, str]:
        """Two annonces are posted."""
        samedi = personnes.prochain_samedi(dt.datetime.now(dt.UTC).date())
        posee_at = time.time()
        camionnette = await responsable.post("/v1/annonces", personnes.camionnette(association_id, samedi))
        costumes = await responsable.post(
            "/v1/annonces", personnes.costumes(association_id, personnes.TEXTE_TROP_BAVARD)
        )
        self.steps.say(f"3. deux besoins déposés : « {camionnette['titre']} », « {costumes['titre']} »")
        return camionnette["annonce_id"], posee_at, costumes["annonce_id"]

    async def acte_4(self, responsable: Client, agent: Client, association_id: str, costumes_id: str) -> float:
        """A moderator sends the second annonce back with a reason; it is corrected. Returns when it was posted
        again."""
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

    async def acte_5(self, quoi: str, annonce_id: str, posee_at: float, benevoles: dict[str, Client]) -> Comptage:
        """Counts the alerts of one annonce by e-mail."""
        adresses = {client.compte_id: self.adresse(nom) for nom, client in benevoles.items()}
        compte = await compter(self.kafka, self.courrier, self.interne, annonce_id, posee_at, self.debut, adresses)
        alertes = compte.alertes
        self.alertes.append(alertes)
        intrus = {a for a in compte.recus if a in adresses.values()} - compte.concernees
        self.constater(not intrus, f"« {alertes.titre} » est arrivée à quelqu’un qu’elle ne concerne pas")
        self.constater(alertes.manquantes == 0, f"« {alertes.titre} » : toutes les alertes ne sont pas arrivées")
        plus_tard = f", {alertes.au_resume} au prochain résumé" if alertes.au_resume else ""
        self.steps.say(f"5. {quoi} : {alertes.livrees} alertes livrées sur {alertes.attendues} attendues{plus_tard}")
        return compte

    async def lire(self, compte: Comptage, nom: str) -> dict[str, Any]:
        """The complete alert that somebody received, which says why they got it."""
        siennes = [mail for mail in compte.mails if self.adresse(nom) in mail["a"]]
        if not siennes:
            self.constater(False, f"{nom} n’a pas été alertée")
            return {}
        lue: dict[str, Any] = await self.courrier.client.get(f"/api/mails/{siennes[0]['id']}")
        raison = next((ligne.strip() for ligne in lue["texte"].splitlines() if "·" in ligne), "")
        self.constater(bool(raison), "l’alerte ne dit pas pourquoi")
        self.steps.say(f"5. {nom} lit pourquoi : « {raison} »")
        return lue

    async def acte_6(
        self, responsable: Client, benevoles: dict[str, Client], annonce_id: str, alerte: dict[str, Any]
    ) -> None:
        """Two people answer by SMS, one of them in time, who then writes with the association; one sends STOP; another
        one unsubscribes with one click."""
        titre = self.alertes[0].titre
        ref = await self.sms.alerte("camille", titre)
        await self.sms.alerte("transports-durand", titre)
        await self.sms.repondre("camille", f"Oui je viens ! {ref}", "place 1 sur 1")
        await self.sms.repondre("transports-durand", f"OUI {ref}", "liste d'attente")
        recue = await self.courrier.attendre(self.adresse("association"), self.debut, "peut vous aider")
        self.steps.say(f"6. l’association lit : « {recue['sujet']} »")
        reponses = (await responsable.get(f"/v1/annonces/{annonce_id}/reponses"))["reponses"]
        etats = sorted(reponse["etat"] for reponse in reponses)
        self.constater(etats == ["deposee", "en_attente"], f"une place pour deux réponses : {', '.join(etats)}")
        deposee = next(reponse for reponse in reponses if reponse["etat"] == "deposee")
        await responsable.post(f"/v1/reponses/{deposee['reponse_id']}/acceptation")
        acceptee = await self.sms.attendre("camille", "est acceptée")
        self.steps.say(f"6. l’association accepte ; camille lit sur son téléphone : « {acceptee} »")
        self.manques += await converser(
            responsable, benevoles["camille"], benevoles["ressourcerie"], deposee["reponse_id"], self.steps
        )
        self.conversations += 1
        await self.sms.repondre("transports-durand", "Stop", "plus de SMS")
        await self.desabonner(benevoles["noor"], alerte)

    async def desabonner(self, noor: Client, alerte: dict[str, Any]) -> None:
        entetes = {nom.lower(): valeur for nom, valeur in dict(alerte.get("entetes", {})).items()}
        lien = str(entetes.get("list-unsubscribe", "")).strip("<>")
        self.constater(
            entetes.get("list-unsubscribe-post") == "List-Unsubscribe=One-Click", "pas d’en-tête RFC 8058 dans l’alerte"
        )
        async with self.http.post(lien, data={"List-Unsubscribe": "One-Click"}) as answer:
            self.constater(answer.status == 200, f"le désabonnement en un clic a répondu {answer.status}")

        async def inactif() -> bool:
            return all(not profil["actif"] for profil in (await noor.get("/v1/profils"))["profils"])

        await jusqu_a(inactif, "profil de noor désactivé")
        self.steps.say("6. noor se désabonne en un clic (POST, sans cookie) : son profil n’est plus actif")

    async def acte_7(self, agent: Client, costumes_id: str, costumes_at: float, benevoles: dict[str, Client]) -> None:
        """The second annonce is published, and one of the two SMS operators disappears while its alerts are sent."""
        await self.sms.ralentir_un_operateur()
        await self.publier_corrigee(agent, costumes_id)
        titre = personnes.costumes("", "")["titre"]
        await self.sms.perdre_un_operateur(titre)
        compte = await self.acte_5("costumes et tailleurs", costumes_id, costumes_at, benevoles)
        self.constater(self.adresse("noor") not in compte.recus, "noor s’était désabonnée et a reçu une alerte")
        await self.sms.retrouver_l_operateur()

        async def incertains() -> int:
            registre = await agent.get(f"{_REGISTRE}?annonce={costumes_id}&canal=sms&etat=incertain")
            return int(registre["total_envois"])

        self.releve = releve = await self.sms.compter(titre, incertains)
        self.constater(releve.doublons == 0, f"{releve.doublons} SMS en double")
        self.constater(releve.autre > 0, "l’autre opérateur de SMS n’a rien repris")
        self.steps.say(
            f"5. SMS : {releve.atteints} téléphones sur {VOISINS}, dont {releve.autre} par l’autre opérateur, "
            f"{releve.incertains} d’issue inconnue, jamais renvoyés, {releve.doublons} en double"
        )
        self.constater(await self.sms.combien("transports-durand", titre[:20]) == 0, "un SMS est parti après un STOP")
        self.constater(await self.sms.combien("transports-durand", "plus de SMS") == 1, "STOP confirmé plus d’une fois")

    async def acte_8(self) -> None:
        """Checks that every announced alert is accounted for."""
        total = (await calme(self.kafka, self.interne, secondes=_BILAN_S)).total
        self.inexpliquees = total.inexpliquees
        self.constater(total.inexpliquees == 0, f"{total.inexpliquees} alertes inexpliquées : « ./place bilan »")
        self.constater(total.en_route == 0, f"{total.en_route} alertes encore en route : « ./place bilan »")
        self.steps.say(
            f"7. bilan : {total.destinataires} destinataires annoncés, {total.envois} lignes au registre, "
            f"{total.inexpliquees} inexpliquées"
        )

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

    async def _indexes(self, actifs: int) -> bool:
        """True when the index of every matching worker contains all active profils."""
        for program in self.stack.programs():
            if program.name.startswith("matching-worker"):
                metrics = str(await Client(self.http, self.stack.health_url(program.name)).get("/metrics"))
                ligne = next(line for line in metrics.splitlines() if line.startswith("matching_index_profils "))
                if int(float(ligne.split()[1])) < actifs:
                    return False
        return True
