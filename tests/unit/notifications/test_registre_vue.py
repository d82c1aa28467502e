"""What the staff reads of the ledger: every alert once in each table, clear errors, a page for everybody."""

import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from contracts.envois import Etat, Motif
from contracts.notifications import Canal
from kit.http import problems
from kit.http.tokens import TokenSigner, TokenVerifier
from services.notifications import api_registre
from services.notifications.canaux.provider_weights import Raison
from services.notifications.staff import figures
from services.notifications.staff.figures import AlertesSemblables, Depense, chiffrer, euros, pourcentage
from services.notifications.staff.filters import SANS_MOTIF, Filtres, FiltresInvalides, lire_filtres

JOUR = dt.date(2026, 11, 25)
NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)

GROUPES = st.lists(
    st.builds(
        AlertesSemblables,
        etat=st.sampled_from(Etat),
        motif=st.none() | st.sampled_from([*Motif, "smtp 550 5.1.1"]),
        canal=st.sampled_from(Canal),
        fournisseur=st.none() | st.sampled_from(["smpp", "http", "push"]),
        reprise=st.booleans(),
        nombre=st.integers(1, 10**6),
        parties=st.integers(0, 10**6),
    ),
    max_size=30,
)


@given(GROUPES)
def test_chaque_alerte_est_comptee_une_fois_dans_chaque_tableau(groupes: list[AlertesSemblables]) -> None:
    chiffres = chiffrer(groupes)
    total = sum(groupe.nombre for groupe in groupes)
    assert chiffres.total == total
    assert sum(n for _, _, n in chiffres.par_etat) == total
    assert sum(n for _, n in chiffres.par_canal) == total
    assert sum(n for _, n, _ in chiffres.par_fournisseur) == total
    assert chiffres.en_route + chiffres.programmees <= total


@given(GROUPES, st.sampled_from([None, *Canal]), st.sampled_from([None, *Etat]))
def test_la_liste_compte_ce_que_ses_filtres_gardent(
    groupes: list[AlertesSemblables], canal: Canal | None, etat: Etat | None
) -> None:
    filtres = Filtres(JOUR, JOUR, canal=canal, etat=etat)
    gardes = Counter({True: 0}) + Counter(groupe.dans(filtres) for groupe in groupes)
    assert gardes[True] == sum(g.canal == (canal or g.canal) and g.etat == (etat or g.etat) for g in groupes)


def test_ce_qui_n_a_pas_de_raison_se_retrouve_dans_la_liste() -> None:
    sans = AlertesSemblables(Etat.REMIS, None, Canal.EMAIL, "relais", False, 3, 0)
    avec = AlertesSemblables(Etat.ANNULEE, Motif.BUDGET, Canal.EMAIL, None, False, 2, 0)
    filtres = Filtres(JOUR, JOUR, motif=SANS_MOTIF)
    assert [g.dans(filtres) for g in (sans, avec)] == [True, False]
    assert filtres.detail()["motif"] is None


def test_les_sms_factures_ne_comptent_pas_les_autres_canaux() -> None:
    chiffres = chiffrer(
        [
            AlertesSemblables(Etat.LIVRE, None, Canal.SMS, "smpp", False, 2, 5),
            AlertesSemblables(Etat.REMIS, None, Canal.EMAIL, "relais", False, 2, 2),
        ]
    )
    assert chiffres.par_fournisseur == [("relais", 2, 0), ("smpp", 2, 5)]


def test_une_issue_inconnue_que_personne_ne_reprend_n_est_plus_en_route() -> None:
    finie = AlertesSemblables(Etat.INCERTAIN, Motif.BAIL_ECHU, Canal.SMS, None, False, 1, 0)
    reprise = AlertesSemblables(Etat.INCERTAIN, Motif.BAIL_ECHU, Canal.EMAIL, None, True, 1, 0)
    assert chiffrer([finie, reprise]).en_route == 1


def test_ce_qui_attend_son_heure_est_compte_a_part() -> None:
    calme = AlertesSemblables(Etat.EN_FILE, Motif.HEURES_CALMES, Canal.SMS, None, True, 4, 0)
    file = AlertesSemblables(Etat.EN_FILE, None, Canal.EMAIL, None, True, 3, 0)
    chiffres = chiffrer([calme, file])
    assert (chiffres.en_route, chiffres.programmees) == (3, 4)


def test_chaque_canal_et_chaque_raison_a_ses_mots() -> None:
    assert set(figures.CANAUX) == set(Canal)
    assert set(figures.RAISONS_BASCULE) == {raison.value for raison in Raison}


def test_sans_rien_demander_on_voit_la_derniere_semaine() -> None:
    filtres = lire_filtres({"du": "", "etat": " "}, JOUR)
    assert (filtres.du, filtres.au, filtres.page) == (dt.date(2026, 11, 19), JOUR, 1)
    assert filtres.etat is None


