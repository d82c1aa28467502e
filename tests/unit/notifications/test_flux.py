"""What a feed reader gets: the annonces that matched a profil, each once, and nothing that a reader cannot parse."""

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Iterable
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from kit.http import problems
from kit.http.tokens import TokenSigner, TokenVerifier
from services.notifications import api_flux
from services.notifications.domain import Cloture
from services.notifications.messages.feed import Entree, entrees, etag, inchange, lien_flux, rediger
from services.notifications.messages.signed_links import Lien, Liens, Usage

MIDI = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
URL = "https://place.example/"
LIENS = Liens("A" * 43 + "=")


def _ligne(annonce_id: str = "a1", version: int = 1, **autres: Any) -> dict[str, Any]:
    return {
        "_id": f"{annonce_id}{version}",
        "annonce_id": annonce_id,
        "version": version,
        "contenu_id": f"{annonce_id}:{version}",
        "titre": "Un véhicule samedi",
        "pourquoi": "à 1,2 km de chez vous · samedi matin",
        "cree_at": MIDI,
        **autres,
    }


def _contenu(**autres: Any) -> dict[str, Any]:
    return {"description": "Pour un déménagement.", "urgent": False, "date_debut": None, "date_fin": None, **autres}


def _lire(trouvees: list[Entree], *, arretee: bool = False) -> ET.Element:
    canal = ET.fromstring(rediger(trouvees, URL, "https://place.example/flux/x.xml", arretee=arretee, now=MIDI)).find(  # noqa: S314  # ours
        "channel"
    )
    assert canal is not None
    return canal


def _textes(canal: ET.Element, nom: str) -> list[str]:
    return [element.findtext(nom, "") for element in canal.findall("item")]


def test_chaque_annonce_dit_pourquoi_elle_est_la_et_mene_a_sa_page() -> None:
    contenus = {"a1:1": _contenu(date_debut="2026-11-28", urgent=True)}
    canal = _lire(entrees([_ligne()], contenus, {}))
    assert _textes(canal, "title") == ["Urgent\u00a0: Un véhicule samedi"]
    assert _textes(canal, "link") == ["https://place.example/annonces/a1"]
    assert _textes(canal, "guid") == ["annonce:a1"]
    assert [parsedate_to_datetime(date) for date in _textes(canal, "pubDate")] == [MIDI]
    [description] = _textes(canal, "description")
    assert "Pour vous\u00a0: à 1,2 km de chez vous · samedi matin" in description
    assert "samedi 28 novembre 2026" in description
    assert "Pour un déménagement." in description


def test_une_annonce_n_apparait_qu_une_fois_comme_sa_derniere_version_la_dit() -> None:
    tard = MIDI + dt.timedelta(hours=1)
    lignes = [_ligne(canal="sms"), _ligne(canal="email"), _ligne(version=2, titre="Deux véhicules", cree_at=tard)]
    [entree] = entrees(lignes, {}, {})
    assert (entree.titre, entree.at) == ("Deux véhicules", MIDI)


def test_les_dernieres_viennent_d_abord_et_cinquante_suffisent() -> None:
    lignes = [_ligne(f"a{i:03}", cree_at=MIDI - dt.timedelta(minutes=i)) for i in range(70)]
    trouvees = entrees(reversed(lignes), {}, {})
    assert [entree.annonce_id for entree in trouvees] == [f"a{i:03}" for i in range(50)]


def test_ce_qui_a_ete_decline_n_y_est_plus() -> None:
    lignes = [_ligne(), _ligne(canal="sms", reponse="refuser"), _ligne("a2", motif="annonce_declinee")]
    assert entrees(lignes, {}, {}) == []


def test_une_annonce_pourvue_est_marquee_et_une_annonce_retiree_n_est_pas_repetee() -> None:
    contenus = {"a1:1": _contenu(), "a2:1": _contenu(description="Texte à retirer")}
    clotures = {"a1": Cloture(1, definitive=False), "a2": Cloture(1, definitive=True)}
    canal = _lire(entrees([_ligne(), _ligne("a2")], contenus, clotures))
    titres = set(_textes(canal, "title"))
    assert titres == {"Déjà pourvue\u00a0: Un véhicule samedi", "Plus en ligne\u00a0: Un véhicule samedi"}
    assert "Texte à retirer" not in "".join(_textes(canal, "description"))


def test_des_places_liberees_dans_une_version_plus_recente_rouvrent_l_annonce() -> None:
    [entree] = entrees([_ligne(), _ligne(version=3)], {}, {"a1": Cloture(2, definitive=False)})
    assert entree.cloture is None


def test_ce_que_quelqu_un_a_tape_n_est_jamais_du_html() -> None:
    contenus = {"a1:1": _contenu(description="<script>alert(1)</script>\nligne & suite")}
    [description] = _textes(_lire(entrees([_ligne()], contenus, {})), "description")
    assert "<script>" not in description
    assert "&lt;script&gt;alert(1)&lt;/script&gt;<br>ligne &amp; suite" in description


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=700), st.text(max_size=20))
def test_tout_texte_donne_un_flux_lisible(texte: str, titre: str) -> None:
    titre = titre.encode("utf-8", "ignore").decode()
    canal = _lire(entrees([_ligne(titre=titre, pourquoi=texte)], {"a1:1": _contenu(description=texte)}, {}))
    assert len(canal.findall("item")) == 1


