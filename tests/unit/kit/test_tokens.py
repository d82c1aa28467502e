"""Internal tokens: who may say what on whose behalf, and what is refused."""

import base64
import hmac
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends, FastAPI
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from prometheus_client import REGISTRY

from kit.http import problems
from kit.http.tokens import (
    LEEWAY_S,
    LIFETIME_S,
    Identity,
    TokenSigner,
    TokenVerifier,
    account,
    from_service,
    identity,
    requires,
)

# RFC 9864 renames the algorithm, no more; a token lives a minute, so its name can follow in any deployment.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")

NOW = 1_800_000_000
REFUSED = (JoseError, ValueError)


@dataclass
class Keys:
    private: str
    public: str


def make_keys() -> Keys:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Keys(private.decode(), public.decode())


KEYS = make_keys()


def signer(keys: Keys = KEYS, at: float = NOW) -> TokenSigner:
    return TokenSigner(keys.private, lambda: at)


def verifier(audience: str = "annonces", at: float = NOW) -> TokenVerifier:
    return TokenVerifier(KEYS.public, audience, lambda: at)


def test_un_jeton_dit_qui_et_avec_quels_roles() -> None:
    token = signer().sign("annonces", "c1", {"moderateur", "systeme"})
    assert verifier().verify(token) == Identity("c1", frozenset({"moderateur", "systeme"}))


def test_un_visiteur_a_un_jeton_sans_compte() -> None:
    assert verifier().verify(signer().sign("annonces")) == Identity("", frozenset())


@pytest.mark.parametrize("ecart", [-90, -10, 0, 10, 90])
def test_une_horloge_fausse_de_quelques_minutes_ne_refuse_personne(ecart: int) -> None:
    for age in (0, 30, LIFETIME_S):
        token = signer(at=NOW - age).sign("annonces", "c1")
        assert verifier(at=NOW + ecart).verify(token).sub == "c1"


def test_un_jeton_plus_vieux_que_l_ecart_permis_est_refuse() -> None:
    token = signer().sign("annonces", "c1")
    assert verifier(at=NOW + LIFETIME_S + LEEWAY_S - 1).verify(token).sub == "c1"
    with pytest.raises(REFUSED):
        verifier(at=NOW + LIFETIME_S + LEEWAY_S + 1).verify(token)
    with pytest.raises(REFUSED):
        verifier(at=NOW - LEEWAY_S - 1).verify(token)


def _skew() -> float:
    value = REGISTRY.get_sample_value("clock_skew_seconds")
    assert value is not None
    return value


@pytest.mark.parametrize("ecart", [-400, -90, 0, 90, 400])
def test_l_ecart_d_horloge_se_lit_meme_quand_tout_est_refuse(ecart: int) -> None:
    seen = verifier(at=NOW + ecart)
    for age in (25, 0, 29):
        with suppress(*REFUSED):
            seen.verify(signer(at=NOW - age).sign("annonces"))
    assert _skew() == ecart


def test_une_horloge_remise_a_l_heure_est_vue_a_l_heure() -> None:
    now = [float(NOW - 90)]
    seen = TokenVerifier(KEYS.public, "annonces", lambda: now[0])
    seen.verify(signer().sign("annonces"))
    assert _skew() == -90
    now[0] = NOW + 120
    seen.verify(signer(at=NOW + 120).sign("annonces"))
    assert _skew() == 0


def test_un_jeton_contrefait_ne_dit_rien_de_l_horloge() -> None:
    verifier().verify(signer().sign("annonces"))
    with pytest.raises(REFUSED):
        verifier().verify(signer(make_keys(), at=NOW - 200).sign("annonces"))
    assert _skew() == 0


def test_un_jeton_pour_un_autre_service_est_refuse() -> None:
    with pytest.raises(REFUSED):
        verifier("matching").verify(signer().sign("annonces", "c1"))


def test_un_jeton_d_une_autre_cle_est_refuse() -> None:
    with pytest.raises(REFUSED):
        verifier().verify(signer(make_keys()).sign("annonces", "c1", {"systeme"}))


