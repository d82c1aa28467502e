"""A push service that speaks RFC 8030 here, and a browser's keys: what arrives, and what each answer means."""

import asyncio
import base64
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from contracts.notifications import Canal
from services.notifications.canaux.base import (
    Colis,
    Inconnu,
    Injoignable,
    Issue,
    NousRefuse,
    Permanent,
    Recu,
    Temporaire,
)
from services.notifications.canaux.push.canal import HOTES, CanalPush, hote_admis
from services.notifications.canaux.push.encryption import CONTENU_MAX, chiffrer, cle_publique

CONTACT = "mailto:contact@place-des-assos.example"
MESSAGE = json.dumps({"title": "Un véhicule samedi", "body": "à 1,2 km de chez vous", "url": "/annonces/a1"})


def _pem(cle: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return cle.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


VAPID = _pem(ec.generate_private_key(ec.SECP256R1()))


def _b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Navigateur:
    """What a browser keeps and what it gives away."""

    def __init__(self) -> None:
        self.cle = ec.generate_private_key(ec.SECP256R1())
        self.point = self.cle.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.secret = os.urandom(16)

    def abonnement(self, endpoint: str) -> str:
        cles = {"p256dh": _b64(self.point), "auth": _b64(self.secret)}
        return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": cles})

    def lire(self, corps: bytes) -> bytes:
        """RFC 8188 §2.1 and RFC 8291 §3, from the browser's side: salt 16, record size 4, length of the key 1, key."""
        sel, autre, chiffre = corps[:16], corps[21 : 21 + corps[20]], corps[21 + corps[20] :]
        assert len(chiffre) <= int.from_bytes(corps[16:20], "big")
        partage = self.cle.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), autre))
        matiere = HKDF(SHA256(), 32, self.secret, b"WebPush: info\0" + self.point + autre).derive(partage)
        cle = HKDF(SHA256(), 16, sel, b"Content-Encoding: aes128gcm\0").derive(matiere)
        nonce = HKDF(SHA256(), 12, sel, b"Content-Encoding: nonce\0").derive(matiere)
        clair, fin, remplissage = AESGCM(cle).decrypt(nonce, chiffre, None).rpartition(b"\2")
        assert fin
        assert not remplissage.strip(b"\0")
        return clair


@dataclass
class Service:
    """Answers `repondre`, and keeps what it was given."""

    repondre: Callable[[web.Request], Awaitable[web.StreamResponse]]
    recus: list[tuple[web.Request, bytes]] = field(default_factory=list)
    port: int = 0

    async def traiter(self, request: web.Request) -> web.StreamResponse:
        self.recus.append((request, await request.read()))
        return await self.repondre(request)

    def url(self, jeton: str = "abc:DEF") -> str:
        return f"http://127.0.0.1:{self.port}/push/{jeton}"


