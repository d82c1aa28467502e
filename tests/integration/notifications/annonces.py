"""The internal API of the service annonces: it knows what a test tells it, and can go away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from kit.http.tokens import TokenVerifier


class Annonces:
    """`messages` by (conversation, message), `rencontres` by (reponse, account); `recus`: what was posted, by its id.

    `absente`: every call is answered with 503. `closes`: conversations that take nothing any more;
    `effacees`: reponses that are gone with their annonce."""

    def __init__(self, cle_publique: str) -> None:
        self.messages: dict[tuple[str, str], dict[str, Any]] = {}
        self.rencontres: dict[tuple[str, str], dict[str, Any]] = {}
        self.recus: dict[str, dict[str, Any]] = {}
        self.closes: set[str] = set()
        self.effacees: set[str] = set()
        self.absente = False
        self.url = ""
        self._verifier = TokenVerifier(cle_publique, "annonces", services={"notifications": cle_publique})

    async def lire_message(self, request: web.Request) -> web.Response:
        cle = request.match_info["id"], request.match_info["message_id"]
        trouve = self.messages.get(cle)
        return web.json_response(trouve or {}, status=200 if trouve else 404)

    async def lire_rencontre(self, request: web.Request) -> web.Response:
        """403 for whoever is not accepted, as most people of these tests."""
        trouve = self.rencontres.get((request.match_info["id"], request.query["pour"]))
        sinon = 404 if request.match_info["id"] in self.effacees else 403
        return web.json_response(trouve or {}, status=200 if trouve else sinon)

    async def ecrire(self, request: web.Request) -> web.Response:
        conversation_id, saisie = request.match_info["id"], await request.json()
        if conversation_id in self.closes:
            return web.json_response({}, status=409)
        self.recus[saisie["message_id"]] = {**saisie, "conversation_id": conversation_id}
        return web.json_response({"message_id": saisie["message_id"]}, status=201)

    @asynccontextmanager
    async def ouverte(self) -> AsyncIterator["Annonces"]:
        @web.middleware
        async def porte(request: web.Request, handler: Any) -> web.StreamResponse:
            jeton = request.headers["authorization"].removeprefix("Bearer ")
            assert self._verifier.verify(jeton).issuer == "notifications"
            if self.absente:
                return web.json_response({}, status=503)
            reponse: web.StreamResponse = await handler(request)
            return reponse

        app = web.Application(middlewares=[porte])
        app.router.add_get("/v1/interne/conversations/{id}/messages/{message_id}", self.lire_message)
        app.router.add_post("/v1/interne/conversations/{id}/messages", self.ecrire)
        app.router.add_get("/v1/interne/rencontres/{id}", self.lire_rencontre)
        async with TestServer(app) as serveur:
            self.url = str(serveur.make_url(""))
            yield self
