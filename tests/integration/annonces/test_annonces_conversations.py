"""Two people write to one another about an answer, and nobody else can: the API of conversations, and its events."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from contracts.comptes import Compte, CompteEfface, EtatCompte
from kit.http.internal_calls import Answer
from kit.ids import new_id
from tests.integration.annonces.banc import Banc, Corps, corps_besoin


@pytest.fixture
def notifications(banc: Banc, jeton_de: Callable[[str, str], str]) -> Callable[..., Any]:
    """Calls the routes that are for the service notifications alone."""

    async def appeler(methode: str, chemin: str, **arguments: Any) -> httpx.Response:
        entetes = {"Authorization": f"Bearer {jeton_de('notifications', 'annonces')}"}
        return await banc.client.request(methode, f"/v1/interne{chemin}", headers=entetes, **arguments)

    return appeler


async def une_reponse(banc: Banc, message: str = "Je suis libre samedi", **champs: Any) -> tuple[str, str, Corps]:
    """(who posted, who answered, the reponse)."""
    auteur, repondant = new_id(), new_id()
    association = await banc.association(auteur)
    annonce = await banc.publiee(auteur, association["association_id"], **champs)
    reponse = await banc.appeler(
        "POST", f"/v1/annonces/{annonce['annonce_id']}/reponses", repondant, json={"message": message}
    )
    assert reponse.status_code == 201, reponse.text
    return auteur, repondant, dict(reponse.json())


def compte_efface(compte_id: str) -> CompteEfface:
    compte = Compte(compte_id=compte_id, version=2, etat=EtatCompte.EFFACE, cree_at=dt.datetime.now(dt.UTC))
    return CompteEfface(compte=compte)


def fil(reponse: Corps) -> str:
    return f"/v1/reponses/{reponse['reponse_id']}/messages"


async def ecrire(banc: Banc, reponse: Corps, sub: str, texte: str, **arguments: Any) -> httpx.Response:
    return await banc.appeler("POST", fil(reponse), sub, json={"texte": texte}, **arguments)


async def test_une_reponse_ouvre_une_conversation_dont_les_deux_cotes_lisent_les_messages(banc: Banc) -> None:
    auteur, repondant, reponse = await une_reponse(banc)
    assert (await ecrire(banc, reponse, auteur, "Merci ! À 9 h ?")).status_code == 201
    ecrit = await banc.appeler("POST", fil(reponse), repondant, json={"texte": "Parfait.", "prenom": "Awa"})
    assert ecrit.status_code == 201
    vue = (await banc.appeler("GET", fil(reponse), auteur)).json()
    assert [(m["texte"], m["de_moi"], m["de_nom"]) for m in vue["messages"]] == [
        ("Je suis libre samedi", False, "Awa"),
        ("Merci ! À 9 h ?", True, "Un membre de l’équipe"),
        ("Parfait.", False, "Awa"),
    ]
    assert (vue["ouverte"], vue["cote"], vue["nom_autre"], vue["total"]) == (True, "auteur", "Awa", 3)
    autre_cote = (await banc.appeler("GET", fil(reponse), repondant)).json()
    assert [m["de_nom"] for m in autre_cote["messages"]] == ["Awa", "Les Jardins de Fives", "Awa"]
    assert autre_cote["nom_autre"] == "Les Jardins de Fives"


async def test_un_message_est_annonce_a_l_autre_cote_sans_ses_mots(banc: Banc) -> None:
    auteur, repondant, reponse = await une_reponse(banc)
    ecrit = (await ecrire(banc, reponse, repondant, "Mon numéro de porte est secret-1234")).json()
    evenement = await banc.entendu("MessageEcrit", ecrit["message_id"])
    assert (evenement.de, evenement.pour) == (repondant, [auteur])
    assert evenement.conversation_id == reponse["reponse_id"]
    assert not [e for e in banc.evenements if "secret-1234" in e.model_dump_json()]


async def test_les_mots_ne_sont_pas_en_clair_dans_la_base(banc: Banc) -> None:
    _, repondant, reponse = await une_reponse(banc, "Mots de la réponse 98765")
    await ecrire(banc, reponse, repondant, "Mots du message 98765")
    db = banc.app.state.deps.store.db
    lignes = [await db.reponses.find_one({"_id": reponse["reponse_id"]})]
    lignes += [ligne async for ligne in db.messages.find({"conversation_id": reponse["reponse_id"]})]
    assert len(lignes) == 2
    assert "98765" not in str(lignes)


async def test_les_mots_d_une_reponse_d_avant_les_conversations_se_lisent_encore(banc: Banc) -> None:
    auteur, _, reponse = await une_reponse(banc)
    db = banc.app.state.deps.store.db
    await db.reponses.update_one({"_id": reponse["reponse_id"]}, {"$set": {"message": "Écrits en clair"}})
    vue = (await banc.appeler("GET", fil(reponse), auteur)).json()
    assert [m["texte"] for m in vue["messages"]] == ["Écrits en clair"]


@pytest.mark.parametrize("geste", ["lire", "ecrire", "fermer"])
async def test_la_conversation_des_autres_n_existe_pas(banc: Banc, geste: str) -> None:
    _, _, reponse = await une_reponse(banc)
    intrus = new_id()
    essais = {
        "lire": banc.appeler("GET", fil(reponse), intrus),
        "ecrire": ecrire(banc, reponse, intrus, "Bonjour"),
        "fermer": banc.appeler("POST", f"/v1/reponses/{reponse['reponse_id']}/conversation/fermeture", intrus),
    }
    for nom, essai in essais.items():
        if nom == geste:
            assert (await essai).status_code == 404
        else:
            essai.close()


async def test_une_conversation_fermee_se_lit_et_ne_s_ecrit_plus(banc: Banc) -> None:
    auteur, repondant, reponse = await une_reponse(banc)
    fermeture = f"/v1/reponses/{reponse['reponse_id']}/conversation/fermeture"
    assert (await banc.appeler("POST", fermeture, repondant)).status_code == 204
    assert (await banc.appeler("POST", fermeture, auteur)).status_code == 204
    evenement = await banc.entendu("ConversationClose", reponse["reponse_id"])
    assert (evenement.par, evenement.pour) == (repondant, [auteur])
    refus = await ecrire(banc, reponse, auteur, "Encore un mot")
    assert (refus.status_code, refus.json()["type"]) == (409, "/problemes/conversation-fermee")
    assert (await banc.appeler("GET", fil(reponse), auteur)).json()["ouverte"] is False


async def test_le_meme_message_sous_une_meme_cle_n_est_ecrit_qu_une_fois(banc: Banc) -> None:
    auteur, repondant, reponse = await une_reponse(banc)
    cle = {"headers": {"Idempotency-Key": new_id()}}
    premier, second = [await ecrire(banc, reponse, repondant, "Une fois", **cle) for _ in range(2)]
    assert premier.json()["message_id"] == second.json()["message_id"]
    assert (await ecrire(banc, reponse, repondant, "Autre chose", **cle)).status_code == 409
    assert (await banc.appeler("GET", fil(reponse), auteur)).json()["total"] == 2


async def test_qui_ecrit_sans_fin_est_arrete_un_moment(banc: Banc) -> None:
    _, repondant, reponse = await une_reponse(banc)
    statuts = [(await ecrire(banc, reponse, repondant, f"Message {n}")).status_code for n in range(31)]
    assert statuts == [201] * 30 + [429]


@pytest.mark.parametrize("texte", ["", "   ", "x" * 4001, "a\x00b", None])
async def test_un_message_vide_ou_demesure_est_refuse_avec_une_phrase(banc: Banc, texte: str | None) -> None:
    _, repondant, reponse = await une_reponse(banc)
    refus = await banc.appeler("POST", fil(reponse), repondant, json={"texte": texte})
    assert refus.status_code == 422
    assert refus.json()["erreurs"][0]["champ"] == "texte"


async def test_une_longue_conversation_se_lit_par_pages_de_cinquante(banc: Banc) -> None:
    auteur, repondant, reponse = await une_reponse(banc, "Le premier")
    for n in range(50):
        await ecrire(banc, reponse, auteur if n % 2 else repondant, f"Message {n}")
    premiere = (await banc.appeler("GET", fil(reponse), auteur)).json()
    assert (premiere["total"], len(premiere["messages"]), premiere["messages"][-1]["texte"]) == (51, 50, "Message 49")
    seconde = (await banc.appeler("GET", fil(reponse), auteur, params={"page": 2})).json()
    assert [m["texte"] for m in seconde["messages"]] == ["Le premier"]


async def test_ce_qu_ecrivait_une_personne_effacee_n_est_plus_lu_par_personne(
    banc: Banc, notifications: Callable[..., Any]
) -> None:
    auteur, repondant, reponse = await une_reponse(banc, "Je m’appelle Zoé")
    await banc.appeler("POST", fil(reponse), repondant, json={"texte": "Mon adresse", "prenom": "Zoé"})
    ecrit = (await ecrire(banc, reponse, auteur, "Bien reçu")).json()
    message = f"/conversations/{reponse['reponse_id']}/messages"
    assert (await notifications("GET", f"{message}/{ecrit['message_id']}", params={"pour": repondant})).json() == {
        "texte": "Bien reçu",
        "de_nom": "Les Jardins de Fives",
        "annonce_id": reponse["annonce_id"],
        "annonce_titre": reponse["annonce_titre"],
        "ouverte": True,
        "ecrit_at": ecrit["ecrit_at"],
    }
    await banc.traiter(compte_efface(repondant))
    vue = (await banc.appeler("GET", fil(reponse), auteur)).json()
    assert [m["texte"] for m in vue["messages"]] == [None, None, "Bien reçu"]
    assert (vue["ouverte"], vue["nom_autre"]) == (False, "Compte supprimé")
    assert (await ecrire(banc, reponse, auteur, "Vous êtes là ?")).status_code == 409
    for message_id in (reponse["reponse_id"], vue["messages"][1]["message_id"]):
        perdu = await notifications("GET", f"{message}/{message_id}", params={"pour": auteur})
        assert perdu.status_code == 404
    db = banc.app.state.deps.store.db
    assert await db.prenoms.find_one({"_id": repondant}) is None
    assert await db.messages.find_one({"de": repondant}) is None


async def test_notifications_ne_lit_un_message_que_pour_qui_y_participe(
    banc: Banc, notifications: Callable[..., Any]
) -> None:
    auteur, repondant, reponse = await une_reponse(banc)
    ecrit = (await ecrire(banc, reponse, repondant, "Pour vous seuls")).json()
    chemin = f"/conversations/{reponse['reponse_id']}/messages/{ecrit['message_id']}"
    assert (await notifications("GET", chemin, params={"pour": auteur})).status_code == 200
    assert (await notifications("GET", chemin, params={"pour": new_id()})).status_code == 403
    _, _, autre = await une_reponse(banc)
    ailleurs = f"/conversations/{autre['reponse_id']}/messages/{ecrit['message_id']}"
    assert (await notifications("GET", ailleurs, params={"pour": auteur})).status_code == 403


async def test_une_reponse_par_courriel_entre_une_fois_dans_la_conversation(
    banc: Banc, notifications: Callable[..., Any]
) -> None:
    auteur, repondant, reponse = await une_reponse(banc)
    chemin = f"/conversations/{reponse['reponse_id']}/messages"
    corps = {"message_id": new_id(), "compte_id": auteur, "texte": "Par courriel", "canal": "email"}
    premier, second = [await notifications("POST", chemin, json=corps) for _ in range(2)]
    assert (premier.status_code, second.status_code) == (201, 201)
    assert premier.json() == second.json()
    vue = (await banc.appeler("GET", fil(reponse), repondant)).json()
    assert [(m["texte"], m["canal"]) for m in vue["messages"]][1:] == [("Par courriel", "email")]
    assert (await banc.entendu("MessageEcrit", corps["message_id"])).pour == [repondant]
    intrus = {**corps, "message_id": new_id(), "compte_id": new_id()}
    assert (await notifications("POST", chemin, json=intrus)).status_code == 403
    usurpe = {**corps, "compte_id": repondant}
    assert (await notifications("POST", chemin, json=usurpe)).status_code == 409
    await banc.appeler("POST", f"/v1/reponses/{reponse['reponse_id']}/conversation/fermeture", repondant)
    assert (await notifications("POST", chemin, json={**corps, "message_id": new_id()})).status_code == 409


async def test_le_lieu_de_rencontre_n_est_dit_qu_a_qui_est_accepte_et_a_qui_a_depose(
    banc: Banc, notifications: Callable[..., Any]
) -> None:
    auteur, repondant, reponse = await une_reponse(banc)
    chemin = f"/rencontres/{reponse['reponse_id']}"
    assert (await notifications("GET", chemin, params={"pour": auteur})).status_code == 200
    assert (await notifications("GET", chemin, params={"pour": repondant})).status_code == 403
    await banc.appeler("POST", f"/v1/reponses/{reponse['reponse_id']}/acceptation", auteur)
    vue = (await notifications("GET", chemin, params={"pour": repondant})).json()
    assert (vue["nom_autre"], vue["quartier"], vue["creneaux"]) == ("Les Jardins de Fives", "fives", ["samedi-matin"])
    assert (await notifications("GET", chemin, params={"pour": new_id()})).status_code == 403


async def test_seul_notifications_entre_par_ses_routes_et_n_entre_par_aucune_autre(
    banc: Banc, notifications: Callable[..., Any], jeton_de: Callable[[str, str], str]
) -> None:
    auteur, _, reponse = await une_reponse(banc)
    chemin = f"/v1/interne/rencontres/{reponse['reponse_id']}"
    for roles in (set(), {"systeme"}, {"moderateur"}):
        assert (await banc.appeler("GET", chemin, auteur, roles=roles, params={"pour": auteur})).status_code == 403
    for service, audience in (("annonces", "annonces"), ("notifications", "matching")):
        entetes = {"Authorization": f"Bearer {jeton_de(service, audience)}"}
        refus = await banc.client.get(chemin, headers=entetes, params={"pour": auteur})
        assert refus.status_code == 401
    sienne = {"Authorization": f"Bearer {jeton_de('notifications', 'annonces')}"}
    for route in ("/v1/annonces", f"/v1/annonces/{reponse['annonce_id']}", fil(reponse), "/v1/mes/reponses"):
        assert (await banc.client.get(route, headers=sienne)).status_code == 403


async def test_le_lieu_exact_se_depose_avec_l_annonce_et_ne_voyage_dans_aucun_evenement(
    banc: Banc, notifications: Callable[..., Any]
) -> None:
    prives = {"lieu_prive": "3e étage, code 4821", "a_apporter": "Des gants"}
    auteur, repondant, reponse = await une_reponse(banc, **prives)
    rendez_vous = f"/v1/annonces/{reponse['annonce_id']}/rendez-vous"
    assert (await banc.appeler("GET", rendez_vous, auteur)).json() == prives
    assert (await banc.appeler("GET", rendez_vous, repondant)).status_code == 404
    rencontre = f"/v1/reponses/{reponse['reponse_id']}/rencontre"
    assert (await banc.appeler("GET", rencontre, repondant)).status_code == 403
    assert (await banc.appeler("GET", rencontre, new_id())).status_code == 404
    await banc.appeler("POST", f"/v1/reponses/{reponse['reponse_id']}/acceptation", auteur)
    vue = (await banc.appeler("GET", rencontre, repondant)).json()
    assert (vue["lieu_prive"], vue["a_apporter"]) == tuple(prives.values())
    interne = await notifications("GET", f"/rencontres/{reponse['reponse_id']}", params={"pour": repondant})
    assert interne.json() == vue
    await banc.entendu("ReponseAcceptee", reponse["reponse_id"])
    assert not [e for e in banc.evenements if "4821" in e.model_dump_json()]
    for chemin in (f"/v1/annonces/{reponse['annonce_id']}", "/v1/annonces"):
        assert "4821" not in (await banc.appeler("GET", chemin, repondant)).text
    db = banc.app.state.deps.store.db
    assert "4821" not in str(await db.rendez_vous.find_one({"_id": reponse["annonce_id"]}))


async def test_corriger_une_annonce_garde_le_lieu_exact_sauf_si_elle_en_dit_un_autre(banc: Banc) -> None:
    auteur = new_id()
    association = await banc.association(auteur)
    annonce = await banc.publiee(auteur, association["association_id"], lieu_prive="Porte A")
    chemin = f"/v1/annonces/{annonce['annonce_id']}"
    corps = {nom: valeur for nom, valeur in corps_besoin("").items() if nom != "auteur"}
    for dit, attendu in (({}, "Porte A"), ({"lieu_prive": "Porte B"}, "Porte B"), ({"lieu_prive": ""}, None)):
        version = (await banc.lire(annonce["annonce_id"], auteur))["version"]
        corrige = await banc.appeler("PUT", chemin, auteur, json=corps | dit, headers={"If-Match": f'"{version}"'})
        assert corrige.status_code == 200, corrige.text
        assert (await banc.appeler("GET", f"{chemin}/rendez-vous", auteur)).json()["lieu_prive"] == attendu


async def test_seul_qui_a_depose_l_annonce_lit_le_prenom_de_qui_repond(banc: Banc) -> None:
    auteur, repondant, autre = new_id(), new_id(), new_id()
    association = await banc.association(auteur)
    annonce = await banc.publiee(auteur, association["association_id"], places=3)
    chemin = f"/v1/annonces/{annonce['annonce_id']}/reponses"
    assert (await banc.appeler("POST", chemin, repondant, json={"prenom": " Awa "})).status_code == 201
    assert (await banc.appeler("POST", chemin, autre, json={})).status_code == 201
    recues = (await banc.appeler("GET", chemin, auteur)).json()["reponses"]
    assert sorted(r["prenom"] or "" for r in recues) == ["", "Awa"]
    assert (await banc.appeler("GET", "/v1/mes/reponses", repondant)).json()["reponses"][0]["prenom"] is None


@pytest.mark.parametrize("prenom", ["", "x" * 41, "A\nB", 7])
async def test_un_prenom_qui_n_en_est_pas_un_est_refuse_et_rien_n_est_reserve(banc: Banc, prenom: object) -> None:
    auteur, repondant = new_id(), new_id()
    association = await banc.association(auteur)
    annonce = await banc.publiee(auteur, association["association_id"])
    chemin = f"/v1/annonces/{annonce['annonce_id']}/reponses"
    refus = await banc.appeler("POST", chemin, repondant, json={"prenom": prenom})
    assert (refus.status_code, refus.json()["erreurs"][0]["champ"]) == (422, "prenom")
    assert (await banc.lire(annonce["annonce_id"]))["places_restantes"] == 1


@pytest.fixture
async def coordonnees(banc: Banc, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What notifications knows: « compte/quoi » → value. The service itself is away from these tests."""
    connues: dict[str, str] = {}

    async def call(methode: str, chemin: str, **arguments: Any) -> Answer:
        cle = chemin.removeprefix("/v1/interne/coordonnees/")
        return Answer(200, {"valeur": connues[cle]}) if cle in connues else Answer(404, {})

    monkeypatch.setattr(banc.app.state.deps.notifications, "call", call)
    return connues


