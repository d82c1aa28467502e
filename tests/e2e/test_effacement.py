"""An erased account leaves nothing that leads to its person, in any collection of any database."""

import secrets
from contextlib import suppress
from typing import Any

import pytest

from contracts.comptes import CompteEfface
from deploy.client import Client, jusqu_a
from deploy.errors import Impossible
from kit.database import mongo
from tests.pile import Ville, annonce, profil

pytestmark = pytest.mark.e2e

SERVICES = ("annonces", "moderation", "matching", "notifications", "gateway")
_PIERRE = {"_id", "efface", "version", "at"}


async def test_un_compte_efface_ne_laisse_rien_qui_mene_a_la_personne(ville: Ville) -> None:
    donneuse, responsable = await ville.entrer("donneuse"), await ville.entrer("responsable")
    numero = await ville.donner_un_numero(donneuse)
    association = await ville.association(responsable, confiance=True)
    await responsable.post("/v1/profils", profil("livres", sens="offre"))
    await donneuse.post("/v1/profils", profil("mobilier"))
    await ville.index_a_jour()

    # She offers something, others are alerted about it, and one answers.
    titre, description = (f"{quoi} {secrets.token_hex(6)}" for quoi in ("Mes livres", "Chez moi, au troisième,"))
    offre = annonce("", titre, "livres", sens="offre", auteur={"type": "particulier"}, description=description * 2)
    cible = (await donneuse.post("/v1/annonces", offre))["annonce_id"]
    await ville.decider(cible, "approuvee")
    await ville.alertes(titre, 1)
    await responsable.post(f"/v1/annonces/{cible}/reponses", {"message": "Je viens les chercher."})
    await jusqu_a(lambda: ville.courrier.mails(0, a=ville.adresse("donneuse"), sujet=titre), "la réponse")

    # She answers the need of an association, in her own words.
    besoin = f"Des tables {secrets.token_hex(4)}"
    demande = (await responsable.post("/v1/annonces", annonce(association, besoin)))["annonce_id"]
    await ville.alertes(besoin, 1)
    message = f"Appelez-moi, je suis là le matin {secrets.token_hex(6)}"
    await donneuse.post(f"/v1/annonces/{demande}/reponses", {"message": message})
    await jusqu_a(lambda: ville.courrier.mails(0, a=ville.adresse("responsable"), sujet=besoin), "son aide")

    await _partir(ville, donneuse, [titre, description, message, ville.adresse("donneuse"), numero, numero[1:]])
    # The other one signed for an association, which has nobody else: its annonce is public, her id is not.
    await _partir(ville, responsable, [ville.adresse("responsable")])


async def _partir(ville: Ville, personne: Client, mots: list[str]) -> None:
    """Somebody erases their account: neither their id nor any of `mots` is left."""
    traces = [personne.compte_id, *mots]
    assert await _traces(ville, traces), "what is looked for below can be found"
    await personne.call("DELETE", "/v1/compte")

    async def efface() -> bool:
        return await _traces(ville, traces) == []

    with suppress(Impossible):
        await jusqu_a(efface, "tout est effacé", 60)
    assert await _traces(ville, traces) == []


async def _traces(ville: Ville, traces: list[str]) -> list[str]:
    """Where they are: « service.collection: trace »."""
    found = set()
    for service in SERVICES:
        store = mongo.connect(ville.stack.urls()["MONGO_URL"], service)
        try:
            for nom in await store.db.list_collection_names():
                async for document in store.db[nom].find():
                    if not _pierre(document):
                        lu = repr(document)
                        found |= {f"{service}.{nom}: {trace}" for trace in traces if trace in lu}
        finally:
            store.close()
    return sorted(found)


def _pierre(document: dict[str, Any]) -> bool:
    """A row that only says « this id is erased », so that a late event does not bring its person back."""
    if document.get("headers", {}).get("ce_type") == CompteEfface.type_name():
        return True
    return set(document) <= _PIERRE or (document.get("etat") == "efface" and not document.get("empreinte"))
