"""The moderators' pages: what a person sees and what their forms do."""

import asyncio
import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx

from contracts.commun import Auteur
from kit.ids import new_id
from services.moderation.app import create
from services.moderation.settings import Reglages
from tests.integration.moderation.conftest import Banc, annonce, association

TEXTE = "Nous cherchons <b>une</b> camionnette, appelez le 06 12 34 56 78 pour tout savoir sur ce beau projet."


async def envoyer(banc: Banc, chemin: str, champs: Any = (), sub: str = "mod") -> httpx.Response:
    tete = banc.tete(sub, "moderateur") | {"content-type": "application/x-www-form-urlencoded"}
    return await banc.client.post(chemin, content=urlencode(list(champs)), headers=tete)


async def ouvrir(banc: Banc, **champs: Any) -> tuple[str, str]:
    """The path of the page of a new dossier, and the id of the annonce."""
    event = annonce(**champs)
    await banc.traiter(event)
    return f"/moderation/dossiers/{(await banc.dossier(event.key))['dossier_id']}", event.key


async def prendre(banc: Banc, chemin: str, sub: str = "mod") -> str:
    answer = await envoyer(banc, f"{chemin}/prise", sub=sub)
    assert (answer.status_code, answer.headers["location"]) == (303, chemin)
    html = (await banc.get(chemin, sub=sub)).text
    found = re.search(r'name="jeton_bail" value="(\d+)"', html)
    assert found
    return found[1]


async def test_qui_n_est_pas_moderateur_lit_une_page_qui_le_dit(banc: Banc) -> None:
    for tete, status in ((banc.tete("c", "benevole"), 403), ({}, 401)):
        answer = await banc.client.get("/moderation/", headers=tete)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
    absent = await banc.get("/moderation/dossiers/absent")
    assert absent.status_code == 404
    assert "Ce dossier n’existe pas." in absent.text


async def test_la_file_mene_au_dossier_indices_surlignes_et_texte_echappe(banc: Banc) -> None:
    chemin, _ = await ouvrir(banc, description=TEXTE, urgent=True)
    assert chemin in (await banc.get("/moderation/?type=annonce&etat=a_traiter")).text
    html = (await banc.get(chemin)).text
    assert "<mark>06 12 34 56 78" in html
    assert "&lt;b&gt;une&lt;/b&gt;" in html
    assert 'name="jeton_bail"' not in html


async def test_un_formulaire_incomplet_revient_avec_la_saisie(banc: Banc) -> None:
    chemin, annonce_id = await ouvrir(banc, description=TEXTE)
    jeton = await prendre(banc, chemin)
    saisie = [
        ("jeton_bail", jeton),
        ("issue", "refusee"),
        ("motifs", "hors-objet"),
        ("motifs", "valeurs"),
        ("engagement", "4"),
        ("passage", "autre chose"),
        ("explication-hors-objet", "C’est une vente."),
    ]
    answer = await envoyer(banc, f"{chemin}/decision", saisie)
    assert answer.status_code == 422
    assert '<a href="#passage">Ce passage ne figure pas dans le texte' in answer.text
    assert "C’est une vente." in answer.text
    assert re.search(r'value="refusee"[^>]* checked', answer.text)
    assert (await envoyer(banc, f"{chemin}/decision", [("jeton_bail", jeton)])).status_code == 422

    saisie[5] = ("passage", "appelez le 06")
    fait = await envoyer(banc, f"{chemin}/decision", saisie)
    assert (fait.status_code, fait.headers["location"]) == (303, "/moderation/?fait=refusee")
    html = (await banc.get(chemin)).text
    assert "4. Égalité et non-discrimination" in html
    assert (await banc.dossier(annonce_id, "decide"))["issue"] == "refusee"
    assert chemin in (await banc.get("/moderation/journal?issue=refusee")).text


