"""The two peers of `envois`, each in its own process: `python -m bench.expediteurs nu|unitaire URL`.

They have no ledger and no Kafka: addresses are in memory, and a crash loses what was sent. `nu` opens as many
connections as a worker of the platform in advance and pipelines with the platform's own SMTP session; the mail is
compiled once and filled in per person, with signed links. `unitaire` calls `aiosmtplib.send()` as its documentation
shows, one connection per mail, with the same concurrency.

Reads lines from stdin: an annonce with the numbers of the first and last person, then any line to begin. Writes `pret`,
then the Unix time at which it began.
"""

import asyncio
import base64
import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol
from urllib.parse import urlsplit

import aiosmtplib
import uvloop

from bench import besoin
from contracts.annonces import Annonce
from contracts.envois import id_alerte
from contracts.notifications import Canal
from deploy.seed.profils import adresse
from services.notifications import alertes
from services.notifications.canaux.base import Colis, Recu
from services.notifications.canaux.email.canal import CanalEmail, ConnexionSmtp
from services.notifications.domain import Genre
from services.notifications.messages.mail import Compositeur
from services.notifications.messages.signed_links import Lien, Liens, Usage
from services.notifications.settings import Reglages

_REGLAGES = Reglages(mongo_url="", kafka_url="", public_url="http://localhost:8000")
CONNEXIONS = _REGLAGES.connexions
_LOT = 64


@dataclass(frozen=True)
class Personne:
    envoi_id: str
    compte_id: str
    adresse: str
    pourquoi: str


def personnes(annonce: Annonce, debut: int, fin: int) -> list[Personne]:
    """People from `debut` (included) to `fin` (excluded)."""
    return [
        Personne(
            id_alerte(annonce.annonce_id, annonce.version, id_, Canal.EMAIL),
            id_,
            adresse(id_),
            besoin.pourquoi(numero),
        )
        for numero in range(debut, fin)
        for id_ in [besoin.personne(numero)]
    ]


class Redaction:
    """Fills in the mail of each person from a template compiled once."""

    def __init__(self, annonce: Annonce) -> None:
        self._compositeur = Compositeur(_REGLAGES.public_url, _REGLAGES.expediteur_nom, _REGLAGES.expediteur_adresse)
        self._liens = Liens(base64.urlsafe_b64encode(os.urandom(32)).decode())
        self._modele = self._compositeur.compiler(
            Genre.ALERTE, f"{annonce.annonce_id}:{annonce.version}", alertes.contenu(annonce)
        )

    def rediger(self, personne: Personne) -> Colis:
        lien = Lien(personne.envoi_id, personne.compte_id)
        desabonnement = self._compositeur.lien_desabonnement(self._liens.signer(lien))
        reponse = self._compositeur.lien_reponse(self._liens.signer(lien, Usage.REPONSE))
        corps = {"raisons": personne.pourquoi, "desabonnement": desabonnement, "reponse": reponse, "code": ""}
        entetes = self._compositeur.entetes(personne.envoi_id, personne.adresse, desabonnement)
        message = self._modele.remplir(entetes, corps, dt.datetime.now(dt.UTC))
        return Colis(personne.envoi_id, personne.adresse, message)


class Expediteur(Protocol):
    async def preparer(self) -> None: ...

    async def envoyer(self, annonce: Annonce, a: list[Personne]) -> None: ...


class Nu:
    def __init__(self, url: str) -> None:
        canal = CanalEmail(url, _REGLAGES.expediteur_adresse)
        self._connexions = [canal.connexion() for _ in range(CONNEXIONS)]

    async def preparer(self) -> None:
        await asyncio.gather(*(connexion.preparer() for connexion in self._connexions))

    async def envoyer(self, annonce: Annonce, a: list[Personne]) -> None:
        redaction, restants = Redaction(annonce), iter(a)
        await asyncio.gather(*(self._vider(connexion, redaction, restants) for connexion in self._connexions))

    async def _vider(self, connexion: ConnexionSmtp, redaction: Redaction, restants: Iterator[Personne]) -> None:
        while lot := [redaction.rediger(personne) for personne in islice(restants, _LOT)]:
            issues = await connexion.remettre(lot, lambda: True)
            if not all(isinstance(issue, Recu) for issue in issues):
                raise RuntimeError("the server of the bench refused a mail")


class Unitaire:
    def __init__(self, url: str) -> None:
        self._serveur = urlsplit(url)

    async def preparer(self) -> None:
        return

    async def envoyer(self, annonce: Annonce, a: list[Personne]) -> None:
        redaction, restants = Redaction(annonce), iter(a)
        await asyncio.gather(*(self._vider(redaction, restants) for _ in range(CONNEXIONS)))

    async def _vider(self, redaction: Redaction, restants: Iterator[Personne]) -> None:
        for personne in restants:
            message = redaction.rediger(personne).contenu
            assert isinstance(message, bytes)
            await aiosmtplib.send(
                message,
                sender=_REGLAGES.expediteur_adresse,
                recipients=[personne.adresse],
                hostname=self._serveur.hostname,
                port=self._serveur.port,
            )


EXPEDITEURS: dict[str, Callable[[str], Expediteur]] = {"nu": Nu, "unitaire": Unitaire}


async def main(nom: str, url: str) -> None:
    expediteur: Expediteur = EXPEDITEURS[nom](url)
    while ordre := await _ligne():
        lu = json.loads(ordre)
        annonce = Annonce.model_validate(lu["annonce"])
        a = personnes(annonce, lu["debut"], lu["fin"])
        await expediteur.preparer()
        print("pret", flush=True)
        await _ligne()
        print(dt.datetime.now(dt.UTC).timestamp(), flush=True)
        await expediteur.envoyer(annonce, a)


async def _ligne() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2]))
