"""The public site as people use it: without JavaScript, on a phone, with a keyboard."""

import datetime as dt
import re
import secrets

import pytest
from playwright.async_api import Page, expect

from deploy.client import jusqu_a
from tests.browser.conftest import Ouvrir
from tests.pile import Ville

pytestmark = pytest.mark.browser

_PUBLIC = ("/", "/annonces", "/connexion", "/accessibilite", "/mentions-legales", "/conditions", "/nulle-part")
_PRIVATE = (
    "/annonces/nouvelle",
    "/alertes/nouvelle",
    "/associations/nouvelle",
    "/mon-compte",
    "/mon-compte/preferences",
    "/mon-compte/messages",
    "/mon-compte/telephone",
    "/mon-compte/effacer",
)
_CODE = re.compile(r"(?<!\d)(\d{6}|\d{10})(?!\d)")


async def entrer(page: Page, ville: Ville, nom: str, retour: str = "/mon-compte") -> None:
    """Logs in as a person does: the address, then the code from the mail."""
    before = await ville.courrier.dernier_id()
    await page.goto(f"/connexion?retour={retour}")
    await page.get_by_label("adresse").fill(ville.adresse(nom))
    await page.get_by_role("button", name="Recevoir un code").click()
    mail = await ville.courrier.attendre(ville.adresse(nom), before)
    code = _CODE.search(mail["texte"])
    assert code is not None
    await page.get_by_label("Code reçu").fill(code[1])
    await page.get_by_role("button", name="Entrer").click()
    await expect(page).to_have_url(re.compile(re.escape(retour) + "$"))


async def envoyer(page: Page) -> None:
    """Presses the button of the page's form."""
    await page.locator("main form button[type=submit]").last.click()


async def identifiant(ville: Ville, liste: str, champ: str, page: Page) -> str:
    """The id of the newest thing in one of my lists, read with the cookie of the page."""
    answer = await page.request.get(f"/v1/mes/{liste}")
    return str((await answer.json())[liste][0][champ])


async def test_une_association_trouve_de_l_aide_sans_une_ligne_de_javascript(ouvrir: Ouvrir, ville: Ville) -> None:
    page = await ouvrir()
    await entrer(page, ville, "responsable", "/associations/nouvelle")
    nom = page.get_by_role("textbox", name="Nom de l’association")
    await nom.fill("Les Jardins de Fives")
    await page.get_by_label("Numéro RNA").fill("W12")
    await page.get_by_label("Ce que fait l’association").fill("Un jardin partagé, ouvert à toutes et à tous.")
    await page.get_by_label("Quartier").select_option("fives")
    await page.get_by_label("je souscris").check()
    await envoyer(page)

    # Refused at its field; what was typed is still there.
    await expect(page.get_by_role("alert")).to_contain_text("RNA")
    await expect(page.get_by_label("Numéro RNA")).to_have_attribute("aria-invalid", "true")
    await expect(nom).to_have_value("Les Jardins de Fives")
    await expect(page.get_by_label("je souscris")).to_be_checked()
    await page.get_by_label("Numéro RNA").fill(f"W59{secrets.randbelow(10**7):07d}")
    await envoyer(page)
    await expect(page.locator("#mes-associations")).to_contain_text("En attente de validation")
    association = await identifiant(ville, "associations", "association_id", page)
    await ville.decider(association, "approuvee")

    async def validee() -> bool:
        await page.goto("/mon-compte")
        return await page.locator("#mes-associations .etat-validee").count() == 1

    await jusqu_a(validee, "association validée")
    titre = f"Une remorque samedi {secrets.token_hex(4)}"
    await page.goto("/annonces/nouvelle")
    await page.get_by_label("Les Jardins de Fives").check()
    await page.get_by_label("Un besoin").check()
    await page.locator("input[name=nature][value=logistique]").check()
    await page.get_by_label("Titre").fill(titre)
    await page.get_by_label("Description").fill("Pour porter des bacs de terre d’un bout à l’autre du quartier.")
    await page.get_by_label("Combien").fill("1")
    await page.get_by_label("Quartier").select_option("fives")
    await envoyer(page)
    await expect(page.locator("#categories-erreur")).to_be_visible()
    await page.get_by_label("Véhicule / transport").check()
    await envoyer(page)
    await expect(page.locator("#mes-annonces")).to_contain_text("En attente de relecture")
    annonce = await identifiant(ville, "annonces", "annonce_id", page)
    await ville.decider(annonce, "a_corriger", [{"code": "contenu-insuffisant"}])

    async def a_corriger() -> bool:
        await page.goto("/mon-compte")
        return await page.get_by_role("link", name="Corriger").count() == 1

    await jusqu_a(a_corriger, "annonce à corriger")
    await expect(page.locator("#mes-annonces")).to_contain_text("Contenu insuffisant")
    await page.get_by_role("link", name="Corriger").click()
    await page.get_by_label("Description").fill("Pour porter vingt bacs de terre de Fives à Hellemmes, samedi matin.")
    await envoyer(page)
    await expect(page.get_by_role("status").first).to_contain_text("relu")
    await ville.decider(annonce, "approuvee")

    visitor = await ouvrir()

    async def publiee() -> bool:
        await visitor.goto("/annonces")
        return await visitor.get_by_role("link", name=titre).count() == 1

    await jusqu_a(publiee, "annonce en ligne")
    await visitor.get_by_role("link", name=titre).click()
    await visitor.get_by_role("link", name="Je peux aider").click()
    await entrer(visitor, ville, "benevole", f"/annonces/{annonce}")
    await visitor.get_by_label("Votre message").fill("J’ai une remorque, samedi matin me va.")
    await visitor.get_by_role("button", name="Je peux aider").click()
    await expect(visitor.locator("#mes-reponses")).to_contain_text(titre)

    await page.goto("/mon-compte")
    await expect(page.locator("#mes-annonces")).to_contain_text("samedi matin me va")
    await page.get_by_role("button", name="Accepter").click()
    await expect(page.locator("#mes-annonces")).to_contain_text("Acceptée")
    await visitor.goto("/mon-compte")
    await expect(visitor.locator("#mes-reponses")).to_contain_text("Acceptée")