def test_une_alerte_arretee_le_dit_et_un_flux_vide_ne_change_pas_de_lui_meme() -> None:
    assert "arrêté" in _lire([], arretee=True).findtext("description", "")
    corps = [rediger([], URL, "x", arretee=False, now=MIDI + dt.timedelta(minutes=minutes)) for minutes in (0, 5)]
    assert corps[0] == corps[1]


def test_un_lecteur_qui_a_deja_ce_flux_n_en_recoit_pas_une_copie() -> None:
    marque = etag(b"flux")
    assert inchange(marque, marque)
    assert inchange(f'"autre", W/{marque}', marque)
    assert inchange("*", marque)
    assert not inchange('"autre"', marque)
    assert not inchange(None, marque)


def test_l_adresse_d_un_flux_ne_sert_qu_a_le_lire() -> None:
    adresse = lien_flux(URL, LIENS, "p1")
    assert adresse == lien_flux("https://place.example", LIENS, "p1")
    jeton = adresse.removeprefix("https://place.example/flux/").removesuffix(".xml")
    assert LIENS.lire(jeton, Usage.FLUX) == Lien("flux", "p1")
    assert LIENS.lire(jeton) is None
    assert LIENS.lire(jeton, Usage.REPONSE) is None


def test_un_long_texte_est_coupe_entre_deux_mots() -> None:
    contenus = {"a1:1": _contenu(description="mot " * 400)}
    [description] = _textes(_lire(entrees([_ligne()], contenus, {})), "description")
    assert description.endswith("mot…</p>")
    assert len(description) < 1000


class Registre:
    """Answers like the ledger: p1 has one alert, p2 was unsubscribed."""

    async def desabonnes(self, profil_ids: Iterable[str]) -> set[str]:
        return {"p2"} & set(profil_ids)

    async def clotures(self, annonce_ids: Iterable[str]) -> dict[str, Cloture]:
        return {}

    async def du_profil(self, compte_id: str, profil_id: str, limite: int) -> list[dict[str, Any]]:
        return [_ligne()] if compte_id == "c1" and profil_id in ("p1", "p2") else []

    async def dont_le_flux(self, profil_id: str) -> str | None:
        return "c1" if profil_id in ("p1", "p2") else None

    async def ouvrir_flux(self, compte_id: str, profils: Iterable[str]) -> None: ...

    async def contenus(self, contenu_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        return {contenu_id: _contenu() for contenu_id in contenu_ids}

    async def profils(self, compte_id: str) -> list[str]:
        return ["p1", "p2"] if compte_id == "compte" else []


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    cle = Ed25519PrivateKey.generate()
    prive = cle.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    publique = cle.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    app = FastAPI()
    problems.install(app)
    app.include_router(api_flux.public)
    registre = Registre()
    runtime = SimpleNamespace(settings=SimpleNamespace(public_url=URL), clock=SimpleNamespace(now=lambda: MIDI))
    atelier = SimpleNamespace(registre=registre, consultation=registre, contacts=registre, liens=LIENS)
    app.state.deps = SimpleNamespace(runtime=runtime, atelier=atelier)
    app.state.verifier = TokenVerifier(publique, "notifications")
    signataire = TokenSigner(prive)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        client.headers["Authorization"] = f"Bearer {signataire.sign('notifications')}"
        client.headers["x-compte"] = f"Bearer {signataire.sign('notifications', 'compte')}"
        yield client


def _chemin(profil_id: str) -> str:
    return lien_flux("/v1", LIENS, profil_id).removesuffix(".xml")


async def test_qui_a_l_adresse_lit_le_flux_et_ne_le_recoit_pas_deux_fois(client: httpx.AsyncClient) -> None:
    answer = await client.get(_chemin("p1"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/rss+xml; charset=utf-8")
    assert answer.headers["cache-control"].startswith("private")
    assert "Un véhicule samedi" in answer.text
    encore = await client.get(_chemin("p1"), headers={"If-None-Match": answer.headers["etag"]})
    assert (encore.status_code, encore.content) == (304, b"")


async def test_une_alerte_arretee_n_a_plus_d_entree_et_un_profil_efface_n_en_laisse_aucune(
    client: httpx.AsyncClient,
) -> None:
    arrete, efface = [(await client.get(_chemin(profil_id))).text for profil_id in ("p2", "p3")]
    assert "<item>" not in arrete + efface
    assert "arrêté" in arrete


async def test_une_adresse_que_nous_n_avons_pas_signee_n_existe_pas(client: httpx.AsyncClient) -> None:
    desabonnement = LIENS.signer(Lien("flux", "p1"))
    for jeton in ("x", f"flux.p1.{'A' * 43}", desabonnement):
        answer = await client.get(f"/v1/flux/{jeton}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_chacun_n_apprend_que_ses_propres_adresses(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/mes/flux", headers={"Authorization": client.headers["x-compte"]})
    assert answer.json()["flux"] == {"p1": lien_flux(URL, LIENS, "p1")}
    assert (await client.get("/v1/mes/flux")).status_code == 401
