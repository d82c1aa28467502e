"""What routes and pages work with: built once in the lifespan, kept in `app.state.deps`."""

from dataclasses import dataclass

from starlette.requests import Request

from gateway.cache import PublicReader
from gateway.comptes import GestionComptes
from gateway.consentements import Consentements
from gateway.limits import Limits
from gateway.openapi import Merged
from gateway.rights import DroitsDesComptes
from gateway.sessions import Sessions
from gateway.telephones import Telephones
from gateway.upstream import Services
from kit.clock import Clock


@dataclass(frozen=True)
class Deps:
    gestion: GestionComptes
    consentements: Consentements
    telephones: Telephones
    sessions: Sessions
    droits: DroitsDesComptes
    limits: Limits
    services: Services
    reader: PublicReader
    openapi: Merged
    clock: Clock


def deps_of(request: Request) -> Deps:
    found: Deps = request.app.state.deps
    return found