async def test_partager_son_numero_est_un_acte_que_l_on_peut_reprendre(
    banc: Banc, coordonnees: dict[str, str], notifications: Callable[..., Any]
) -> None:
    auteur, repondant, reponse = await une_reponse(banc)
    coordonnees[f"{repondant}/numero"] = "+33639980001"
    partage = f"/v1/reponses/{reponse['reponse_id']}/partage"
    carte = (await banc.appeler("POST", partage, repondant, json={"quoi": "numero"})).json()
    assert (carte["carte"], carte["texte"]) == ("numero", "+33639980001")
    vue = (await banc.appeler("GET", fil(reponse), auteur)).json()
    assert vue["messages"][-1]["texte"] == "+33639980001"
    interne = f"/conversations/{reponse['reponse_id']}/messages/{carte['message_id']}"
    lu = (await notifications("GET", interne, params={"pour": auteur})).json()
    assert lu["texte"].endswith("téléphone\u00a0: +33639980001")
    retrait = f"{fil(reponse)}/{carte['message_id']}/retrait"
    assert (await banc.appeler("POST", retrait, auteur)).status_code == 404
    assert (await banc.appeler("POST", retrait, repondant)).status_code == 204
    vue = (await banc.appeler("GET", fil(reponse), auteur)).json()
    assert (vue["messages"][-1]["carte"], vue["messages"][-1]["texte"]) == ("numero", None)
    assert (await notifications("GET", interne, params={"pour": auteur})).status_code == 404
    await banc.entendu("MessageEcrit", carte["message_id"])
    assert not [e for e in banc.evenements if "+33639980001" in e.model_dump_json()]


