"""The acts of a moderator, for the JSON API and the pages: one transaction each, refusals in French."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from contracts.moderation import Issue, Motif
from kit import telemetry
from kit.clock import Clock
from kit.http.problems import Problem, not_found
from kit.ids import new_id
from kit.messaging.outbox import Outbox, Tx
from services.moderation import domain, journal, metrics
from services.moderation.domain import Dossier, Etat
from services.moderation.motifs import DecisionInvalide, motiver
from services.moderation.store import Store

_FERME = {
    Etat.DECIDE: "Ce dossier est déjà décidé.",
    Etat.CADUC: "Ce dossier n’a plus d’objet : l’annonce a été déposée à nouveau, retirée, ou a expiré.",
}


@dataclass(frozen=True)
class Actions:
    store: Store
    outbox: Outbox
    clock: Clock
    bail: dt.timedelta

    async def prendre(self, dossier_id: str, par: str) -> Dossier:
        """Claims the dossier for the length of the lease, or extends the claim. Problems: 404, 403 (own post), 409
        (held, closed)."""
        return await self._changer(
            dossier_id, par, lambda dossier, now: domain.prendre(dossier, par, now, self.bail), partie=True
        )

    async def liberer(self, dossier_id: str, par: str) -> Dossier:
        """Releases the claim. Problems: 404, 409."""
        return await self._changer(
            dossier_id, par, lambda dossier, now: domain.liberer(dossier, par, now), partie=False
        )

    async def rouvrir(self, dossier_id: str) -> Dossier:
        """Puts an approved annonce back in the queue. Problems: 404, 409 (not approved, or no longer online)."""

        async def work(tx: Tx) -> Dossier:
            dossier = await self._lire(dossier_id, tx)
            with _en_problemes():
                rouvert = domain.rouvrir(dossier, en_ligne=await self.store.en_ligne(dossier, tx.session))
            await self.store.remplacer(rouvert, tx.session)
            return rouvert

        return await self.outbox.run(work)

    async def suivant(self, par: str) -> Dossier | None:
        """Claims the first free dossier of the queue. Two callers never get the same one. Returns None when nothing
        waits."""

        async def work(tx: Tx) -> Dossier | None:
            now = self.clock.now()
            dossier = await self.store.suivant(par, now, tx.session)
            if dossier is None:
                return None
            pris = domain.prendre(dossier, par, now, self.bail)
            await self.store.remplacer(pris, tx.session)
            return pris

        return await self.outbox.run(work)

    async def decider(self, dossier_id: str, par: str, jeton: int, issue: Issue, motifs: Sequence[Motif]) -> Dossier:
        """Decides: state, audit trail and event are committed together. Problems: 404, 403, 409, 422 with fields."""
        decision_id = new_id()

        async def work(tx: Tx) -> Dossier:
            now = self.clock.now()
            dossier = await self._lire(dossier_id, tx)
            association = await self.store.association(dossier.auteur.association_id, tx.session)
            with _en_problemes():
                domain.verifier_partie(dossier, par, association["membres"] if association else ())
                decide = domain.decider(dossier, par, jeton, issue, decision_id, now)
                retenus = motiver(dossier, issue, motifs)
            await self.store.remplacer(decide, tx.session)
            await self.store.consigner(journal.decision(dossier, decide, retenus, par=par, now=now), tx.session)
            version = await self.store.version_connue(dossier.cible_id, tx.session)
            event = journal.evenement(
                decide, retenus, journal.destinataires(decide, association), now, version_connue=version
            )
            if event is not None:
                # The decision continues the trace of the annonce, and links to the moderator's request.
                request = telemetry.links([telemetry.inject()])
                with telemetry.span("decision", dossier.cause or None, links=request):
                    tx.emit(event, event_id=decision_id)
            tx.after_commit(lambda: metrics.compter(issue, automatique=False))
            return decide

        return await self.outbox.run(work)

    async def accorder_confiance(self, association_id: str, confiance: bool, par: str) -> dict[str, Any]:
        """Gives or withdraws trust in an association, and records a change in the audit trail. Problems: 404, 403,
        409."""
        entree_id = new_id()

        async def work(tx: Tx) -> dict[str, Any]:
            association = await self.store.association(association_id, tx.session)
            if association is None:
                raise not_found("Cette association")
            if par in association["membres"]:
                raise _partie_prenante()
            if confiance and association["etat"] != "validee":
                detail = "Cette association n’est pas validée : la confiance vient après."
                raise Problem(409, "association-non-validee", "Association non validée", detail)
            if bool(association.get("confiance")) != confiance:
                entree = journal.confiance(entree_id, association, confiance, par=par, now=self.clock.now())
                await self.store.accorder_confiance(association_id, confiance, tx.session)
                await self.store.consigner(entree, tx.session)
            return {**association, "confiance": confiance}

        return await self.outbox.run(work)

    async def _lire(self, dossier_id: str, tx: Tx) -> Dossier:
        dossier = await self.store.dossier(dossier_id, tx.session)
        if dossier is None:
            raise not_found("Ce dossier")
        return dossier

    async def _changer(
        self, dossier_id: str, par: str, change: Callable[[Dossier, dt.datetime], Dossier], *, partie: bool
    ) -> Dossier:
        async def work(tx: Tx) -> Dossier:
            dossier = await self._lire(dossier_id, tx)
            with _en_problemes():
                if partie:
                    association = await self.store.association(dossier.auteur.association_id, tx.session)
                    domain.verifier_partie(dossier, par, association["membres"] if association else ())
                change_ = change(dossier, self.clock.now())
            await self.store.remplacer(change_, tx.session)
            return change_

        return await self.outbox.run(work)


def _partie_prenante() -> Problem:
    detail = "Vous êtes l’auteur ou membre de l’association : une autre personne doit décider."
    return Problem(403, "partie-prenante", "Décision réservée à une autre personne", detail)


@contextmanager
def _en_problemes() -> Iterator[None]:
    """Turns the refusals of the domain into problems. Accounts are named by their ids only."""
    try:
        yield
    except domain.PartiePrenante as error:
        raise _partie_prenante() from error
    except domain.DejaPris as error:
        detail = f"Une autre personne traite ce dossier (compte {error.par})."
        expire_at = error.expire_at.isoformat()
        raise Problem(
            409, "dossier-pris", "Dossier déjà pris", detail, pris_par=error.par, expire_at=expire_at
        ) from error
    except domain.NonRevisable as error:
        detail = "Seule une annonce approuvée, et encore en ligne dans cette version, peut être revue."
        raise Problem(409, "non-revisable", "Décision définitive", detail) from error
    except domain.BailPerdu as error:
        detail = "Une autre personne a repris ce dossier, ou il a été libéré : votre décision n’a pas été enregistrée."
        raise Problem(409, "bail-perdu", "Dossier repris", detail) from error
    except domain.TransitionInterdite as error:
        detail = _FERME.get(error.etat, "Prenez d’abord ce dossier.")
        slug = "dossier-ferme" if error.etat in _FERME else "dossier-non-pris"
        raise Problem(409, slug, "Action impossible", detail) from error
    except DecisionInvalide as error:
        erreurs = [{"champ": champ, "message": phrase} for champ, phrase in error.erreurs]
        raise Problem(422, "donnees-invalides", "Données invalides", str(error), errors=erreurs) from error
