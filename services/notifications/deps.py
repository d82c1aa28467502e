"""What every route of notifications uses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request, Response

from kit.resources import Runtime
from services.notifications.wiring import Atelier


@dataclass(frozen=True)
class Acces:
    """`app.state.deps`. `cle_push`: the public key of notifications to browsers; None: there are none.

    `secrets_des_fournisseurs`: SMS provider → the secret of its callbacks; `secret_relais`: that of the mail relays.
    `domaine`: that of our Message-IDs.
    """

    runtime: Runtime
    atelier: Atelier
    domaine: str
    cle_push: str | None = None
    secrets_des_fournisseurs: Mapping[str, str] = field(default_factory=dict)
    secret_relais: str = ""


async def acces(request: Request) -> Acces:
    deps: Acces = request.app.state.deps
    return deps


Deps = Annotated[Acces, Depends(acces)]


def json(corps: Mapping[str, Any], status: int = 200, entetes: Mapping[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(corps, option=orjson.OPT_UTC_Z),
        status_code=status,
        headers=dict(entetes) if entetes else None,
        media_type="application/json",
    )