async def test_s_abonner_arreter_et_partir_se_font_sur_le_site(ouvrir: Ouvrir, ville: Ville) -> None:
    page = await ouvrir()
    await page.goto("/alertes/nouvelle")
    await expect(page).to_have_url(re.compile(r"/connexion\?retour=/alertes/nouvelle$"))
    await entrer(page, ville, "abonne", "/alertes/nouvelle")
    await page.get_by_label("Autour de").select_option("wazemmes")
    await page.locator("input[name=creneaux][value=samedi-matin]").check()
    await envoyer(page)
    await expect(page.get_by_role("heading", name="Déjà en ligne pour vous")).to_be_visible()
    await page.get_by_role("link", name="Modifier cette alerte").click()
    await page.get_by_label("J’ai moins de 18").check()
    await envoyer(page)
    await expect(page.locator("main")).to_contain_text("ouvertes aux mineurs")
    await page.get_by_role("link", name="Toutes mes alertes").click()
    alertes = page.locator("#mes-alertes")
    await expect(alertes).to_contain_text("Wazemmes")
    await expect(alertes).to_contain_text("samedi matin")
    await alertes.get_by_role("button", name="Arrêter").click()
    await expect(page.locator("#mes-alertes")).to_contain_text("Aucune alerte")
    await page.get_by_role("link", name="Effacer mon compte").click()
    await page.get_by_role("button", name="Effacer définitivement").click()
    await expect(page.get_by_role("status").first).to_contain_text("effacé")
    await page.goto("/mon-compte")
    await expect(page).to_have_url(re.compile(r"/connexion"))


