"""Somebody who wants alerts by SMS too: their number is verified as everybody's is."""

import datetime as dt
import itertools
import re
import secrets
from dataclasses import dataclass

from contracts.annonces import Annonce
from deploy.standins.sms_operators.remise import Sms
from kit.ids import new_id
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import annonce, correspondances, destinataire
from tests.integration.notifications.operateurs import NOTRE_NOM

_NUMEROS = itertools.count(secrets.randbelow(10**6))


def numero() -> str:
    """A French mobile that no other test has (E.164)."""
    return f"+33612{next(_NUMEROS) % 10**6:06}"


@dataclass(frozen=True)
class Abonne:
    poste: Poste
    compte_id: str
    adresse: str
    numero: str
    profil_id: str

    @property
    def recus(self) -> list[Sms]:
        return self.poste.operateurs.telephones.recus[self.numero]

    async def lit(self, morceau: str, combien: int = 1) -> Sms:
        """The last SMS with these words, once there are so many."""

        def arrives() -> list[Sms]:
            trouves = [sms for sms in self.recus if morceau in sms.texte]
            return trouves if len(trouves) >= combien else []

        lus: list[Sms] = await self.poste.bientot(arrives)
        assert len(lus) == combien
        return lus[-1]

    async def ecrit(self, texte: str, *, par_http: bool = False) -> None:
        """Sends us an SMS; it is acted upon somewhat later."""
        operateurs = self.poste.operateurs
        operateur = operateurs.fournisseur if par_http else operateurs.smsc
        await operateur.entrant(self.numero, NOTRE_NOM, texte)

    async def est_alerte(self, **autres: object) -> Annonce:
        """An alert by mail and SMS; returns once the SMS was handed over and marked."""
        de = await self.aurait_une_alerte(**autres)
        await self.poste.parti(annonce_id=de.annonce_id, canal="sms", compte_id=self.compte_id)
        return de

    async def aurait_une_alerte(self, **autres: object) -> Annonce:
        de = annonce(**autres)
        await self.poste.publier(correspondances(de, destinataire(self.compte_id, self.profil_id)))
        return de


async def abonner(poste: Poste, *, sms: bool = True) -> Abonne:
    compte_id, adresse = await poste.inscrire()
    if sms:
        await consentir(poste, compte_id, version=2)
    quelqu_un = Abonne(poste, compte_id, adresse, numero(), new_id())
    await verifier(quelqu_un)
    return quelqu_un


async def consentir(poste: Poste, compte_id: str, version: int) -> None:
    """To alerts by mail and by SMS, now."""
    now = dt.datetime.now(dt.UTC).isoformat()
    corps = {
        "consentements": [
            {"canal": canal, "accorde": True, "preuve": "case cochée", "at": now} for canal in ("email", "sms")
        ],
        "version": version,
    }
    reponse = await poste.api.put(f"/v1/interne/contacts/{compte_id}", json=corps, headers=poste.systeme())
    assert reponse.status_code == 204, reponse.text


async def verifier(quelqu_un: Abonne) -> None:
    poste = quelqu_un.poste
    corps = {"compte_id": quelqu_un.compte_id, "numero": quelqu_un.numero}
    reponse = await poste.api.post("/v1/interne/telephones", json=corps, headers=poste.systeme())
    assert reponse.status_code == 202, reponse.text
    chemin = f"/v1/interne/telephones/{quelqu_un.compte_id}/confirmation"
    code = lire_code(await quelqu_un.lit("est votre code"))
    fait = await poste.api.post(chemin, json={"code": code}, headers=poste.systeme())
    assert fait.status_code == 204, fait.text


def lire_code(sms: Sms) -> str:
    trouve = re.match(r"\d{6}", sms.texte)
    assert trouve is not None
    return trouve[0]
