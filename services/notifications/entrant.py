"""Wires the process that receives mail: an SMTP server, and what acts on the mails that it has stored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts.notifications import Canal
from kit.http.health import Health
from kit.lifecycle import Loop
from kit.resources import open_runtime
from services.notifications.preparation import preparer
from services.notifications.reponses_email.act import CourrielsEntrants
from services.notifications.reponses_email.server import Portier, Serveur, contexte_tls
from services.notifications.settings import SERVICE, Reglages
from services.notifications.wiring import monter

# It writes to people only when a mail of theirs was not passed on.
_CONNEXIONS = 1


@asynccontextmanager
async def start(settings: Reglages, health: Health) -> AsyncIterator[list[Loop]]:
    async with open_runtime(SERVICE, settings, health) as runtime:
        atelier = monter(runtime, settings, _CONNEXIONS)
        entrants = CourrielsEntrants(
            atelier.courriels,
            atelier.fils,
            atelier.contacts,
            atelier.courrier,
            atelier.suivi,
            atelier.annonces,
            runtime.outbox,
            runtime.clock,
            settings.domaine,
        )
        portier = Portier(
            atelier.adresses,
            atelier.fils,
            atelier.courriels,
            atelier.suivi,
            runtime.clock,
            settings.expediteur_adresse,
            entrants.arrivee.set,
        )
        tls = contexte_tls(settings.entrant_certificat, settings.entrant_cle)
        serveur = Serveur(portier, settings.host, settings.port, tls, settings.domaine_entrant or settings.domaine)
        health.checks["smtp"] = serveur.verifier
        await preparer(runtime, settings)
        try:
            yield [serveur.run, entrants.run, atelier.deliverers[Canal.EMAIL].run, runtime.outbox.run_sweeper]
        finally:
            await atelier.fermer()