async def test_qui_a_perdu_le_dossier_lit_pourquoi_rien_n_est_garde(banc: Banc, actions: Any) -> None:
    chemin, _ = await ouvrir(banc)
    async with actions(dt.timedelta(0)) as sans_duree:
        perdu = (await sans_duree.prendre(chemin.rsplit("/", 1)[1], "alice")).jeton
    await prendre(banc, chemin, sub="bob")
    champs = [("jeton_bail", str(perdu)), ("issue", "approuvee")]
    answer = await envoyer(banc, f"{chemin}/decision", champs, sub="alice")
    assert answer.status_code == 409
    assert "Une autre personne a repris ce dossier" in answer.text
    assert "Une autre personne traite ce dossier (compte bob)" in (await banc.get(chemin, sub="alice")).text


async def test_une_prise_abandonnee_ne_laisse_rien(banc: Banc) -> None:
    chemin, annonce_id = await ouvrir(banc)
    await prendre(banc, chemin)
    assert (await envoyer(banc, f"{chemin}/liberation")).headers["location"] == "/moderation/"
    assert (await banc.dossier(annonce_id))["etat"] == "a_traiter"


async def test_le_dossier_suivant_vient_apres_la_decision_et_est_pris(banc: Banc) -> None:
    chemin, _ = await ouvrir(banc)
    await ouvrir(banc)
    jeton = await prendre(banc, chemin)
    champs = [("jeton_bail", jeton), ("issue", "approuvee"), ("apres", "suivant")]
    answer = await envoyer(banc, f"{chemin}/decision", champs)
    assert answer.status_code == 303
    suivant = answer.headers["location"]
    assert suivant.startswith("/moderation/dossiers/")
    assert 'name="jeton_bail"' in (await banc.get(suivant)).text


async def test_une_association_montre_son_engagement_et_ses_propres_choix(banc: Banc) -> None:
    event = association(nom=f"Asso {new_id()[:6]}")
    await banc.traiter(event)
    chemin = f"/moderation/dossiers/{(await banc.dossier(event.key))['dossier_id']}"
    await prendre(banc, chemin)
    html = (await banc.get(chemin)).text
    assert "Valider l’association" in html
    assert "Contrat d’engagement signé" in html
    assert event.association.membres[1] not in html
    assert (await banc.get("/moderation/associations")).status_code == 200


async def test_la_confiance_par_formulaire_est_refusee_aux_membres(banc: Banc) -> None:
    event = association()
    await banc.traiter(event)
    chemin = f"/moderation/associations/{event.key}/confiance"
    refus = await envoyer(banc, chemin, [("accordee", "true")], sub=event.association.membres[0])
    assert refus.status_code == 403
    assert (await envoyer(banc, chemin, [("accordee", "peut-être")])).status_code == 422


async def test_ce_qui_est_statique_est_servi_et_les_pages_n_ont_pas_de_code(banc: Banc) -> None:
    chemin, _ = await ouvrir(banc, auteur=Auteur(type="particulier", compte_id=new_id()))
    await prendre(banc, chemin)
    html = (await banc.get(chemin)).text
    for source in re.findall(r'(?:src|href)="(/moderation/static/[^"]+)"', html):
        assert (await banc.client.get(source)).status_code == 200
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", html)


async def test_sans_mongo_programmes_et_personnes_sont_invites_a_revenir(jeton: Callable[..., str]) -> None:
    app = create(Reglages(mongo_url="mongodb://127.0.0.1:1/?replicaSet=rs0", kafka_url="127.0.0.1:1"))
    tete = {"Authorization": f"Bearer {jeton('moderation', sub='mod', roles={'moderateur'})}"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://m") as client:
        answers = await asyncio.gather(
            client.get("/v1/moderation/dossiers", headers=tete), client.get("/moderation/", headers=tete)
        )
    assert [answer.status_code for answer in answers] == [503, 503]
    assert all("retry-after" in answer.headers for answer in answers)
    assert [answer.headers["content-type"].split(";")[0] for answer in answers] == [
        "application/problem+json",
        "text/html",
    ]
