"""Internal tokens (EdDSA over Ed25519), valid for 60 seconds.

The gateway states on whose behalf it calls a service. A service that calls another one signs with its own key and names
no person: routes for people refuse its tokens (`identity`), and routes for services refuse all others (`from_service`).
"""

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import extract_compact

from kit.http.problems import Problem
from kit.metrics import CLOCK_SKEW

LIFETIME_S = 60
LEEWAY_S = 300
"""Accepted difference between the clocks of two machines, in seconds; Kerberos accepts the same.

Without it, a wrong clock would refuse every visitor. In return a leaked token stays valid some minutes longer, but it
names one service and only travels on the internal network. A wrong clock raises an alert (clock_skew_seconds).
"""
TOKEN_REFUSED = "jeton-invalide"  # noqa: S105 - a problem's slug, not a secret
GATEWAY = "gateway"
"""The issuer of the tokens that speak for people."""
SESSION_SCHEME = "session"
# RFC 9864 gives this name to EdDSA over this curve.
_ALGORITHMS = ["Ed25519"]


@dataclass(frozen=True)
class Identity:
    """`sub` is an account id, or "" for a visitor; `roles` are the roles that the gateway grants; `issuer` is the
    signer: the gateway or a service."""

    sub: str
    roles: frozenset[str]
    issuer: str = GATEWAY


class TokenSigner:
    def __init__(self, private_pem: str, clock: Callable[[], float] = time.time, issuer: str = GATEWAY) -> None:
        """`issuer`: name of the owner of this key."""
        self._key = OKPKey.import_key(private_pem)
        self._clock = clock
        self._issuer = issuer

    def sign(self, audience: str, sub: str = "", roles: frozenset[str] | set[str] = frozenset()) -> str:
        """Returns a token for one service (`audience`), valid for LIFETIME_S seconds."""
        now = int(self._clock())
        claims = {
            "iss": self._issuer,
            "aud": audience,
            "sub": sub,
            "roles": sorted(roles),
            "iat": now,
            "exp": now + LIFETIME_S,
        }
        header = {"alg": _ALGORITHMS[0], "kid": self._issuer}
        return jwt.encode(header, claims, self._key, algorithms=_ALGORITHMS)


class Skew:
    """Estimates how far the verifier's clock is ahead of the signer's, in seconds.

    Tokens are used for a while after they were signed, so only the youngest token of the last one to two minutes
    counts: with equal clocks its age would be close to zero.
    """

    def __init__(self) -> None:
        self._youngest = self._youngest_before = math.inf
        self._minute = 0

    def observe(self, age_s: float, now: float) -> float:
        """`age_s` is the age of a token that just arrived (negative: signed in our future). Returns the estimated
        skew."""
        minute = int(now // 60)
        if minute != self._minute:
            self._youngest_before = self._youngest if minute == self._minute + 1 else math.inf
            self._youngest, self._minute = math.inf, minute
        self._youngest = min(self._youngest, age_s)
        return min(self._youngest, self._youngest_before)


class TokenVerifier:
    def __init__(
        self,
        public_pem: str,
        audience: str,
        clock: Callable[[], float] = time.time,
        *,
        services: Mapping[str, str] | None = None,
    ) -> None:
        """`public_pem`: public key of the gateway; `services`: name of each calling service → its public PEM."""
        pems = {**(services or {}), GATEWAY: public_pem}
        self._keys = {issuer: OKPKey.import_key(pem) for issuer, pem in pems.items()}
        self._audience = audience
        self._clock = clock
        self._skew = Skew()

    def verify(self, token: str) -> Identity:
        """Raises JoseError or ValueError for a token that is forged, expired, or meant for another service."""
        # The header only chooses the key. Below, the issuer that the claims name must be the owner of that key.
        issuer = str(extract_compact(token.encode()).headers().get("kid", GATEWAY))
        if (key := self._keys.get(issuer)) is None:
            raise ValueError("an issuer without a key here")
        claims = jwt.decode(token, key, algorithms=_ALGORITHMS).claims
        # Measured before validation, so that a clock wrong by more than the leeway is still reported.
        if isinstance(signed_at := claims.get("iat"), int):
            CLOCK_SKEW.set(self._skew.observe(self._clock() - signed_at, self._clock()))
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
        )
        registry.validate(claims)
        return Identity(str(claims.get("sub", "")), frozenset(claims.get("roles", [])), issuer)


# Checks nothing. It documents in the OpenAPI description that a route needs a session.
Session = Annotated[object, Depends(HTTPBearer(scheme_name=SESSION_SCHEME, auto_error=False))]


# These dependencies are coroutines because FastAPI runs plain functions in a thread, which costs more than the check.
async def identity(request: Request) -> Identity:
    """FastAPI dependency that returns the person for whom the gateway calls. Raises a 401 problem, or a 403 one for a
    service."""
    caller = await _caller(request)
    if caller.issuer != GATEWAY:
        raise _forbidden()
    return caller


def from_service(name: str) -> Callable[..., Awaitable[Identity]]:
    """Returns a FastAPI dependency for routes that only the service `name` may call, with its own key. Raises a 401
    problem, or a 403 one for others."""

    async def dependency(request: Request) -> Identity:
        caller = await _caller(request)
        if caller.issuer != name:
            raise _forbidden()
        return caller

    return dependency


def _forbidden() -> Problem:
    return Problem(403, "acces-refuse", "Accès refusé", "Vous n’avez pas le droit de faire cela.")


async def _caller(request: Request) -> Identity:
    """The signer of the token. The app keeps its TokenVerifier in `app.state.verifier`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem(401, "jeton-absent", "Jeton interne absent", "Cet appel doit passer par la passerelle.")
    try:
        caller: Identity = request.app.state.verifier.verify(token)
    except (JoseError, ValueError) as error:
        raise Problem(
            401, TOKEN_REFUSED, "Jeton interne refusé", "Le jeton interne n’est pas valable ou a expiré."
        ) from error
    return caller


async def account(request: Request, _: Session) -> Identity:
    """FastAPI dependency that returns a caller with an account. Raises a 401 problem for a visitor."""
    caller = await identity(request)
    if not caller.sub:
        raise Problem(401, "connexion-requise", "Connexion requise", "Connectez-vous pour continuer.")
    return caller


def requires(role: str) -> Callable[..., Awaitable[Identity]]:
    """Returns a FastAPI dependency for callers who have `role`. Raises a 403 problem for others."""

    async def dependency(request: Request, _: Session) -> Identity:
        caller = await identity(request)
        if role not in caller.roles:
            raise _forbidden()
        return caller

    return dependency
