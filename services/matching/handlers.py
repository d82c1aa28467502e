"""What matching does when an event arrives; the table HANDLERS is at the end."""

import asyncio
import datetime as dt
from dataclasses import dataclass

from contracts import annonces
from contracts.annonces import Annonce, EvenementAnnonce
from contracts.comptes import CompteEfface
from contracts.effacement import sans_annonce, sans_compte
from contracts.matching import CorrespondancesTrouvees, Destinataire, ProfilDesactive
from contracts.notifications import DesabonnementDemande
from kit.clock import Clock
from kit.errors import RetryLater
from kit.ids import stable_id
from kit.messaging.outbox import Tx
from kit.messaging.processor import Handler
from kit.metrics import STALE
from services.matching import domain, store
from services.matching.index import Index
from services.matching.metrics import CORRESPONDANCES, SEARCH_SECONDS
from services.matching.personnes import une_fois_par_personne
from services.matching.settings import SERVICE

LOT = 500
# With fewer profils, a search is faster than starting a thread for it.
_INLINE = 20_000
# A deactivation reaches the index within milliseconds; one minute also covers a worker that lags.
_INDEX_MAY_LAG = dt.timedelta(seconds=60)


@dataclass(frozen=True)
class Deps:
    index: Index
    clock: Clock


async def on_annonce_publiee(event: annonces.AnnoncePubliee, tx: Tx, deps: Deps) -> None:
    """Searches for the people whom the annonce concerns, except those alerted about an earlier version."""
    await _suivre(event.annonce, tx, deps, publication=True)


async def on_annonce(event: EvenementAnnonce, tx: Tx, deps: Deps) -> None:
    """Stores version and state of the annonce, so that a stale publication alerts nobody. Searches if the publication
    event was missed."""
    await _suivre(event.annonce, tx, deps, publication=False)


async def on_annonce_effacee(event: annonces.AnnonceEffacee, tx: Tx, deps: Deps) -> None:
    """Over for good, and whom it concerned is not told again."""
    await tx.forget(event.annonce.annonce_id, sans_annonce)
    await _suivre(event.annonce, tx, deps, publication=False)


async def on_desabonnement_demande(event: DesabonnementDemande, tx: Tx, deps: Deps) -> None:
    """Deactivates the profil; does nothing if it was erased."""
    profil = await store.profil(tx.db, event.profil_id, tx)
    desactive = domain.desactiver(profil) if profil else None
    if desactive is None:
        return
    if not await store.remplacer(tx, desactive, deps.clock.now()):
        raise RetryLater("the profil changed meanwhile")
    tx.emit(ProfilDesactive(profil=desactive))


async def on_compte_efface(event: CompteEfface, tx: Tx, deps: Deps) -> None:
    """Erases what the account wanted; the topic keeps an empty last version."""
    await tx.forget(event.compte.compte_id, sans_compte)
    for profil in await store.profils_du_compte(tx.db, event.compte.compte_id, tx):
        efface = domain.effacer(profil)
        if not await store.remplacer(tx, efface, deps.clock.now()):
            raise RetryLater("a profil changed meanwhile")
        tx.emit(ProfilDesactive(profil=efface))


async def _suivre(annonce: Annonce, tx: Tx, deps: Deps, *, publication: bool) -> None:
    now = deps.clock.now()
    premiere = domain.premiere_suite(annonce, publication=publication, now=now)
    suivre = store.suivre(tx, annonce.annonce_id, premiere.suivi)
    desactives: set[str] = set()
    if publication or premiere.apparier:
        connu, desactives = await asyncio.gather(suivre, store.desactives_depuis(tx.db, now - _INDEX_MAY_LAG))
    else:
        connu = await suivre
    suite = domain.suite(connu, annonce, publication=publication, now=now) if connu else premiere
    if suite is None:
        STALE.labels(SERVICE).inc()
        return
    if connu is not None:
        await store.enregistrer_suivi(tx, annonce.annonce_id, suite.suivi)
    if not suite.apparier:
        return
    alertes = await store.deja_alertes(tx, annonce.annonce_id) if connu is not None and connu.appariee else set()
    found = [
        match
        for match in await _search(deps.index, annonce)
        if match.profil_id not in desactives and match.compte_id not in alertes
    ]
    if found:
        await _emettre(annonce, found, tx, now)


async def _search(index: Index, annonce: Annonce) -> list[Destinataire]:
    with SEARCH_SECONDS.time():
        if len(index) < _INLINE:
            return index.search(annonce)
        return await asyncio.to_thread(index.search, annonce)


async def _emettre(annonce: Annonce, found: list[Destinataire], tx: Tx, now: dt.datetime) -> None:
    personnes = une_fois_par_personne(found)
    lots = [personnes[start : start + LOT] for start in range(0, len(personnes), LOT)]
    ids = [[match.profil_id for match in lot] for lot in lots]
    await store.noter_correspondances(tx, annonce.annonce_id, annonce.version, ids, now)
    for number, lot in enumerate(lots):
        tx.emit(
            CorrespondancesTrouvees(annonce=annonce, lot=number, lots=len(lots), destinataires=lot),
            event_id=stable_id("correspondances", annonce.annonce_id, annonce.version, number),
        )
    tx.after_commit(lambda: CORRESPONDANCES.inc(len(personnes)))


def sans_effet(event: object) -> bool:
    """True for an event that cannot change anything, such as the first version of an annonce."""
    return isinstance(event, annonces.AnnonceDeposee) and event.annonce.version == 1


HANDLERS: dict[type, Handler] = {
    annonces.AnnoncePubliee: on_annonce_publiee,
    annonces.AnnonceDeposee: on_annonce,
    annonces.AnnonceACorriger: on_annonce,
    annonces.AnnonceRefusee: on_annonce,
    annonces.AnnonceModifiee: on_annonce,
    annonces.AnnoncePourvue: on_annonce,
    annonces.AnnonceRetiree: on_annonce,
    annonces.AnnonceExpiree: on_annonce,
    annonces.AnnonceEffacee: on_annonce_effacee,
    DesabonnementDemande: on_desabonnement_demande,
    CompteEfface: on_compte_efface,
}
