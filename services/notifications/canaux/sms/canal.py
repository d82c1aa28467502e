"""The SMS channel over several providers: each message goes to one of them, and to another one if that is away."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from contracts.notifications import Canal as NomDeCanal
from services.notifications.canaux.base import (
    Colis,
    EchecRemise,
    Injoignable,
    Issue,
    NousRefuse,
    Permanent,
    ProviderChoice,
    WaitForRate,
    sans_limite,
)
from services.notifications.canaux.faults import relire
from services.notifications.canaux.provider_pauses import ProviderPauses
from services.notifications.canaux.sms.fournisseur import FournisseurSms, Sature

ENSEMBLE = 10
"""Number of messages of a batch sent concurrently, because each answer takes a round trip."""


Essais = defaultdict[str, list[Issue]]
"""Provider → outcomes of the messages offered to it, in order."""


class CanalSms:
    nom = NomDeCanal.SMS

    def __init__(
        self, fournisseurs: Sequence[FournisseurSms], aiguillage: ProviderChoice, cadence: WaitForRate = sans_limite
    ) -> None:
        """Raises ValueError without providers, or when two have the same name."""
        self._fournisseurs = {fournisseur.nom: fournisseur for fournisseur in fournisseurs}
        if not fournisseurs or len(self._fournisseurs) != len(fournisseurs):
            raise ValueError("the SMS channel needs providers with names of their own")
        self._aiguillage = aiguillage
        self._cadence = cadence
        self._retenues = ProviderPauses(self.nom)

    def connexion(self) -> "ConnexionSms":
        return ConnexionSms(self._fournisseurs, self._aiguillage, self._cadence, self._retenues)


class ConnexionSms:
    """Uses the providers' own connections."""

    def __init__(
        self,
        fournisseurs: dict[str, FournisseurSms],
        aiguillage: ProviderChoice,
        cadence: WaitForRate,
        retenues: ProviderPauses,
    ) -> None:
        self._fournisseurs = fournisseurs
        self._aiguillage = aiguillage
        self._cadence = cadence
        self._retenues = retenues

    async def preparer(self) -> None:
        """Returns as soon as one provider answers, except those that refuse us. Raises Injoignable."""
        admis = self._fournisseurs.keys() - self._retenues.parmi(self._fournisseurs)
        essais = {asyncio.create_task(self._fournisseurs[nom].pret()) for nom in admis}
        refus = not admis
        try:
            for essai in asyncio.as_completed(essais):
                try:
                    return await essai
                except Injoignable as error:
                    refus = refus or isinstance(error, NousRefuse)
            raise (NousRefuse if refus else Injoignable)("aucun fournisseur de SMS")
        finally:
            for essai in essais:
                essai.cancel()
            await asyncio.gather(*essais, return_exceptions=True)

    async def remettre(self, colis: Sequence[Colis], tenu: Callable[[], bool]) -> list[Issue]:
        issues: list[Issue] = []
        absent = False
        for debut in range(0, len(colis), ENSEMBLE):
            ensemble = colis[debut : debut + ENSEMBLE]
            essais: Essais = defaultdict(list)
            faits = await asyncio.gather(*(self._un(un, tenu, essais) for un in ensemble if not absent))
            issues += faits or [Injoignable("non commencé") for _ in ensemble]
            absent = absent or any(isinstance(issue, Injoignable) for issue in faits)
            self._apprendre(issues, essais)
        return issues

    def _apprendre(self, issues: list[Issue], essais: Essais) -> None:
        """Pauses a provider that refused us, unless it accepted other messages: then the refusal was about one
        message."""
        for nom, tentees in essais.items():
            lues = relire(tentees)
            self._retenues.apprendre(nom, lues)
            for avant, lue in zip(tentees, lues, strict=True):
                if lue is not avant and avant in issues:
                    issues[issues.index(avant)] = lue

    async def fermer(self) -> None:
        """Does nothing: the sessions of providers outlive this connection."""

    async def _un(self, colis: Colis, tenu: Callable[[], bool], essais: Essais) -> Issue:
        """Tries one provider after the other until one accepts. Inconnu ends this, because the message may have been
        accepted."""
        if not isinstance(colis.contenu, str):
            return Permanent("sms sans texte")
        exclus = self._retenues.parmi(self._fournisseurs)
        dernier: EchecRemise = Injoignable("non commencé")
        while len(exclus) < len(self._fournisseurs):
            nom = self._aiguillage.choisir(exclus)
            await self._cadence(nom, 1)
            if not tenu():
                break
            issue = await self._tenter(self._fournisseurs[nom], colis.adresse, colis.contenu, colis.envoi_id)
            essais[nom].append(issue)
            if not isinstance(issue, Injoignable | Sature):
                return issue
            exclus |= {nom}
            # A busy provider counts as an attempt, and the other messages of the batch are still tried.
            dernier = dernier if isinstance(dernier, Sature) else issue
        return dernier

    async def _tenter(self, fournisseur: FournisseurSms, numero: str, texte: str, envoi_id: str) -> Issue:
        depuis = time.monotonic()
        issue: Issue
        try:
            issue = await fournisseur.envoyer(numero, texte, envoi_id)
        except EchecRemise as echec:
            issue = echec
        succes = not isinstance(issue, EchecRemise) or isinstance(issue, Permanent)
        self._aiguillage.noter(fournisseur.nom, succes=succes, duree_s=time.monotonic() - depuis)
        return issue
