"""Internal tokens: the gateway says, for 60 seconds, on whose behalf it calls a service (EdDSA over Ed25519)."""

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from kit.metrics import CLOCK_SKEW
from kit.problems import Problem

LIFETIME_S = 60
LEEWAY_S = 300
"""How far the clocks of two machines may differ, which is what Kerberos allows too.

A token names one service and passes on the inner network only. One that leaked is good for some minutes longer; without
the leeway a wrong clock refuses every visitor. The clock itself is an alert (clock_skew_seconds).
"""
TOKEN_REFUSED = "jeton-invalide"  # noqa: S105 - the slug of the problem that says so
_ISSUER = "gateway"
SESSION_SCHEME = "session"
# The name that RFC 9864 gives to EdDSA over this curve.
_ALGORITHMS = ["Ed25519"]


@dataclass(frozen=True)
class Identity:
    """`sub` is an account id, or "" for a visitor; `roles` are the names that the gateway grants."""

    sub: str
    roles: frozenset[str]


class TokenSigner:
    def __init__(self, private_pem: str, clock: Callable[[], float] = time.time) -> None:
        self._key = OKPKey.import_key(private_pem)
        self._clock = clock

    def sign(self, audience: str, sub: str = "", roles: frozenset[str] | set[str] = frozenset()) -> str:
        """A token for one service (`audience`), good for LIFETIME_S seconds."""
        now = int(self._clock())
        claims = {
            "iss": _ISSUER,
            "aud": audience,
            "sub": sub,
            "roles": sorted(roles),
            "iat": now,
            "exp": now + LIFETIME_S,
        }
        return jwt.encode({"alg": _ALGORITHMS[0]}, claims, self._key, algorithms=_ALGORITHMS)


class Skew:
    """How far the clock of who verifies is ahead of the clock of who signs, in seconds.

    A token is used for a while after it was signed: only the youngest that arrived within the last minute or two is
    compared, whose age on one and the same clock would be nearly nothing.
    """

    def __init__(self) -> None:
        self._youngest = self._youngest_before = math.inf
        self._minute = 0

    def observe(self, age_s: float, now: float) -> float:
        """`age_s`: the age of a token that has just arrived (negative: signed in our future). Returns the skew."""
        minute = int(now // 60)
        if minute != self._minute:
            self._youngest_before = self._youngest if minute == self._minute + 1 else math.inf
            self._youngest, self._minute = math.inf, minute
        self._youngest = min(self._youngest, age_s)
        return min(self._youngest, self._youngest_before)


class TokenVerifier:
    def __init__(self, public_pem: str, audience: str, clock: Callable[[], float] = time.time) -> None:
        self._key = OKPKey.import_key(public_pem)
        self._audience = audience
        self._clock = clock
        self._skew = Skew()

    def verify(self, token: str) -> Identity:
        """Raises JoseError or ValueError for a token that is forged, expired, or meant for another service."""
        claims = jwt.decode(token, self._key, algorithms=_ALGORITHMS).claims
        # Before it may be refused: a clock that is wrong by more than the leeway is what must be seen most.
        if isinstance(signed_at := claims.get("iat"), int):
            CLOCK_SKEW.set(self._skew.observe(self._clock() - signed_at, self._clock()))
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": _ISSUER},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
        )
        registry.validate(claims)
        return Identity(str(claims.get("sub", "")), frozenset(claims.get("roles", [])))


# It checks nothing: it writes into the description of the API that a route asks for a session, as the public knows it.
Session = Annotated[object, Depends(HTTPBearer(scheme_name=SESSION_SCHEME, auto_error=False))]


# Dependencies are coroutines: FastAPI hands plain functions to a thread, which costs more than they do.
async def identity(request: Request) -> Identity:
    """FastAPI dependency: who calls. The app keeps its TokenVerifier in `app.state.verifier`. Raises a 401 problem."""
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
    """FastAPI dependency: a caller with an account. Raises a 401 problem for a visitor."""
    caller = await identity(request)
    if not caller.sub:
        raise Problem(401, "connexion-requise", "Connexion requise", "Connectez-vous pour continuer.")
    return caller


def requires(role: str) -> Callable[..., Awaitable[Identity]]:
    """FastAPI dependency: a caller who has `role`. Raises a 403 problem otherwise."""

    async def dependency(request: Request, _: Session) -> Identity:
        caller = await identity(request)
        if role not in caller.roles:
            raise Problem(403, "acces-refuse", "Accès refusé", "Vous n’avez pas le droit de faire cela.")
        return caller

    return dependency