def test_les_jours_sont_ceux_de_paris_meme_quand_l_heure_change() -> None:
    filtres = lire_filtres({"du": "2026-10-25", "au": "2026-10-25"}, JOUR)
    assert filtres.debut == dt.datetime(2026, 10, 24, 22, tzinfo=dt.UTC)
    assert filtres.fin == dt.datetime(2026, 10, 25, 23, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("params", "champ"),
    [
        ({"du": "hier"}, "du"),
        ({"du": "20261125"}, "du"),
        ({"au": "2026-02-30"}, "au"),
        ({"au": "9999-12-31"}, "au"),
        ({"du": "0001-01-01"}, "du"),
        ({"du": "2026-11-25", "au": "2026-11-24"}, "du"),
        ({"du": "2024-01-01", "au": "2026-01-01"}, "du"),
        ({"annonce": "<script>"}, "annonce"),
        ({"annonce": "a" * 65}, "annonce"),
        ({"canal": "pigeon"}, "canal"),
        ({"etat": "perdu"}, "etat"),
        ({"motif": "x" * 81}, "motif"),
        ({"page": "0"}, "page"),
        ({"page": "-1"}, "page"),
        ({"page": "٣"}, "page"),
        ({"page": "999999999999"}, "page"),
    ],
)
def test_un_filtre_qui_ne_convient_pas_est_nomme(params: dict[str, str], champ: str) -> None:
    with pytest.raises(FiltresInvalides) as info:
        lire_filtres(params, JOUR)
    assert [erreur.champ for erreur in info.value.erreurs] == [champ]


def test_toutes_les_erreurs_sont_dites_ensemble() -> None:
    with pytest.raises(FiltresInvalides) as info:
        lire_filtres({"du": "x", "au": "y", "canal": "z"}, JOUR)
    assert {erreur.champ for erreur in info.value.erreurs} == {"du", "au", "canal"}


@given(
    st.dictionaries(st.sampled_from(["du", "au", "annonce", "canal", "etat", "motif", "page"]), st.text(max_size=90))
)
def test_aucune_adresse_ne_fait_echouer_la_lecture(params: dict[str, str]) -> None:
    try:
        filtres = lire_filtres(params, JOUR)
    except FiltresInvalides:
        return
    assert filtres.debut < filtres.fin
    assert lire_filtres(filtres.params(page=filtres.page), JOUR) == filtres


def test_l_argent_et_les_parts_se_lisent_en_francais() -> None:
    assert euros(123456.7) == "1\u202f234,57\u00a0€"
    assert pourcentage(0.9999) == "99\u00a0%"
    assert Depense("2026-11", 10, 45.0, 0).part is None
    assert Depense("2026-11", 10, 45.0, 90).part == 0.5


