"""The HTTP provider: accepts SMS by POST and reports their outcome by signed callbacks."""

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
import sqlite3
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from deploy.standins.sms_operators import NOMS, alphabet, numeros
from deploy.standins.sms_operators.controle import construire, corps
from deploy.standins.sms_operators.delivery_loop import DeliveryLoop, echeances
from deploy.standins.sms_operators.pannes import Pannes, TokenBucket
from deploy.standins.sms_operators.parties import MOST_PARTS
from deploy.standins.sms_operators.recus import SORTS
from deploy.standins.sms_operators.registre import OperatorStore, PendingDelivery
from deploy.standins.sms_operators.remise import CourrierInjoignable, Sms, SmsSink

_LOG = logging.getLogger(__name__)
_TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True)
class CallbackTarget:
    """URL of the callbacks ("": they are kept), the secret that signs them, and the key (`cle`) that clients must
    send."""

    url: str
    secret: str
    cle: str


@dataclass(frozen=True)
class Demande:
    """A message as described by the client."""

    to: str
    sender: str
    text: str
    reference: str

    @property
    def empreinte(self) -> str:
        """Identifies the content: the same reference must come with the same content."""
        return hashlib.sha256(json.dumps([self.to, self.sender, self.text]).encode()).hexdigest()


@dataclass
class _Tour:
    """A lock for one reference, with the number of requests that use it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    presents: int = 0


class Fournisseur:
    """`rappel` says where callbacks go; `pannes` are the requested faults."""

    def __init__(
        self,
        rappel: CallbackTarget,
        registre: OperatorStore,
        telephones: SmsSink,
        pannes: Pannes,
        http: aiohttp.ClientSession,
        *,
        expediteur: str = "PLACE",
        premier_delai_s: float = 0.5,
    ) -> None:
        self.registre, self.pannes = registre, pannes
        self.nom = NOMS["http"]
        self.facteur = DeliveryLoop(
            registre, pannes, self._rappeler, lambda: bool(rappel.url), premier_delai_s=premier_delai_s
        )
        self._rappel, self._telephones, self._http, self._expediteur = rappel, telephones, http, expediteur
        self._seau = TokenBucket()
        self._en_cours: dict[str, _Tour] = {}

    def application(self) -> web.Application:
        app = construire(self, self._expediteur)
        app.add_routes([web.post("/messages", self._poster), web.get("/messages", self._retrouver)])
        app.cleanup_ctx.append(self._tournee)
        return app

    async def entrant(self, de: str, a: str, texte: str) -> str:
        message_id = secrets.token_hex(8)
        body = {"type": "inbound", "id": message_id, "from": de, "text": texte, "at": datetime.now(UTC).isoformat()}
        self.registre.devoir("entrant", [(time.time(), body)])
        self.facteur.reveiller()
        return message_id

    async def _tournee(self, app: web.Application) -> Any:
        task = asyncio.create_task(self.facteur.travailler())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _poster(self, request: web.Request) -> web.Response:
        self._verifier(request)
        demande = _demande(await corps(request), self._expediteur)
        if not self._seau.prendre(self.pannes.debit_par_s) or self.pannes.prendre("limiter"):
            return _refus(429, "too_many_requests", "Trop de messages : réessayez.", {"Retry-After": "1"})
        if self.pannes.prendre("refuser"):
            return _refus(422, "invalid_destination", "Ce numéro ne peut pas recevoir de SMS.")
        if self.pannes.delai_ms:
            await asyncio.sleep(self.pannes.delai_ms / 1000)
        cut = self.pannes.prendre("couper")
        try:
            answer = await self._une_fois(demande)
        except CourrierInjoignable as error:
            _LOG.warning("le courrier n’a pas pris un SMS : %s", error)
            return _refus(503, "unavailable", "Le réseau ne prend pas ce message : réessayez.", {"Retry-After": "1"})
        except sqlite3.Error:
            _LOG.exception("un SMS n’a pas pu être gardé")
            return _refus(503, "unavailable", "Le message n’a pas pu être gardé : réessayez.", {"Retry-After": "1"})
        if cut and request.transport is not None:
            request.transport.abort()
        return answer

    async def _une_fois(self, demande: Demande) -> web.Response:
        """Serialises requests with the same reference."""
        tour = self._en_cours.setdefault(demande.reference, _Tour())
        tour.presents += 1
        try:
            async with tour.lock:
                return await self._prendre(demande)
        finally:
            tour.presents -= 1
            if not tour.presents:
                del self._en_cours[demande.reference]

    async def _prendre(self, demande: Demande) -> web.Response:
        """Raises CourrierInjoignable, sqlite3.Error."""
        known = self.registre.prise(demande.reference)
        if known and known.empreinte != demande.empreinte:
            return _refus(409, "reference_reused", "Cette référence est celle d’un autre message.")
        message_id = known.id if known else secrets.token_hex(8)
        paid = len(alphabet.encoder(demande.text)[1])
        if not known:
            self.registre.prendre(demande.reference, message_id, demande.empreinte)
        if not known or not known.remis:
            # If the process is killed between the two, the SMS is handed over again with the same id, and the phone
            # shows one.
            await self._telephones.remettre(Sms(self.nom, demande.sender, demande.to, demande.text, paid, message_id))
            sort = SORTS[self.pannes.recus]
            body = {"type": "receipt", "id": message_id, "reference": demande.reference, "status": sort.status}
            self.registre.remis(demande.reference, echeances(self.pannes, {**body, "code": sort.err}))
            self.facteur.reveiller()
        return web.json_response({"id": message_id, "parts": paid}, status=201)

    async def _retrouver(self, request: web.Request) -> web.Response:
        self._verifier(request)
        known = self.registre.prise(request.query.get("reference", ""))
        if known is None or not known.remis:
            return _refus(404, "not_found", "Aucun message n’a été pris sous cette référence.")
        return web.json_response({"id": known.id})

    def _verifier(self, request: web.Request) -> None:
        bearer = request.headers.get("Authorization", "")
        shown = bearer.removeprefix("Bearer ").strip() or request.headers.get("X-Api-Key", "")
        if not hmac.compare_digest(shown.encode(), self._rappel.cle.encode()):
            raise web.HTTPUnauthorized(text=json.dumps({"error": "unauthorized"}), content_type="application/json")

    async def _rappeler(self, sortie: PendingDelivery) -> bool:
        body = json.dumps(sortie.contenu, ensure_ascii=False).encode()
        at = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Horodatage": at,
            "X-Signature": signature(self._rappel.secret, at, body),
        }
        try:
            async with self._http.post(
                self._rappel.url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, OSError):
            return False


def signature(secret: str, horodatage: str, body: bytes) -> str:
    return hmac.new(secret.encode(), horodatage.encode() + b"." + body, hashlib.sha256).hexdigest()


def _demande(body: Any, expediteur: str) -> Demande:
    """Raises HTTPUnprocessableEntity that says what is wrong."""
    if not isinstance(body, dict):
        raise _faux("invalid_body", "Attendu : un objet JSON {to, text, from, reference}.")
    to, text, sender, reference = (body.get(name) for name in ("to", "text", "from", "reference"))
    if not isinstance(to, str) or numeros.e164(to) != to:
        raise _faux("invalid_destination", "« to » doit être un numéro international, comme +33612345678.")
    if not isinstance(text, str) or not text or len(alphabet.encoder(text)[1]) > MOST_PARTS:
        raise _faux("invalid_text", f"« text » doit être un texte, de {MOST_PARTS} SMS au plus.")
    if not isinstance(reference, str) or not 1 <= len(reference) <= 200:
        raise _faux("invalid_reference", "« reference » doit être un texte de 1 à 200 caractères.")
    sender = expediteur if sender is None else sender
    if not isinstance(sender, str) or not 1 <= len(sender) <= 20 or not sender.isprintable():
        raise _faux("invalid_sender", "« from » doit être un nom ou un numéro de 20 caractères au plus.")
    return Demande(to, sender, text, reference)


def _faux(error: str, detail: str) -> web.HTTPException:
    return web.HTTPUnprocessableEntity(
        text=json.dumps({"error": error, "detail": detail}, ensure_ascii=False), content_type="application/json"
    )


def _refus(status: int, error: str, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": error, "detail": detail}, status=status, headers=headers)
