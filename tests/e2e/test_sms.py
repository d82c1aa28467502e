"""Alerts by SMS as people live them: a number that is proved, an answer by return, STOP, a key that is replaced."""

import asyncio
import re
import secrets
import subprocess
import sys

import pytest

from deploy.client import jusqu_a
from deploy.layout import ROOT
from tests.pile import Ville, annonce, profil

pytestmark = pytest.mark.e2e

_REFERENCE = re.compile(r"OUI (\w+)")


def titre(quoi: str) -> str:
    return f"{quoi} {secrets.token_hex(4)}"


async def test_un_oui_par_sms_reserve_une_place_et_stop_est_obei(ville: Ville) -> None:
    responsable, benevole, autre = [await ville.entrer(nom) for nom in ("responsable", "benevole", "autre")]
    association = await ville.association(responsable, confiance=True)
    for qui in (benevole, autre):
        await qui.post("/v1/profils", profil("livres"))
    premier, second = await ville.donner_un_numero(benevole), await ville.donner_un_numero(autre)
    await ville.index_a_jour()
    nom = titre("Des livres")
    cible = await responsable.post("/v1/annonces", annonce(association, nom, "livres", places=1))
    references = {_REFERENCE.search((await ville.sms(numero, nom))["texte"])[1] for numero in (premier, second)}  # type: ignore[index]
    (reference,) = references
    await ville.telephones.repondre(premier, "Oui, je viens !")
    assert "place 1 sur 1" in (await ville.sms(premier, "Merci"))["texte"]
    await ville.telephones.repondre(second, f"oui {reference}")
    assert "liste d'attente" in (await ville.sms(second, "Complet"))["texte"]
    reponses = (await responsable.get(f"/v1/annonces/{cible['annonce_id']}/reponses"))["reponses"]
    assert sorted(reponse["etat"] for reponse in reponses) == ["deposee", "en_attente"]
    await ville.courrier.attendre(ville.adresse("responsable"), 0, "peut vous aider")
    # The place becomes free: who waits has it, and is told on the phone.
    await ville.telephones.repondre(premier, f"NON {reference}")
    await ville.sms(second, "elle est à vous")
    for _ in range(2):
        await ville.telephones.repondre(second, "STOP")
    await ville.sms(second, "plus de SMS")
    suivante = titre("Encore des livres")
    await responsable.post("/v1/annonces", annonce(association, suivante, "livres"))
    await ville.sms(premier, suivante)
    await ville.alertes(suivante, 2)
    recus = [sms["texte"] for sms in await ville.telephones.sms(0, second)]
    assert not any(suivante in texte for texte in recus)
    assert sum("plus de SMS" in texte for texte in recus) == 1


async def test_une_cle_neuve_n_empeche_ni_d_ecrire_ni_de_reconnaitre_un_numero(ville: Ville) -> None:
    responsable, benevole = await ville.entrer("responsable"), await ville.entrer("benevole")
    association = await ville.association(responsable, confiance=True)
    await benevole.post("/v1/profils", profil("jouets-puericulture"))
    numero = await ville.donner_un_numero(benevole)
    fichier = ville.stack.layout.secrets / "notifications" / "cle_chiffrement"
    ancienne = fichier.read_text()

    async def une_seule() -> bool:
        # Codes that others just asked for hold the old key back for some minutes at most.
        command = [sys.executable, "-m", "deploy.cli", "rotation"]
        run = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert "rechiffrées" in run.stderr + run.stdout, run.stderr
        return run.returncode == 0

    await jusqu_a(une_seule, "une seule clé", 120)
    assert fichier.read_text() != ancienne
    assert "," not in fichier.read_text()
    await ville.index_a_jour()
    nom = titre("Des jouets")
    await responsable.post("/v1/annonces", annonce(association, nom, "jouets-puericulture"))
    await ville.alertes(nom, 1)
    await ville.sms(numero, nom)
    await ville.telephones.repondre(numero, "AIDE")
    assert "OUI et leur référence" in (await ville.sms(numero, "répondez aux alertes"))["texte"]