class Page(HTMLParser):
    """What the tests look at in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.balises: list[tuple[str, dict[str, str]]] = []
        self.texte = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.balises.append((tag, {nom: valeur or "" for nom, valeur in attrs}))

    def handle_data(self, data: str) -> None:
        self.texte += data

    def toutes(self, *noms: str) -> list[dict[str, str]]:
        return [attrs for nom, attrs in self.balises if nom in noms]


LIGNE: dict[str, Any] = {
    "_id": "e1",
    "annonce_id": "a1",
    "version": 2,
    "canal": "sms",
    "etat": "livre",
    "motif": "smpp DELIVRD <000>",
    "fournisseur": "smpp",
    "parties": 2,
    "tentatives": 1,
    "cree_at": NOW,
    "remis_at": NOW,
    "conclu_at": NOW,
}
BASCULE: dict[str, Any] = {
    "at": NOW,
    "canal": "sms",
    "de": "smpp",
    "vers": "http",
    "points": 10,
    "raison": "lenteur",
    "poids": {"smpp": 50, "http": 50},
}


class Lectures:
    """Answers like Consultation, for one alert."""

    def __init__(self) -> None:
        self.filtres: list[Mapping[str, Any]] = []

    async def repartition(self, filtre: Mapping[str, Any]) -> list[dict[str, Any]]:
        self.filtres.append(filtre)
        livree = {"etat": "livre", "motif": LIGNE["motif"], "canal": "sms", "fournisseur": "smpp"}
        return [
            {**livree, "reprise": False, "nombre": 70, "parties": 140},
            {"etat": "en_file", "canal": "email", "reprise": True, "nombre": 1, "parties": 0},
        ]

    async def lignes(self, filtre: Mapping[str, Any], page: int, taille: int) -> list[dict[str, Any]]:
        self.filtres.append(filtre)
        return [LIGNE, {**LIGNE, "_id": "e2", "etat": "en_file", "motif": "heures_calmes"}] if page <= 2 else []

    async def anciennes(self, annonce_id: str) -> list[str]:
        return []

    async def depense(self, mois: str) -> tuple[int, float]:
        return (140, 50_000.0)

    async def bascules(self, debut: dt.datetime, fin: dt.datetime, limite: int) -> list[dict[str, Any]]:
        return [BASCULE]


@pytest.fixture
def lectures() -> Lectures:
    return Lectures()


@pytest.fixture
async def client(lectures: Lectures) -> AsyncIterator[httpx.AsyncClient]:
    cle = Ed25519PrivateKey.generate()
    prive = cle.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    publique = cle.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    app = FastAPI()
    problems.install(app)
    app.include_router(api_registre.routeur)
    horloge = SimpleNamespace(now=lambda: NOW)
    app.state.deps = SimpleNamespace(
        runtime=SimpleNamespace(clock=horloge), atelier=SimpleNamespace(consultation=lectures)
    )
    app.state.verifier = TokenVerifier(publique, "notifications")
    app.state.plafond_sms = 50_000
    jeton = TokenSigner(prive).sign("notifications", "moderatrice", {"moderateur"})
    visiteur = TokenSigner(prive).sign("notifications")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        client.headers["Authorization"] = f"Bearer {jeton}"
        client.headers["x-visiteur"] = visiteur
        yield client


async def test_seule_l_equipe_lit_le_registre(client: httpx.AsyncClient) -> None:
    visiteur = {"Authorization": f"Bearer {client.headers['x-visiteur']}"}
    for chemin in ("registre", "registre.json"):
        assert (await client.get(f"/v1/notifications/{chemin}", headers=visiteur)).status_code == 403


async def test_la_page_montre_les_chiffres_et_la_liste(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/notifications/registre?etat=livre&annonce=a1")
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == api_registre.CSP
    assert answer.headers["cache-control"] == "no-store"
    page = Page(answer.text)
    for attendu in (
        "71",
        "trop lent",
        "smpp 50, http 50",
        "plafond est atteint",
        "500,00\u00a0€",
        "smpp DELIVRD <000>",
    ):
        assert attendu in page.texte
    assert "<000>" not in answer.text
    assert "page=2" in answer.text


async def test_la_page_se_lit_au_clavier_et_avec_un_lecteur_d_ecran(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/notifications/registre?canal=x&du=x")
    assert answer.status_code == 422
    for texte in (answer.text, (await client.get("/v1/notifications/registre")).text):
        page = Page(texte)
        ids = [attrs["id"] for _, attrs in page.balises if "id" in attrs]
        assert len(ids) == len(set(ids))
        etiquettes = {attrs["for"] for attrs in page.toutes("label")}
        assert {attrs["id"] for attrs in page.toutes("input", "select")} == etiquettes
        cites = " ".join(a.get("aria-describedby", "") + " " + a.get("aria-labelledby", "") for _, a in page.balises)
        assert set(cites.split()) <= set(ids)
        assert len(page.toutes("table")) == len(page.toutes("caption"))
        assert all("scope" in attrs for attrs in page.toutes("th"))
        assert not page.toutes("script", "style")
        assert not any("style" in attrs or any(nom.startswith("on") for nom in attrs) for _, attrs in page.balises)
        ancres = {a["href"].partition("#")[2] for a in page.toutes("a") if "#" in a["href"]}
        assert ancres <= set(ids)


async def test_un_mauvais_filtre_est_montre_pres_de_son_champ_avec_ce_qui_etait_saisi(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/v1/notifications/registre", params={"du": "hier", "annonce": '"><b>'})
    page = Page(answer.text)
    du, annonce = (next(a for a in page.toutes("input") if a["name"] == nom) for nom in ("du", "annonce"))
    assert (du["aria-invalid"], du["value"], annonce["value"]) == ("true", "hier", '"><b>')
    assert "faute-du" in du["aria-describedby"]
    assert answer.text.count("Une date est attendue") == 2
    assert "Erreur" in page.texte


async def test_une_page_trop_loin_ramene_a_la_premiere(client: httpx.AsyncClient) -> None:
    page = Page((await client.get("/v1/notifications/registre?page=40")).text)
    assert "Il n’y a que 2 pages" in page.texte


async def test_le_json_dit_les_memes_chiffres(client: httpx.AsyncClient, lectures: Lectures) -> None:
    corps = (await client.get("/v1/notifications/registre.json?canal=sms&annonce=a1")).json()
    assert (corps["total"], corps["en_route"], corps["total_envois"], corps["pages"]) == (71, 1, 70, 2)
    assert corps["par_etat"][0] == {"etat": "en_file", "motif": None, "nombre": 1}
    assert corps["sms"] == {"mois": "2026-11", "parties": 140, "centimes": 50_000.0, "plafond_centimes": 50_000}
    assert corps["envois"][0]["envoi_id"] == "e1"
    assert corps["bascules"][0]["at"] == "2026-11-25T12:00:00Z"
    assert [filtre["annonce_id"] for filtre in lectures.filtres] == ["a1", "a1"]
    assert ["canal" in filtre for filtre in lectures.filtres] == [False, True]
    refus = await client.get("/v1/notifications/registre.json?etat=x")
    assert (refus.status_code, refus.json()["erreurs"][0]["champ"]) == (422, "etat")


async def test_la_feuille_de_style_est_servie(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/notifications/static/registre.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert ":focus-visible" in answer.text
