"""From the event of a posted annonce to the event of its decision, on real servers."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from contracts.annonces import (
    AnnonceDeposee,
    AnnonceEffacee,
    AnnonceModifiee,
    AnnoncePubliee,
    AnnonceRetiree,
    Association,
    AssociationValidee,
    EtatAnnonce,
    EtatAssociation,
)
from contracts.commun import Auteur
from contracts.comptes import Compte, CompteEfface
from kit.http.health import Health
from kit.ids import new_id, stable_id
from kit.resources import open_runtime
from tests.integration.moderation.conftest import NOW, Banc, annonce, association

Attendre = Callable[..., Awaitable[Any]]
BASE = "/v1/moderation/dossiers"


async def deposer(banc: Banc, bientot: Attendre, **champs: Any) -> dict[str, Any]:
    event = annonce(**champs)
    await banc.publier(event)
    found: dict[str, Any] = await bientot(lambda: banc.dossier(event.key))
    return found


async def prendre(banc: Banc, dossier: dict[str, Any], sub: str = "mod") -> int:
    answer = await banc.post(f"{BASE}/{dossier['dossier_id']}/prise", sub=sub)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["jeton_bail"])


def slug(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].rsplit("/", 1)[1]


async def test_une_annonce_deposee_est_prise_par_un_seul_et_decidee_par_un_evenement(
    banc: Banc, bientot: Attendre
) -> None:
    membre = new_id()
    dossier = await deposer(banc, bientot, auteur={"type": "particulier", "compte_id": membre})
    assert dossier["dossier_id"] == stable_id("annonce", dossier["cible_id"], 1)
    assert dossier["etat"] == "a_traiter"
    jeton = await prendre(banc, dossier)
    autre = await banc.post(f"{BASE}/{dossier['dossier_id']}/prise", sub="autre")
    assert slug(autre) == (409, "dossier-pris")
    decision = {"issue": "a_corriger", "motifs": [{"code": "dates-incompatibles"}], "jeton_bail": jeton}
    assert (await banc.post(f"{BASE}/{dossier['dossier_id']}/decision", decision)).json()["etat"] == "decide"

    [event] = await bientot(lambda: banc.decisions(dossier["cible_id"]))
    assert event["issue"] == "a_corriger"
    assert event["cible_version"] == 1
    assert event["destinataires"] == [membre]
    assert event["motifs"][0]["explication"].startswith("Corrigez les dates")
    assert not event["automatique"]

    detail = (await banc.get(f"{BASE}/{dossier['dossier_id']}")).json()
    [trace] = detail["decisions"]
    assert (trace["par"], trace["avant"], trace["apres"], trace["cible_version"]) == ("mod", "pris", "decide", 1)
    encore = await banc.post(f"{BASE}/{dossier['dossier_id']}/decision", decision)
    assert slug(encore) == (409, "dossier-ferme")


async def test_le_jeton_d_un_bail_perdu_ne_decide_rien(banc: Banc, bientot: Attendre, actions: Any) -> None:
    dossier = await deposer(banc, bientot)
    async with actions(dt.timedelta(0)) as sans_duree:
        perdu = (await sans_duree.prendre(dossier["dossier_id"], "alice")).jeton
    repris = await prendre(banc, dossier, sub="bob")
    assert repris > perdu
    for jeton in (perdu, repris):
        corps: dict[str, Any] = {"issue": "approuvee", "motifs": [], "jeton_bail": jeton}
        answer = await banc.post(f"{BASE}/{dossier['dossier_id']}/decision", corps, sub="alice")
        assert slug(answer) == (409, "bail-perdu")
        assert "autre personne a repris" in answer.json()["detail"]
    assert (await banc.get(f"{BASE}/{dossier['dossier_id']}")).json()["decisions"] == []


async def test_un_dossier_rendu_est_libre_aussitot(banc: Banc, bientot: Attendre) -> None:
    dossier = await deposer(banc, bientot)
    await prendre(banc, dossier, sub="alice")
    pas_a_bob = await banc.post(f"{BASE}/{dossier['dossier_id']}/liberation", sub="bob")
    assert slug(pas_a_bob) == (409, "dossier-pris")
    for _ in range(2):
        assert (await banc.post(f"{BASE}/{dossier['dossier_id']}/liberation", sub="alice")).status_code == 204
    await prendre(banc, dossier, sub="bob")


@pytest.mark.parametrize(
    ("corps", "champ"),
    [
        ({"issue": "refusee", "motifs": []}, "motifs"),
        ({"issue": "refusee", "motifs": [{"code": "valeurs"}]}, "motifs.0.engagement"),
        ({"issue": "retiree", "motifs": [{"code": "hors-objet"}]}, "issue"),
        ({"issue": "peut-etre"}, "issue"),
        ({"issue": "approuvee", "note": 3}, "note"),
    ],
)
async def test_une_decision_incomplete_est_refusee_a_son_champ(
    banc: Banc, bientot: Attendre, corps: dict[str, Any], champ: str
) -> None:
    dossier = await deposer(banc, bientot)
    corps = corps | {"jeton_bail": await prendre(banc, dossier)}
    answer = await banc.post(f"{BASE}/{dossier['dossier_id']}/decision", corps)
    assert slug(answer) == (422, "donnees-invalides")
    assert champ in [erreur["champ"] for erreur in answer.json()["erreurs"]]
    assert (await banc.dossier(dossier["cible_id"]))["etat"] == "pris"


async def test_un_refus_pour_les_valeurs_nomme_l_engagement_et_cite_le_passage(banc: Banc, bientot: Attendre) -> None:
    dossier = await deposer(banc, bientot)
    motif = {"code": "valeurs", "engagement": 4, "passage": "porter des meubles"}
    corps = {"issue": "refusee", "motifs": [motif], "jeton_bail": await prendre(banc, dossier)}
    assert (await banc.post(f"{BASE}/{dossier['dossier_id']}/decision", corps)).status_code == 200
    [event] = await bientot(lambda: banc.decisions(dossier["cible_id"]))
    assert event["motifs"][0] | motif == event["motifs"][0]


@pytest.mark.parametrize("roles", [(), ("benevole",), ("systeme",)])
async def test_seuls_les_moderateurs_entrent(banc: Banc, roles: tuple[str, ...]) -> None:
    for methode, chemin in (("GET", BASE), ("POST", f"{BASE}/x/prise"), ("GET", "/v1/moderation/journal")):
        assert slug(await banc.client.request(methode, chemin, headers=banc.tete("c", *roles))) == (403, "acces-refuse")
    assert slug(await banc.client.get(BASE)) == (401, "jeton-absent")


async def test_une_version_suivante_rend_caduc_le_dossier_d_avant(banc: Banc) -> None:
    event = annonce()
    await banc.traiter(event)
    ancien = await banc.dossier(event.key)
    jeton = await prendre(banc, ancien)
    await banc.traiter(AnnonceDeposee(annonce=event.annonce.model_copy(update={"version": 2})))
    assert (await banc.dossier(event.key, "caduc"))["dossier_id"] == ancien["dossier_id"]
    corps = {"issue": "approuvee", "jeton_bail": jeton}
    assert slug(await banc.post(f"{BASE}/{ancien['dossier_id']}/decision", corps)) == (409, "dossier-ferme")
    assert (await banc.dossier(event.key))["cible_version"] == 2


async def test_un_nouveau_texte_se_lit_a_cote_de_celui_qui_reste_en_ligne(banc: Banc, bientot: Attendre) -> None:
    en_ligne = annonce().annonce.model_copy(update={"version": 2, "etat": EtatAnnonce.PUBLIEE})
    nouveau = {"version": 3, "etat": EtatAnnonce.DEPOSEE, "titre": "Deux camionnettes pour un samedi"}
    proposee = en_ligne.model_copy(update=nouveau)

    def vers(version: int, avec: Any = proposee) -> AnnonceModifiee:
        return AnnonceModifiee(annonce=en_ligne.model_copy(update={"version": version}), proposee=avec)

    # Each later event says again what waits; one that arrives late opens nothing.
    await banc.traiter(vers(3), vers(4), vers(5), vers(2))
    dossier = await banc.dossier(en_ligne.annonce_id)
    assert (dossier["cible_version"], dossier["titre"]) == (3, "Deux camionnettes pour un samedi")
    page = (await banc.get(f"/moderation/dossiers/{dossier['dossier_id']}")).text
    assert "<del>" in page
    assert "Ce qui change" in page
    jeton = await prendre(banc, dossier)
    corps = {"issue": "refusee", "motifs": [{"code": "hors-objet"}], "jeton_bail": jeton}
    assert (await banc.post(f"{BASE}/{dossier['dossier_id']}/decision", corps)).status_code == 200
    [event] = await bientot(lambda: banc.decisions(en_ligne.annonce_id))
    assert (event["issue"], event["correction"], event["cible_version"]) == ("refusee", True, 3)


async def test_un_texte_que_son_auteur_reprend_n_est_plus_a_lire(banc: Banc) -> None:
    en_ligne = annonce().annonce.model_copy(update={"version": 2, "etat": EtatAnnonce.PUBLIEE})
    proposee = en_ligne.model_copy(update={"version": 3, "titre": "Deux camionnettes pour un samedi"})
    await banc.traiter(AnnonceModifiee(annonce=en_ligne.model_copy(update={"version": 3}), proposee=proposee))
    assert (await banc.dossier(en_ligne.annonce_id))["etat"] == "a_traiter"
    autre = proposee.model_copy(update={"version": 4, "titre": "Trois camionnettes"})
    await banc.traiter(AnnonceModifiee(annonce=en_ligne.model_copy(update={"version": 4}), proposee=autre))
    assert (await banc.dossier(en_ligne.annonce_id, "a_traiter"))["cible_version"] == 4
    assert (await banc.dossier(en_ligne.annonce_id, "caduc"))["cible_version"] == 3
    await banc.traiter(AnnonceModifiee(annonce=en_ligne.model_copy(update={"version": 5})))
    assert await banc.dossier(en_ligne.annonce_id, "a_traiter") == {}


async def test_une_annonce_retiree_n_a_plus_rien_a_decider_quoi_qu_il_arrive(banc: Banc) -> None:
    event = annonce()
    await banc.traiter(event)
    await banc.traiter(
        AnnonceRetiree(annonce=event.annonce.model_copy(update={"version": 2, "etat": EtatAnnonce.RETIREE}))
    )
    assert await banc.dossier(event.key) == {}
    await banc.traiter(event, AnnonceDeposee(annonce=event.annonce.model_copy(update={"version": 3})))
    assert await banc.dossier(event.key) == {}


async def test_une_version_ancienne_arrivee_tard_n_ouvre_rien(banc: Banc) -> None:
    recent = annonce(version=3)
    await banc.traiter(recent, AnnonceDeposee(annonce=recent.annonce.model_copy(update={"version": 1})))
    assert (await banc.get(BASE, cible_id=recent.key)).json()["total"] == 1
    assert (await banc.dossier(recent.key))["cible_version"] == 3


async def test_deux_moderateurs_n_ont_jamais_le_meme_dossier_suivant(banc: Banc, bientot: Attendre) -> None:
    for _ in range(4):
        await deposer(banc, bientot)
    answers = await asyncio.gather(*(banc.post("/v1/moderation/suivant", sub=f"m{n}") for n in range(4)))
    pris = [answer.json()["dossier_id"] for answer in answers]
    assert len(set(pris)) == 4


async def test_une_association_est_relue_ses_membres_le_savent_et_ne_decident_rien(
    banc: Banc, bientot: Attendre
) -> None:
    event = association()
    await banc.traiter(event, politique="confiance")
    dossier = await banc.dossier(event.key)
    membre = event.association.membres[1]
    assert slug(await banc.post(f"{BASE}/{dossier['dossier_id']}/prise", sub=membre)) == (403, "partie-prenante")
    corps = {"issue": "approuvee", "jeton_bail": await prendre(banc, dossier)}
    assert (await banc.post(f"{BASE}/{dossier['dossier_id']}/decision", corps)).status_code == 200
    [decision] = await bientot(lambda: banc.decisions(event.key))
    assert decision["destinataires"] == event.association.membres
    assert decision["cible_type"] == "association"


async def confier(banc: Banc) -> Association:
    """A validated association that is trusted."""
    inscrite = association()
    await banc.traiter(inscrite)
    chemin = f"/v1/moderation/associations/{inscrite.key}/confiance"
    assert slug(await banc.put(chemin, {"confiance": True})) == (409, "association-non-validee")
    validee: Association = inscrite.association.model_copy(update={"version": 2, "etat": EtatAssociation.VALIDEE})
    await banc.traiter(AssociationValidee(association=validee))
    assert (await banc.put(chemin, {"confiance": True})).json()["confiance"]
    return validee


async def test_la_confiance_se_donne_apres_validation_et_s_ecrit_au_journal(banc: Banc) -> None:
    confiee = await confier(banc)
    journal = (await banc.get("/v1/moderation/journal", taille=100)).json()["decisions"]
    traces = [row for row in journal if row["sorte"] == "confiance" and row["cible_id"] == confiee.association_id]
    assert [(row["par"], row["avant"], row["apres"]) for row in traces] == [("mod", False, True)]


@pytest.mark.parametrize(("politique", "etat", "annoncees"), [("pre", "a_traiter", 0), ("confiance", "a_revoir", 1)])
async def test_seule_la_politique_de_confiance_publie_aussitot_une_association_de_confiance(
    banc: Banc, bientot: Attendre, politique: str, etat: str, annoncees: int
) -> None:
    confiee = await confier(banc)
    auteur = Auteur(type="association", compte_id=confiee.membres[0], association_id=confiee.association_id)
    event = annonce(auteur=auteur, urgent=True)
    await banc.traiter(event, politique=politique)
    assert (await banc.dossier(event.key))["etat"] == etat
    traces = (await banc.get(f"{BASE}/{(await banc.dossier(event.key))['dossier_id']}")).json()["decisions"]
    assert [(d["issue"], d["automatique"], d["par"]) for d in traces] == [("approuvee", True, "")] * annoncees
    if annoncees:
        [decision] = await bientot(lambda: banc.decisions(event.key))
        assert (decision["issue"], decision["automatique"]) == ("approuvee", True)


async def test_ce_qui_a_paru_aussitot_se_retire_quelles_que_soient_les_places_prises(
    banc: Banc, bientot: Attendre
) -> None:
    confiee = await confier(banc)
    auteur = Auteur(type="association", compte_id=confiee.membres[0], association_id=confiee.association_id)
    event = annonce(auteur=auteur)
    suites = [
        classe(annonce=event.annonce.model_copy(update={"version": version, "etat": EtatAnnonce.PUBLIEE}))
        for classe, version in ((AnnoncePubliee, 2), (AnnonceModifiee, 3))
    ]
    await banc.traiter(event, *suites, politique="confiance")
    dossier = await banc.dossier(event.key)
    corps = {"issue": "retiree", "motifs": [{"code": "hors-objet"}], "jeton_bail": await prendre(banc, dossier)}
    assert (await banc.post(f"{BASE}/{dossier['dossier_id']}/decision", corps)).status_code == 200

    def retraits() -> list[Any]:
        return [d for d in banc.decisions(event.key) if d["issue"] == "retiree"]

    [retrait] = await bientot(retraits)
    assert retrait["cible_version"] == 3


async def test_un_compte_efface_ne_laisse_rien(banc: Banc) -> None:
    compte_id = new_id()
    event = annonce(auteur=Auteur(type="particulier", compte_id=compte_id))
    await banc.traiter(event)
    dossier = await banc.dossier(event.key)
    corps = {"issue": "approuvee", "jeton_bail": await prendre(banc, dossier)}
    assert (await banc.post(f"{BASE}/{dossier['dossier_id']}/decision", corps)).status_code == 200
    compte = Compte(compte_id=compte_id, version=2, etat="efface", cree_at=NOW)
    await banc.traiter(
        CompteEfface(compte=compte), AnnonceDeposee(annonce=event.annonce.model_copy(update={"version": 2}))
    )
    detail = await banc.get(f"{BASE}/{dossier['dossier_id']}")
    assert compte_id not in detail.text
    assert "camionnette" not in detail.text
    assert await banc.dossier(event.key) == {}


async def test_what_an_erased_annonce_said_comes_back_neither_late_nor_by_a_replay(banc: Banc) -> None:
    """Its erasure may be heard before its deposit, and before its author's."""
    event = annonce(auteur=Auteur(type="particulier", compte_id=new_id()))
    await banc.traiter(event)
    dossier = await banc.dossier(event.key)
    corps = {"issue": "approuvee", "jeton_bail": await prendre(banc, dossier)}
    assert (await banc.post(f"{BASE}/{dossier['dossier_id']}/decision", corps)).status_code == 200
    sans_mots = event.annonce.model_copy(update={"titre": "efface", "description": "efface", "version": 3})
    await banc.traiter(
        AnnonceEffacee(annonce=sans_mots), AnnonceDeposee(annonce=event.annonce.model_copy(update={"version": 2}))
    )
    assert "camionnette" not in (await banc.get(f"{BASE}/{dossier['dossier_id']}")).text
    assert await banc.dossier(event.key, "a_traiter") == {}
    async with open_runtime("moderation", banc.reglages, Health()) as runtime:
        assert await runtime.mongo.db.outbox.count_documents({"value": {"$regex": event.key}}) == 0


async def test_une_annonce_approuvee_peut_etre_revue_et_retiree_tant_qu_elle_est_en_ligne(
    banc: Banc, bientot: Attendre
) -> None:
    event = annonce()
    await banc.traiter(event)
    dossier = await banc.dossier(event.key)
    chemin = f"{BASE}/{dossier['dossier_id']}"
    corps = {"issue": "approuvee", "jeton_bail": await prendre(banc, dossier)}
    assert (await banc.post(f"{chemin}/decision", corps)).status_code == 200
    assert (await banc.post(f"{chemin}/reouverture")).json()["etat"] == "a_revoir"
    motif = {"code": "contenu-illicite", "explication": "Cette activité est interdite."}
    corps = {"issue": "retiree", "motifs": [motif], "jeton_bail": await prendre(banc, dossier)}
    assert (await banc.post(f"{chemin}/decision", corps)).status_code == 200

    def issues() -> list[str]:
        found = [decision["issue"] for decision in banc.decisions(event.key)]
        return found if len(found) == 2 else []

    assert await bientot(issues) == ["approuvee", "retiree"]
    assert slug(await banc.post(f"{chemin}/reouverture")) == (409, "non-revisable")
