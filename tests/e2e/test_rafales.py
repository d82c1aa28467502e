"""Somebody does the same thing over and over: nobody's mailbox fills, and nothing that happened is hidden."""

import datetime as dt
import re
import secrets
from typing import Any

import pytest

from deploy.client import CODE, RequestRefused, jusqu_a
from kit.database import mongo
from services.notifications.planning.limits import LIBRES
from tests.pile import Ville, annonce, profil

pytestmark = pytest.mark.e2e

FOIS = 60


async def test_un_lien_de_reponse_suivi_soixante_fois_ecrit_une_poignee_de_mails_puis_un_qui_compte(
    ville: Ville,
) -> None:
    """The link needs no session: a mail program, or whoever has the mail, may follow it as often as they like."""
    responsable, benevole = await ville.entrer("responsable"), await ville.entrer("benevole")
    association = await ville.association(responsable, confiance=True)
    await benevole.post("/v1/profils", profil("mobilier"))
    await ville.index_a_jour()
    titre = f"Des tables {secrets.token_hex(4)}"
    await responsable.post("/v1/annonces", annonce(association, titre, places=3))
    mail = await ville.courrier.attendre(ville.adresse("benevole"), 0, titre)
    (jeton,) = set(re.findall(r"/repondre/([\w.-]+)", mail["texte"]))
    for fois in range(FOIS):
        mot = {"intention": "refuser" if fois % 2 else "repondre", "quantite": 1}
        await ville.visiteur().post(f"/v1/reponses-par-lien/{jeton}", mot)

    registre = mongo.connect(ville.stack.urls()["MONGO_URL"], "notifications")
    try:
        for nom, qui, genres in (
            ("responsable", responsable, {"reponse_recue", "reponse_annulee"}),
            ("benevole", benevole, {"reponse_notee"}),
        ):
            dites = {"compte_id": qui.compte_id, "genre": {"$in": sorted(genres)}}
            attendues = FOIS if nom == "responsable" else FOIS // 2

            async def rangees(filtre: Any = dites, combien: int = attendues) -> bool:
                lignes = [ligne async for ligne in registre.db.envois.find(filtre)]
                finies = [ligne for ligne in lignes if ligne["etat"] != "en_file" or "resume_at" in ligne]
                return len(finies) == combien and all(ligne["etat"] != "remise" for ligne in finies)

            await jusqu_a(rangees, f"chaque message à {nom} est parti ou attend")
            seuls = [
                mail
                for mail in await ville.courrier.mails(0, a=ville.adresse(nom), sujet=titre)
                if ":" in mail["sujet"]
            ]
            assert 0 < len(seuls) <= LIBRES

            # Their hour has come.
            now = dt.datetime.now(dt.UTC)
            retenues = {"compte_id": qui.compte_id, "motif": "regroupement", "etat": "en_file"}
            await registre.db.envois.update_many(retenues, {"$set": {"resume_at": now, "reprise_at": now}})
            mail = await ville.courrier.attendre(ville.adresse(nom), 0, " depuis ")
            assert titre in mail["texte"]
            assert await registre.db.envois.count_documents({**dites, "etat": "regroupee"}) == attendues - len(seuls)
    finally:
        registre.close()


async def test_les_codes_demandes_par_d_autres_n_enferment_personne_dehors(ville: Ville) -> None:
    """The mails of codes to one address are counted; its owner signs in all the same, by the last one."""
    chez_lui = await ville.entrer("curieux")
    adresse = ville.adresse("curieux")
    for _ in range(30):
        await ville.visiteur().post("/v1/comptes/code", {"email": adresse})
    demande = (await ville.visiteur().post("/v1/comptes/code", {"email": adresse}))["demande"]

    async def entre() -> Any:
        recus = await ville.courrier.mails(0, a=adresse)
        assert len(recus) <= 10
        dernier = await ville.courrier.client.get(f"/api/mails/{recus[-1]['id']}")
        code = CODE.search(dernier["texte"])
        assert code is not None
        try:
            return await ville.visiteur().post("/v1/sessions", {"email": adresse, "code": code[1], "demande": demande})
        except RequestRefused as refus:
            if refus.status != 422:
                raise
            # The last one is still on its way.
            return None

    session = await jusqu_a(entre, "le dernier code ouvre")
    assert session["compte_id"] == chez_lui.compte_id