async def test_on_ne_reprend_pas_un_message_ordinaire_ni_le_partage_d_un_autre_fil(
    banc: Banc, coordonnees: dict[str, str]
) -> None:
    _, repondant, reponse = await une_reponse(banc)
    _, autre_repondant, autre = await une_reponse(banc)
    ecrit = (await ecrire(banc, reponse, repondant, "Bonjour")).json()
    assert (await banc.appeler("POST", f"{fil(reponse)}/{ecrit['message_id']}/retrait", repondant)).status_code == 404
    coordonnees[f"{repondant}/adresse"] = "awa@exemple.fr"
    partage = f"/v1/reponses/{reponse['reponse_id']}/partage"
    carte = (await banc.appeler("POST", partage, repondant, json={"quoi": "adresse"})).json()
    assert (await banc.appeler("POST", f"{fil(autre)}/{carte['message_id']}/retrait", repondant)).status_code == 404
    assert (await banc.appeler("POST", partage, autre_repondant, json={"quoi": "adresse"})).status_code == 404


async def test_partager_ce_que_l_on_n_a_pas_se_dit_et_n_ecrit_rien(banc: Banc, coordonnees: dict[str, str]) -> None:
    auteur, repondant, reponse = await une_reponse(banc)
    partage = f"/v1/reponses/{reponse['reponse_id']}/partage"
    refus = await banc.appeler("POST", partage, repondant, json={"quoi": "numero"})
    assert (refus.status_code, refus.json()["type"]) == (409, "/problemes/rien-a-partager")
    assert (await banc.appeler("POST", partage, repondant, json={"quoi": "age"})).status_code == 422
    assert (await banc.appeler("GET", fil(reponse), auteur)).json()["total"] == 1