async def test_les_preferences_se_choisissent_sans_javascript(ouvrir: Ouvrir, ville: Ville) -> None:
    page = await ouvrir()
    await entrer(page, ville, "prefere", "/mon-compte/preferences")
    # Nobody has agreed to anything yet, and nothing is ticked in advance.
    await expect(page.get_by_label("Par e‑mail")).not_to_be_checked()
    await expect(page.get_by_role("link", name="vérifiez d’abord votre numéro")).to_be_visible()
    await expect(page.locator("#notifications")).to_be_hidden()
    await page.goto("/alertes/nouvelle")
    await page.get_by_label("Autour de").select_option("wazemmes")
    await envoyer(page)

    await page.goto("/mon-compte/preferences")
    await expect(page.get_by_label("Par e‑mail")).to_be_checked()
    await page.get_by_label("Des besoins à moins de 5").select_option("hebdomadaire")
    await page.get_by_label("Au plus, par semaine").select_option("5")
    await page.get_by_label("À partir de").select_option("10")
    await page.get_by_label("Pause").fill((dt.datetime.now(dt.UTC) + dt.timedelta(days=10)).date().isoformat())
    enregistrer = page.get_by_role("button", name="Enregistrer mes préférences")
    await enregistrer.click()
    await expect(page.get_by_role("status").first).to_contain_text("enregistrées")
    await expect(page.get_by_label("Des besoins à moins de 5")).to_have_value("hebdomadaire")
    await expect(page.get_by_label("Au plus, par semaine")).to_have_value("5")
    await expect(page.get_by_label("À partir de")).to_have_value("10")
    await expect(page.locator("main")).to_contain_text("Vos alertes sont en pause")
    await page.get_by_role("button", name="Reprendre maintenant").click()
    await expect(page.get_by_role("status").first).to_contain_text("reprennent")
    await expect(page.get_by_label("Pause")).to_have_value("")

    # Hours that end before they begin: said at their field, and what was chosen is still there.
    await page.get_by_label("À partir de").select_option("19")
    await page.get_by_label("Jusqu’à").select_option("9")
    await enregistrer.click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.locator("#heures")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("À partir de")).to_have_value("19")

    await page.goto("/mon-compte/preferences")
    await page.get_by_label("Par e‑mail").uncheck()
    await enregistrer.click()
    await expect(page.get_by_label("Par e‑mail")).not_to_be_checked()
    compte = await (await page.request.get("/v1/compte")).json()
    assert [(c["canal"], c["accorde"]) for c in compte["consentements"]] == [("email", False)]

    await page.get_by_label("Numéro de mobile").fill("03 20 49 50 00")
    await page.get_by_role("button", name="Vérifier ce numéro").click()
    await expect(page.locator("#numero-erreur")).to_be_visible()
    await expect(page.get_by_label("Numéro de mobile")).to_have_value("03 20 49 50 00")
    await page.get_by_role("link", name="Ce que vous avez reçu, et pourquoi").click()
    await expect(page.locator("h1")).to_contain_text("Ce que vous avez reçu")


async def test_un_moderateur_travaille_derriere_la_porte_et_personne_d_autre(ouvrir: Ouvrir, ville: Ville) -> None:
    await ville.moderer()
    page = await ouvrir()
    await entrer(page, ville, "moderation")
    await page.get_by_role("link", name="Modération").click()
    await expect(page.locator("h1")).to_be_visible()
    style = await page.request.get("/moderation/static/moderation.css")
    assert (style.status, style.headers["content-type"].split(";")[0]) == (200, "text/css")
    other = await ouvrir()
    await entrer(other, ville, "curieux")
    refused = await other.goto("/moderation/")
    assert refused is not None
    assert refused.status == 403
    await expect(other.locator("h1")).to_contain_text("Accès refusé")


@pytest.mark.parametrize("width", [1280, 390, 320])
async def test_les_pages_tiennent_disent_leur_nom_et_suivent_les_regles(
    ouvrir: Ouvrir, ville: Ville, width: int
) -> None:
    page = await ouvrir(javascript=True, width=width)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    await entrer(page, ville, f"largeur{width}")
    titles = set()
    for path in (*_PUBLIC, *_PRIVATE):
        if path == "/connexion":
            continue
        await page.goto(path)
        titles.add(await page.title())
        overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, path
        assert await page.locator("h1").count() == 1, path
        assert await page.locator("html").get_attribute("lang") == "fr"
        small = await page.evaluate(
            """[...document.querySelectorAll('a, button, input, select, textarea, summary')].filter(e => {
                 const r = (e.closest('label') || e).getBoundingClientRect();
                 const inText = e.matches('p a, li a, dd a, h3 a, .evitement');
                 return e.type !== 'hidden' && r.width && !inText && (r.width < 24 || r.height < 24) }
               ).map(e => e.outerHTML.slice(0, 80))"""
        )
        assert small == [], path
        unnamed = await page.evaluate(
            """[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
               .filter(e => !e.labels.length).map(e => e.outerHTML.slice(0, 80))"""
        )
        assert unnamed == [], path
    assert len(titles) == len(_PUBLIC) + len(_PRIVATE) - 1
    # The 404 that was asked for is the only thing that the console may name.
    assert [text for text in problems if "404" not in text] == []


async def test_le_clavier_atteint_d_abord_le_contenu(ouvrir: Ouvrir, ville: Ville) -> None:
    page = await ouvrir(javascript=True)
    await page.goto("/")
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Aller au contenu")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert await focused.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