def _part(content: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


CLAIMS: dict[str, object] = {
    "iss": "gateway",
    "aud": "annonces",
    "sub": "c1",
    "roles": ["systeme"],
    "iat": NOW,
    "exp": NOW + LIFETIME_S,
}


def forged() -> Iterator[tuple[str, str]]:
    header, payload, signature = signer().sign("annonces", "c1").split(".")
    yield "other claims under a true signature", f"{header}.{_part(CLAIMS)}.{signature}"
    yield "no algorithm", f"{_part({'alg': 'none'})}.{_part(CLAIMS)}."
    yield "no algorithm, with a signature", f"{_part({'alg': 'none'})}.{_part(CLAIMS)}.{signature}"
    yield "no signature", f"{header}.{payload}."
    signed = f"{_part({'alg': 'HS256'})}.{_part(CLAIMS)}"
    mac = base64.urlsafe_b64encode(hmac.digest(KEYS.public.encode(), signed.encode(), "sha256")).rstrip(b"=").decode()
    yield "the public key as a shared secret", f"{signed}.{mac}"
    yield "no token", "bonjour"
    yield "empty parts", ".."


@pytest.mark.parametrize(("name", "token"), list(forged()), ids=[name for name, _ in forged()])
def test_un_jeton_contrefait_est_refuse(name: str, token: str) -> None:
    with pytest.raises(REFUSED):
        verifier().verify(token)


@pytest.mark.parametrize("claim", ["iss", "aud", "exp"])
def test_un_jeton_incomplet_est_refuse(claim: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != claim}
    token = jwt.encode({"alg": "EdDSA"}, claims, OKPKey.import_key(KEYS.private), algorithms=["EdDSA"])
    with pytest.raises(REFUSED):
        verifier().verify(token)


def test_un_jeton_d_un_autre_emetteur_est_refuse() -> None:
    claims = {**CLAIMS, "iss": "annonces"}
    token = jwt.encode({"alg": "EdDSA"}, claims, OKPKey.import_key(KEYS.private), algorithms=["EdDSA"])
    with pytest.raises(REFUSED):
        verifier().verify(token)


OTHERS = make_keys()


def knowing_notifications() -> TokenVerifier:
    return TokenVerifier(KEYS.public, "annonces", lambda: NOW, services={"notifications": OTHERS.public})


def by_notifications(keys: Keys = OTHERS) -> str:
    return TokenSigner(keys.private, lambda: NOW, issuer="notifications").sign("annonces", "c1", {"systeme"})


def test_un_service_signe_de_sa_cle_et_se_reconnait_a_son_nom() -> None:
    assert knowing_notifications().verify(by_notifications()).issuer == "notifications"
    assert knowing_notifications().verify(signer().sign("annonces", "c1")).issuer == "gateway"


def test_un_service_ne_peut_se_faire_passer_ni_pour_un_autre_ni_pour_la_porte() -> None:
    as_gateway = TokenSigner(OTHERS.private, lambda: NOW).sign("annonces", "c1", {"systeme"})
    unknown = TokenSigner(OTHERS.private, lambda: NOW, issuer="matching").sign("annonces")
    for token in (as_gateway, unknown, by_notifications(KEYS)):
        with pytest.raises(REFUSED):
            knowing_notifications().verify(token)


@pytest.mark.parametrize("claimed", ["gateway", "notifications"])
def test_l_en_tete_et_le_contenu_nomment_le_meme_emetteur(claimed: str) -> None:
    keys = {"gateway": OTHERS, "notifications": KEYS}[claimed]
    named = {"gateway": "notifications", "notifications": "gateway"}[claimed]
    header = {"alg": "EdDSA", "kid": named}
    token = jwt.encode(header, {**CLAIMS, "iss": claimed}, OKPKey.import_key(keys.private), algorithms=["EdDSA"])
    with pytest.raises(REFUSED):
        knowing_notifications().verify(token)


@pytest.fixture
async def client() -> httpx.AsyncClient:
    app = FastAPI()
    problems.install(app)
    app.state.verifier = knowing_notifications()

    @app.get("/tous")
    def everybody(caller: Identity = Depends(identity)) -> str:
        return caller.sub

    @app.get("/comptes")
    def accounts(caller: Identity = Depends(account)) -> str:
        return caller.sub

    @app.get("/moderateurs")
    def moderators(caller: Identity = Depends(requires("moderateur"))) -> str:
        return caller.sub

    @app.get("/services")
    def services(caller: Identity = Depends(from_service("notifications"))) -> str:
        return caller.issuer

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://essai")


VISITOR = signer().sign("annonces")
SOMEBODY = signer().sign("annonces", "c1")
SERVICE = by_notifications()
MODERATOR = signer().sign("annonces", "c2", {"moderateur"})


@pytest.mark.parametrize(
    ("path", "authorization", "status"),
    [
        ("/tous", None, 401),
        ("/tous", "Bearer ", 401),
        ("/tous", f"Basic {SOMEBODY}", 401),
        ("/tous", "Bearer faux", 401),
        ("/tous", f"Bearer {VISITOR}", 200),
        ("/tous", f"bearer {SOMEBODY}", 200),
        ("/comptes", f"Bearer {VISITOR}", 401),
        ("/comptes", f"Bearer {SOMEBODY}", 200),
        ("/services", f"Bearer {SERVICE}", 200),
        ("/services", f"Bearer {MODERATOR}", 403),
        ("/services", None, 401),
        ("/tous", f"Bearer {SERVICE}", 403),
        ("/comptes", f"Bearer {SERVICE}", 403),
        ("/moderateurs", f"Bearer {SERVICE}", 403),
        ("/moderateurs", None, 401),
        ("/moderateurs", f"Bearer {SOMEBODY}", 403),
        ("/moderateurs", f"Bearer {MODERATOR}", 200),
    ],
)
async def test_chaque_route_dit_qui_peut_entrer(
    client: httpx.AsyncClient, path: str, authorization: str | None, status: int
) -> None:
    headers = {"authorization": authorization} if authorization else {}
    answer = await client.get(path, headers=headers)
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == problems.MEDIA_TYPE
        assert answer.json()["detail"].endswith(".")
