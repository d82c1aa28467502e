"""A flow of posts that goes on whatever breaks, and the proof that nothing of it was lost."""

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from contracts.notifications import Canal
from deploy.bilan.alerts import Injoignable, dresser
from deploy.client import Client, RequestRefused, jusqu_a
from services.notifications.domain import LOT_MAX, lots_par_connexion
from services.notifications.settings import Reglages
from tests.pile import Ville, annonce, profil

_CATEGORIE = "materiel-de-sport"
BENEVOLES = 2
RETABLIE_S = 120

# What a crash of a deliverer may repeat: one claimed lot per connection.
DOUBLONS_MAX = LOT_MAX[Canal.EMAIL] * lots_par_connexion(Canal.EMAIL) * Reglages.model_fields["connexions"].default


@dataclass
class Flux:
    """Posts annonces one after the other, each with its own Idempotency-Key, and insists until it is accepted."""

    ville: Ville
    responsable: Client
    association: str
    destinataires: set[str]
    lieu: dict[str, float]
    marque: str = field(default_factory=lambda: f"Flux {secrets.token_hex(4)}")
    acceptees: dict[str, str] = field(default_factory=dict)
    refus: Counter[str] = field(default_factory=Counter)

    def titre(self, numero: int) -> str:
        return f"{self.marque} {numero:05d}"

    async def poster(self, numero: int) -> None:
        """Insists on one annonce until the system says 201 (or 200 for a repeat)."""
        titre = self.titre(numero)
        corps = annonce(self.association, titre, _CATEGORIE, **self.lieu)
        entetes = {"Idempotency-Key": titre.replace(" ", "-")}

        async def accepte() -> bool:
            try:
                posee, _ = await self.responsable.call("POST", "/v1/annonces", corps, entetes)
            except RequestRefused as refus:
                # Anything but "not now" is a defect: the request is right.
                if refus.status != 503:
                    raise
                self.refus["503"] += 1
                return False
            except (aiohttp.ClientError, TimeoutError) as error:
                self.refus[type(error).__name__] += 1
                return False
            self.acceptees[titre] = posee["annonce_id"]
            return True

        await jusqu_a(accepte, f"{titre} accepté", RETABLIE_S)

    @asynccontextmanager
    async def coule(self) -> AsyncIterator[None]:
        """Posts about ten a second for the time of the `async with`."""
        fini = asyncio.Event()

        async def couler() -> None:
            numero = 0
            while not fini.is_set():
                await self.poster(numero)
                numero += 1
                await asyncio.sleep(0.08)

        en_cours = asyncio.create_task(couler())
        try:
            yield
        finally:
            fini.set()
            await en_cours

    async def au_moins(self, nombre: int) -> None:
        """Waits until so many more posts were accepted."""
        but = len(self.acceptees) + nombre

        async def atteint() -> bool:
            return len(self.acceptees) >= but

        await jusqu_a(atteint, f"{nombre} annonces acceptées de plus", RETABLIE_S)

    async def reconcilier(self) -> int:
        """Every accepted annonce reached every expected person, and the ledger says so. Returns how many came twice."""
        attendus = {(titre, adresse) for titre in self.acceptees for adresse in self.destinataires}

        async def recus() -> Counter[tuple[str, str]] | None:
            mails = await self.ville.courrier.mails(0, sujet=self.marque)
            alertes = [mail for mail in mails if mail["sujet"].startswith(self.marque)]
            found = Counter((mail["sujet"], adresse) for mail in alertes for adresse in mail["a"])
            return found if attendus <= set(found) else None

        found: Counter[tuple[str, str]] = await jusqu_a(recus, f"{len(attendus)} alertes", RETABLIE_S)
        assert set(found) == attendus, "somebody was alerted who should not be, or about something not accepted"
        await self._registre(len(attendus))
        return sum(found.values()) - len(attendus)

    async def _registre(self, nombre: int) -> None:
        """The ledger holds exactly one row per announced alert, each marked as handed over."""

        async def tout_remis() -> bool:
            try:
                bilan = await dresser(self.ville.kafka, self.ville.interne, set(self.acceptees.values()))
            except Injoignable:
                return False
            total = bilan.total
            assert total.inexpliquees == 0, (total.sans_envoi, total.sans_destinataire)
            return (total.destinataires, total.en_route, total.etats) == (nombre, 0, {"remis": nombre})

        await jusqu_a(tout_remis, f"registre : {nombre} envois remis", RETABLIE_S)


async def ouvrir(ville: Ville) -> Flux:
    """A trusted association and those whom its annonces concern, somewhere in France where no other test plays."""
    lieu = {"lat": round(random.uniform(44, 49), 4), "lon": round(random.uniform(0, 6), 4)}
    responsable = await ville.entrer("responsable")
    association = await ville.association(responsable, confiance=True)
    for numero in range(BENEVOLES):
        benevole = await ville.entrer(f"benevole{numero}")
        await benevole.post("/v1/profils", profil(_CATEGORIE, rayon_km=1, **lieu))
    await ville.index_a_jour()
    return Flux(ville, responsable, association, {ville.adresse(f"benevole{n}") for n in range(BENEVOLES)}, lieu)