async def test_qui_est_accepte_apprend_que_le_rendez_vous_a_change(banc: Banc) -> None:
    auteur, repondant, reponse = await une_reponse(banc, lieu_prive="Porte A", places=3)
    await banc.appeler("POST", f"/v1/reponses/{reponse['reponse_id']}/acceptation", auteur)
    en_attente = new_id()
    chemin = f"/v1/annonces/{reponse['annonce_id']}"
    autre = (await banc.appeler("POST", f"{chemin}/reponses", en_attente, json={})).json()
    corps = {nom: valeur for nom, valeur in corps_besoin("", places=3).items() if nom != "auteur"}
    for _ in range(2):
        version = (await banc.lire(reponse["annonce_id"], auteur))["version"]
        corrige = await banc.appeler(
            "PUT", chemin, auteur, json=corps | {"lieu_prive": "Porte B"}, headers={"If-Match": f'"{version}"'}
        )
        assert corrige.status_code == 200, corrige.text
    textes = [m["texte"] for m in (await banc.appeler("GET", fil(reponse), repondant)).json()["messages"]]
    assert textes == ["Je suis libre samedi", "Le rendez-vous a changé.\nOù se retrouver\u00a0: Porte B"]
    assert (await banc.appeler("GET", fil(autre), en_attente)).json()["messages"] == []