@asynccontextmanager
async def _service(repondre: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[Service]:
    service = Service(repondre)
    app = web.Application()
    app.router.add_post("/push/{jeton}", service.traiter)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.port = runner.addresses[0][1]
    try:
        yield service
    finally:
        await runner.cleanup()


def _statut(statut: int) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def repondre(_: web.Request) -> web.StreamResponse:
        return web.Response(status=statut)

    return repondre


def _canal(reponse_s: float = 30.0) -> CanalPush:
    return CanalPush(VAPID, CONTACT, ["127.0.0.1"], en_clair=True, reponse_s=reponse_s)


async def _remettre(canal: CanalPush, *colis: Colis, tenu: Callable[[], bool] = lambda: True) -> list[Issue]:
    connexion = canal.connexion()
    await connexion.preparer()
    try:
        return await connexion.remettre(colis, tenu)
    finally:
        await connexion.fermer()


async def test_un_navigateur_lit_ce_qui_lui_est_ecrit_et_son_service_sait_qui_l_envoie() -> None:
    navigateur = Navigateur()
    async with _service(_statut(201)) as service:
        adresse = navigateur.abonnement(service.url())
        assert await _remettre(_canal(), Colis("e1", adresse, MESSAGE)) == [Recu("push")]
        [(request, corps)] = service.recus
        assert request.path == "/push/abc:DEF"
        assert navigateur.lire(corps).decode() == MESSAGE
        assert request.headers["Content-Encoding"] == "aes128gcm"
        assert request.headers["TTL"] == "86400"
        assert request.headers["Urgency"] == "high"
        schema, _, reste = request.headers["Authorization"].partition(" ")
        jeton, cle = (part.split("=", 1)[1] for part in reste.split(","))
        assert (schema, cle) == ("vapid", cle_publique(VAPID))
        claims = jwt.decode(jeton, ECKey.import_key(VAPID), algorithms=["ES256"]).claims
        assert (claims["aud"], claims["sub"]) == (f"http://127.0.0.1:{service.port}", CONTACT)


def _octets(texte: str) -> bytes:
    return base64.urlsafe_b64decode(texte + "==")


def test_le_chiffrement_est_celui_de_l_exemple_de_la_norme() -> None:
    """RFC 8291 §5, with the keys and the salt of its appendix A."""
    cle = ec.derive_private_key(
        int.from_bytes(_octets("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    corps = chiffrer(
        b"When I grow up, I want to be a watermelon",
        _octets("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        _octets("BTBZMqHH6r4Tts7J_aSIgg"),
        cle=cle,
        sel=_octets("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert _b64(corps) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
        "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@given(st.binary(min_size=1, max_size=CONTENU_MAX))
def test_un_message_est_lu_par_son_navigateur_et_ne_se_repete_jamais(contenu: bytes) -> None:
    navigateur = Navigateur()
    un, autre = (chiffrer(contenu, navigateur.point, navigateur.secret) for _ in range(2))
    assert navigateur.lire(un) == navigateur.lire(autre) == contenu
    assert un != autre
    # A fresh salt and a fresh key, each by itself.
    assert un[:16] != autre[:16]
    assert un[21:86] != autre[21:86]


async def test_une_repetition_remplace_le_message_qui_attend_encore() -> None:
    navigateur = Navigateur()
    async with _service(_statut(201)) as service:
        adresse = navigateur.abonnement(service.url())
        await _remettre(
            _canal(), Colis("e1", adresse, MESSAGE), Colis("e1", adresse, MESSAGE), Colis("e2", adresse, "x")
        )
        sujets = [request.headers["Topic"] for request, _ in service.recus]
        assert len(sujets) == 3
        assert len(set(sujets)) == 2
        assert all(len(sujet) == 32 for sujet in sujets)


@pytest.mark.parametrize(
    ("statut", "attendu"),
    [
        (404, Permanent),
        (410, Permanent),
        (400, Permanent),
        (401, NousRefuse),
        (403, NousRefuse),
        (413, Permanent),
        (429, Temporaire),
        (500, Temporaire),
        (503, Temporaire),
        (307, Temporaire),
    ],
)
async def test_chaque_refus_dit_s_il_faut_recommencer(statut: int, attendu: type[Exception]) -> None:
    async with _service(_statut(statut)) as service:
        [issue] = await _remettre(_canal(), Colis("e1", Navigateur().abonnement(service.url()), MESSAGE))
        assert isinstance(issue, attendu)
        assert (issue.motif, issue.fournisseur) == (f"push {statut}", "push")


async def test_une_redirection_n_est_jamais_suivie() -> None:
    async def ailleurs(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "/push/interne"})

    async with _service(ailleurs) as service:
        await _remettre(_canal(), Colis("e1", Navigateur().abonnement(service.url()), MESSAGE))
        assert [request.path for request, _ in service.recus] == ["/push/abc:DEF"]


async def test_un_service_absent_n_a_rien_recu() -> None:
    with socket.socket() as occupe:
        # Bound, never listening: nobody else gets this port, and nobody answers on it.
        occupe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{occupe.getsockname()[1]}/push/x"
        [issue] = await _remettre(_canal(), Colis("e1", Navigateur().abonnement(url), MESSAGE))
    assert isinstance(issue, Injoignable)
    assert url not in str(issue)


async def test_ce_qui_est_parti_sans_reponse_reste_inconnu() -> None:
    async def couper(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response(status=201)

    async with _service(couper) as service:
        [issue] = await _remettre(_canal(), Colis("e1", Navigateur().abonnement(service.url()), MESSAGE))
        assert isinstance(issue, Inconnu)
        assert len(service.recus) == 1


async def test_un_service_qui_se_tait_laisse_le_message_inconnu() -> None:
    jamais = asyncio.Event()

    async def se_taire(_: web.Request) -> web.StreamResponse:
        await jamais.wait()
        return web.Response(status=201)

    async with _service(se_taire) as service:
        [issue] = await _remettre(_canal(0.05), Colis("e1", Navigateur().abonnement(service.url()), MESSAGE))
        assert isinstance(issue, Inconnu)
        jamais.set()


async def test_un_service_qui_refuse_notre_cle_ne_recoit_plus_rien_pendant_un_moment() -> None:
    async with _service(_statut(403)) as refusant, _service(_statut(201)) as autre:
        ici, la = (Navigateur().abonnement(service.url()) for service in (refusant, autre))
        canal = _canal()
        for _ in range(3):
            issues = await _remettre(canal, Colis("e1", ici, MESSAGE), Colis("e2", la, MESSAGE))
            assert [type(issue) for issue in issues] == [NousRefuse, Recu]
        assert (len(refusant.recus), len(autre.recus)) == (1, 3)


async def test_un_abonnement_pris_avec_une_autre_cle_ne_retient_pas_les_autres() -> None:
    navigateur = Navigateur()

    async def repondre(request: web.Request) -> web.Response:
        return web.Response(status=403 if "ancien" in request.path else 201)

    async with _service(repondre) as service:
        ancien, neuf = navigateur.abonnement(f"{service.url()}-ancien"), navigateur.abonnement(service.url())
        issues = await _remettre(_canal(), Colis("e1", ancien, MESSAGE), Colis("e2", neuf, MESSAGE))
        assert [type(issue) for issue in issues] == [Temporaire, Recu]


async def test_rien_ne_commence_quand_le_bail_est_perdu() -> None:
    async with _service(_statut(201)) as service:
        colis = Colis("e1", Navigateur().abonnement(service.url()), MESSAGE)
        [issue] = await _remettre(_canal(), colis, tenu=lambda: False)
        assert isinstance(issue, Injoignable)
        assert service.recus == []


async def test_un_colis_refuse_n_arrete_pas_les_autres_et_les_issues_gardent_l_ordre() -> None:
    navigateur = Navigateur()
    async with _service(_statut(201)) as service:
        bon = navigateur.abonnement(service.url())
        envois = [Colis(f"e{i}", bon if i % 2 else navigateur.abonnement("https://10.0.0.1/x"), "m") for i in range(40)]
        issues = await _remettre(_canal(), *envois)
        assert [isinstance(issue, Recu) for issue in issues] == [bool(i % 2) for i in range(40)]


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com.attaquant.example/x",
        "https://attaquant.example/fcm.googleapis.com",
        "https://fcm.googleapis.com@attaquant.example/x",
        "https://quelqu-un:secret@fcm.googleapis.com/x",
        "https://xfcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
        "//fcm.googleapis.com/x",
        "",
        "https://[",
    ],
)
async def test_un_abonnement_ne_mene_que_chez_un_service_connu(endpoint: str) -> None:
    assert not hote_admis(endpoint)
    [issue] = await _remettre(CanalPush(VAPID, CONTACT), Colis("e1", Navigateur().abonnement(endpoint), MESSAGE))
    assert isinstance(issue, Permanent)
    assert issue.motif in ("push hote refuse", "push abonnement illisible")


@pytest.mark.parametrize("hote", [*HOTES, "wns2-par02p.notify.windows.com", "FCM.googleapis.com"])
def test_les_services_des_navigateurs_sont_admis(hote: str) -> None:
    assert hote_admis(f"https://{hote}/wpush/v2/gAAAA")


@given(st.text(max_size=60))
def test_aucun_texte_ne_fait_echouer_la_question(texte: str) -> None:
    assert hote_admis(texte) in (True, False)


@pytest.mark.parametrize(
    "abonnement",
    [
        "",
        "pas du JSON",
        "[]",
        '{"endpoint": 3}',
        '{"endpoint": "https://fcm.googleapis.com/x"}',
        '{"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": "court", "auth": "court"}}',
        json.dumps({"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": "A" * 87, "auth": "A" * 22}}),
    ],
)
async def test_un_abonnement_illisible_est_refuse_pour_de_bon(abonnement: str) -> None:
    [issue] = await _remettre(CanalPush(VAPID, CONTACT), Colis("e1", abonnement, MESSAGE))
    assert isinstance(issue, Permanent)
    assert issue.motif == "push abonnement illisible"


async def test_le_plus_long_message_passe_et_un_octet_de_plus_est_refuse() -> None:
    navigateur = Navigateur()
    async with _service(_statut(201)) as service:
        adresse = navigateur.abonnement(service.url())
        long, trop, vide = await _remettre(
            _canal(),
            Colis("e1", adresse, "a" * CONTENU_MAX),
            Colis("e2", adresse, "a" * (CONTENU_MAX + 1)),
            Colis("e3", adresse, ""),
        )
        assert long == Recu("push")
        assert isinstance(trop, Permanent)
        assert isinstance(vide, Permanent)
        [(_, corps)] = service.recus
        assert len(corps) == 4096


async def test_la_signature_est_renouvelee_avant_sa_fin() -> None:
    maintenant = [1_800_000_000.0]
    canal = CanalPush(VAPID, CONTACT, ["127.0.0.1"], en_clair=True, horloge=lambda: maintenant[0])
    async with _service(_statut(201)) as service:
        colis = Colis("e1", Navigateur().abonnement(service.url()), MESSAGE)
        for heures in (0, 10, 12):
            maintenant[0] = 1_800_000_000.0 + heures * 3600
            await _remettre(canal, colis)
        premier, meme, autre = (request.headers["Authorization"] for request, _ in service.recus)
        assert premier == meme
        assert autre != meme


@pytest.mark.parametrize(
    "cle",
    [
        "",
        "pas une clé",
        _pem(ec.generate_private_key(ec.SECP384R1())),
        _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    ],
)
def test_une_cle_qui_ne_convient_pas_est_refusee_au_demarrage(cle: str) -> None:
    with pytest.raises(ValueError, match="VAPID key"):
        CanalPush(cle, CONTACT)
    with pytest.raises(ValueError, match="VAPID key"):
        cle_publique(cle)


def test_un_contact_qui_n_en_est_pas_un_est_refuse_au_demarrage() -> None:
    with pytest.raises(ValueError, match="contact"):
        CanalPush(VAPID, "quelqu'un")


def test_le_canal_dit_son_nom_et_la_cle_est_un_point_de_65_octets() -> None:
    assert CanalPush(VAPID, CONTACT).nom is Canal.PUSH
    point = base64.urlsafe_b64decode(cle_publique(VAPID) + "=")
    assert (len(point), point[0]) == (65, 4)
