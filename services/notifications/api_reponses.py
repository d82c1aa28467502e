"""The links of alerts and of changes: a yes or a no, in the name of whom the mail was for. Reading changes nothing."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import Field, StrictInt

from contracts.notifications import Canal, Intention, ReponseParMessage
from kit.http.problems import not_found
from kit.http.tokens import identity
from kit.ids import stable_id
from kit.messaging.outbox import Tx
from services.notifications import views
from services.notifications.deps import Acces, Deps, json
from services.notifications.domain import REPONDABLES, Genre
from services.notifications.messages.signed_links import Usage
from services.notifications.registre.rows import Ligne
from services.notifications.requetes import Corps

public = APIRouter(prefix="/v1/reponses-par-lien", tags=["messages"], dependencies=[Depends(identity)])

_INTENTIONS = ("repondre", "refuser")


class ReponseSaisie(Corps):
    intention: Annotated[str, Field(pattern="^(repondre|refuser)$")]
    quantite: StrictInt = Field(default=1, ge=1, le=1000)


@public.get("/{jeton}", response_model=views.VueReponseParLien)
async def lire(jeton: str, deps: Deps) -> Response:
    """What the link is about."""
    envoi = await _envoi(jeton, deps)
    return json(_vue(envoi))


@public.post("/{jeton}", status_code=202, response_model=views.VueReponseParLien)
async def repondre(jeton: str, saisie: ReponseSaisie, deps: Deps) -> Response:
    """Taken note of; what comes of it is told by a message. The last word counts; the same again changes nothing."""
    envoi = await _envoi(jeton, deps)
    oui = saisie.intention == "repondre"
    now = deps.runtime.clock.now()

    async def work(tx: Tx) -> None:
        fois = await deps.atelier.registre.noter_reponse(envoi["_id"], saisie.intention, saisie.quantite, tx.session)
        if fois is None:
            return
        reponse_id = stable_id("reponse-par-lien", envoi["_id"], str(fois))
        if oui:
            await deps.atelier.contacts.accepter(envoi["compte_id"], envoi["annonce_id"], tx.session)
        else:
            await deps.atelier.contacts.refuser(envoi["compte_id"], envoi["annonce_id"], tx.session)
            await deps.atelier.registre.refuser(envoi["compte_id"], envoi["annonce_id"], tx.session)
        event = ReponseParMessage(
            reponse_id=reponse_id,
            annonce_id=envoi["annonce_id"],
            compte_id=envoi["compte_id"],
            canal=Canal.EMAIL,
            intention=Intention.REPONDRE if oui else Intention.ANNULER,
            quantite=saisie.quantite,
            recue_at=now,
        )
        tx.emit(event, event_id=stable_id("reponse-par-message", reponse_id))

    await deps.runtime.outbox.run(work)
    return json(_vue({**envoi, "reponse": saisie.intention}), 202)


async def _envoi(jeton: str, deps: Acces) -> Ligne:
    lien = deps.atelier.liens.lire(jeton, Usage.REPONSE)
    envoi = await deps.atelier.consultation.envoi(lien.envoi_id) if lien else None
    if envoi is None or envoi["genre"] not in REPONDABLES or not envoi["compte_id"]:
        raise not_found("Ce lien de réponse")
    return {"annonce_id": envoi.get("a_propos"), **envoi}


def _vue(envoi: Ligne) -> dict[str, Any]:
    """`changement`: days or place of what somebody answered changed, and they are asked whether it still holds."""
    vue = {
        "annonce": {"annonce_id": envoi["annonce_id"], "titre": envoi.get("titre")},
        "intentions": list(_INTENTIONS),
        "fait": envoi.get("reponse"),
    }
    return vue | ({"changement": True} if envoi["genre"] == Genre.CIRCONSTANCES_CHANGEES else {})
