"""The routes: contacts and codes for the gateway alone, unsubscribing for everybody, one's own messages."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from contracts.commun import Identifiant
from contracts.envois import Etat
from contracts.notifications import Canal
from kit.http.problems import not_found
from kit.http.tokens import Identity, account, identity, requires
from kit.ids import new_id
from kit.messaging.outbox import Tx
from services.notifications import views
from services.notifications.delivery.handoff import sceller
from services.notifications.deps import Acces, Deps, json
from services.notifications.domain import Genre, en_route
from services.notifications.messages.catalogue import MESSAGES, objet
from services.notifications.messages.signed_links import Lien
from services.notifications.registre.ids import id_calcule
from services.notifications.registre.rows import Ligne
from services.notifications.requetes import DemandeBilan, DemandeCode, DemandeContact, DemandeContactDe

_LOT_CONTACTS = 1000
_CONTENU_CODE = "code"
_PAGE_BILAN = 10_000


interne = APIRouter(prefix="/v1/interne", dependencies=[Depends(requires("systeme"))], include_in_schema=False)
public = APIRouter(prefix="/v1")


@interne.put("/contacts/{compte_id}", status_code=204)
async def enregistrer_contact(compte_id: Identifiant, demande: DemandeContact, deps: Deps) -> Response:
    await deps.atelier.contacts.enregistrer([demande.fiche(compte_id)])
    return Response(status_code=204)


@interne.post("/contacts", status_code=204)
async def enregistrer_contacts(
    demandes: Annotated[list[DemandeContactDe], Field(max_length=_LOT_CONTACTS)], deps: Deps
) -> Response:
    if demandes:
        await deps.atelier.contacts.enregistrer([demande.fiche(demande.compte_id) for demande in demandes])
    return Response(status_code=204)


@interne.post("/codes", status_code=202)
async def envoyer_code(demande: DemandeCode, deps: Deps) -> Response:
    """Stored, then handed over from this process at once; the worker takes up what it leaves."""
    atelier, runtime = deps.atelier, deps.runtime
    envoi_id = new_id()
    ligne = atelier.registre.ligne(
        envoi_id,
        Genre.CODE,
        Canal.EMAIL,
        demande.compte_id,
        _CONTENU_CODE,
        MESSAGES[Genre.CODE].version,
        titre="Votre code de connexion",
        pourquoi="",
        secret=sceller(atelier.coffre, envoi_id, demande.email, demande.code),
    )
    await atelier.contacts.noter_code(demande.compte_id, demande.email, runtime.clock.now())

    async def work(tx: Tx) -> None:
        await atelier.courrier.deposer(_CONTENU_CODE, Genre.CODE, {}, [ligne], tx)

    await runtime.outbox.run(work)
    return json({"envoi_id": envoi_id}, 202)


@interne.post("/bilan")
async def lire_bilan(demande: DemandeBilan, deps: Deps) -> Response:
    """What became of the alerts of some annonces, each named: a page of at most 10,000 rows, grouped by their fate.

    Answers {groupes: [{annonce_id, version, etat, motif, en_route, nombre, dernier_at, envois: [ids]}], suite}, where
    `dernier_at` is when the youngest row of the group was made; `suite`, when there is more, is the next `apres`.
    """
    lignes = await deps.atelier.consultation.alertes(demande.annonce_ids, demande.apres, _PAGE_BILAN)
    suite = lignes[-1]["_id"] if len(lignes) == _PAGE_BILAN else None
    return json({"groupes": _grouper(lignes), "suite": suite})


def _grouper(lignes: list[Ligne]) -> list[dict[str, Any]]:
    groupes: dict[tuple[Any, ...], dict[str, Any]] = {}
    for ligne in lignes:
        attend = en_route(Etat(ligne["etat"]), ligne.get("motif"), reprise="reprise_at" in ligne)
        cle = (ligne["annonce_id"], ligne["version"], ligne["etat"], ligne.get("motif"), attend)
        if (groupe := groupes.get(cle)) is None:
            noms = ("annonce_id", "version", "etat", "motif", "en_route")
            groupe = groupes[cle] = {**dict(zip(noms, cle, strict=True)), "dernier_at": ligne["cree_at"], "envois": []}
        groupe["envois"].append(id_calcule(ligne))
        groupe["dernier_at"] = max(groupe["dernier_at"], ligne["cree_at"])
    return [{**groupe, "nombre": len(groupe["envois"])} for groupe in groupes.values()]


@public.get("/desabonnements/{jeton}", response_model=views.VueDesabonnement, dependencies=[Depends(identity)])
async def lire_desabonnement(jeton: str, deps: Deps) -> Response:
    """What the link is about. It changes nothing: programs that scan mails follow every link."""
    lien = _lien(deps, jeton)
    fait = bool(await deps.atelier.registre.desabonnes([lien.profil_id]))
    return json(await _etat(deps, lien, fait))


@public.post("/desabonnements/{jeton}", response_model=views.VueDesabonnement, dependencies=[Depends(identity)])
async def desabonner(jeton: str, deps: Deps) -> Response:
    """One click (RFC 8058): from now on this profil gets nothing. Again: the same answer."""
    lien = _lien(deps, jeton)
    now = deps.runtime.clock.now()

    async def work(tx: Tx) -> None:
        await deps.atelier.registre.desabonner(lien.profil_id, lien.envoi_id, now, tx)

    await deps.runtime.outbox.run(work)
    return json(await _etat(deps, lien, True))


def _lien(deps: Acces, jeton: str) -> Lien:
    lien = deps.atelier.liens.lire(jeton)
    if lien is None:
        raise not_found("Ce lien de désabonnement")
    return lien


async def _etat(deps: Acces, lien: Lien, fait: bool) -> dict[str, Any]:
    envoi = await deps.atelier.consultation.envoi(lien.envoi_id)
    return {
        "annonce": {"annonce_id": envoi.get("annonce_id"), "titre": envoi.get("titre")} if envoi else None,
        "profil_id": lien.profil_id,
        "fait": fait,
    }


@public.get("/mes/envois", response_model=views.PageEnvois)
async def mes_envois(
    deps: Deps,
    qui: Annotated[Identity, Depends(account)],
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    taille: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """What you were sent or are about to be sent, why, and what became of it."""
    lignes, total = await deps.atelier.consultation.du_compte(qui.sub, page, taille)
    return json({"envois": [_publier(ligne) for ligne in lignes], "total": total, "page": page, "taille": taille})


_PUBLIES = (
    "genre",
    "canal",
    "titre",
    "annonce_id",
    "profil_id",
    "pourquoi",
    "etat",
    "motif",
    "cree_at",
    "remis_at",
    "reprise_at",
    "resume_at",
)


def _publier(ligne: Ligne) -> dict[str, Any]:
    sujet = objet(Genre(ligne["genre"]), {"titre": ligne.get("titre", ""), "urgent": ligne.get("urgent", False)})
    return {"envoi_id": ligne["_id"], "objet": sujet, **{nom: ligne.get(nom) for nom in _PUBLIES}}


@interne.post("/rotation")
async def rechiffrer(deps: Deps) -> Response:
    """A thousand contacts at most, encrypted anew under the current key: {faits, restants}.

    `restants`: what still needs another key, of contacts or of messages and codes that are under way; these end by
    themselves within minutes. At 0 the other keys may go.
    """
    atelier = deps.atelier
    faits = await atelier.contacts.rechiffrer(_LOT_CONTACTS)
    restants = (
        await atelier.contacts.sous_une_autre_cle()
        + await atelier.telephones.sous_une_autre_cle()
        + await atelier.courriels.sous_une_autre_cle()
        + await atelier.registre.secrets_sous_une_autre_cle(atelier.coffre.courante)
    )
    return json({"faits": faits, "restants": restants})
