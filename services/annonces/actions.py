"""What happens inside a transaction, whoever asks: read, decide (pure), write, emit."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.annonces import EtatReponse, Reponse
from contracts.moderation import Motif
from kit.clock import Clock
from kit.outbox import Outbox, Tx
from services.annonces import domain, reponses
from services.annonces.domain import Changement
from services.annonces.reponses import ActionReponse, ChangementReponse
from services.annonces.settings import Reglages
from services.annonces.store import Document, Store, fiche
from services.annonces.tours import Tours


@dataclass(frozen=True)
class Deps:
    """What routes, handlers and timers work with."""

    store: Store
    outbox: Outbox
    clock: Clock
    settings: Reglages
    tours: Tours = field(default_factory=Tours)


async def appliquer(tx: Tx, store: Store, change: Changement) -> None:
    await store.enregistrer(change.fiche, tx.session)
    if change.evenement is not None:
        tx.emit(change.evenement)


async def retirer_toutes(tx: Tx, store: Store, documents: Sequence[Document], motifs: Sequence[Motif]) -> None:
    """Withdraws each of the annonces that is still alive."""
    for document in documents:
        lue = fiche(document)
        if lue.annonce.etat in domain.VIVANTS:
            await appliquer(tx, store, domain.retirer(lue, motifs))


async def agir_sur_reponse(tx: Tx, store: Store, document: Document, action: ActionReponse) -> ChangementReponse:
    """Accepts, declines or takes back an answer, and gives its places back where it held some.

    Raises ReponseImpossible or AnnonceSansSuite.
    """
    reponse = Reponse.model_validate(document)
    annonce = await store.annonce(reponse.annonce_id, tx.session)
    if annonce is None:
        raise LookupError(f"the annonce {reponse.annonce_id} of the reponse {reponse.reponse_id} is missing")
    lue = fiche(annonce)
    gerants = await store.gerants(lue.annonce, tx.session)
    change = reponses.agir(reponse, action, lue.annonce.etat, gerants)
    await store.enregistrer_reponse(change.reponse, tx.session)
    tx.emit(change.evenement)
    if reponses.rend_ses_places(EtatReponse(reponse.etat), change.reponse.etat):
        await appliquer(tx, store, domain.liberer(lue, reponse.quantite))
    return change
