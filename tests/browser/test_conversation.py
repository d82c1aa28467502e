"""Two people write to one another about an answer, and learn where to meet, without a line of JavaScript."""

import secrets

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Ouvrir
from tests.browser.test_site import entrer
from tests.pile import Ville, annonce

pytestmark = pytest.mark.browser

_LIEU = "12 rue des Jardins, code 4821"


async def _tient_dans_la_page(page: Page) -> bool:
    return (
        bool(await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
        and await page.locator("h1").count() == 1
    )


async def test_deux_personnes_se_parlent_et_savent_ou_se_retrouver(ouvrir: Ouvrir, ville: Ville) -> None:
    responsable = await ville.entrer("responsable")
    association_id = await ville.association(responsable, confiance=True)
    titre = f"Des tables samedi {secrets.token_hex(4)}"
    corps = annonce(association_id, titre, lieu_prive=_LIEU, a_apporter="Des gants")
    annonce_id = str((await responsable.post("/v1/annonces", corps))["annonce_id"])
    await ville.etat(responsable, f"/v1/annonces/{annonce_id}", "publiee")

    aide = await ouvrir(width=320)
    await entrer(aide, ville, "aide", f"/annonces/{annonce_id}")
    await expect(aide.locator("main")).not_to_contain_text("rue des Jardins")
    await aide.get_by_label("Votre prénom").fill("Awa")
    await aide.get_by_label("Votre message").fill("Je peux venir avec une remorque.")
    await aide.locator("main form button[type=submit]").last.click()
    await aide.get_by_role("link", name="Ouvrir la conversation").click()
    await expect(aide.locator(".message")).to_contain_text("Je peux venir avec une remorque.")
    await expect(aide.locator("main")).not_to_contain_text("rue des Jardins")
    fil = aide.url

    auteur = await ouvrir()
    await entrer(auteur, ville, "responsable")
    carte = auteur.locator("#mes-annonces .carte", has_text=titre)
    await expect(carte).to_contain_text("Awa")
    await carte.get_by_role("button", name="Accepter").click()
    await auteur.locator("#mes-annonces .carte", has_text=titre).get_by_role("link", name="Ouvrir la conv").click()
    await expect(auteur.locator("h1")).to_contain_text("Awa")
    await auteur.get_by_label("Votre message").fill("Merci Awa ! Rendez-vous à 9 h.")
    await auteur.get_by_role("button", name="Envoyer").click()
    await expect(auteur.get_by_role("status").first).to_contain_text("envoyé")
    assert await _tient_dans_la_page(auteur)

    mail = await ville.courrier.attendre(ville.adresse("aide"), 0, sujet="Conversation")
    assert titre in mail["sujet"]
    assert "Rendez-vous à 9" in mail["texte"]
    await aide.goto(fil)
    await expect(aide.locator(".message").last).to_contain_text("Rendez-vous à 9 h.")
    await expect(aide.get_by_role("region", name="Pour vous retrouver")).to_contain_text(_LIEU)
    await expect(aide.get_by_role("region", name="Pour vous retrouver")).to_contain_text("Des gants")
    assert await _tient_dans_la_page(aide)

    await aide.get_by_text("Fermer cette conversation").click()
    await aide.get_by_role("button", name="Fermer la conversation").click()
    await expect(aide.locator("main")).to_contain_text("on ne peut plus y écrire")
    await auteur.goto(auteur.url.partition("?")[0])
    await expect(auteur.get_by_label("Votre message")).to_have_count(0)

    curieux = await ouvrir()
    await entrer(curieux, ville, "curieux")
    refus = await curieux.goto(fil)
    assert refus is not None
    assert refus.status == 404
