"""Two local SMS operators that speak the real protocols: an SMPP 3.4 centre and an HTTP provider.

They replace real operators in the embedded stack and in compose. An SMS is handed to the catcher, which shows it like a
phone, before it is acknowledged. Receipts and SMS that people send are stored in the folder DOSSIER until they are
delivered. Start them with ``python -m deploy.standins.sms_operators smsc|http``; see ``reglages`` for the variables.

SMPP, on SMPP_PORT: bind_transceiver, bind_transmitter, bind_receiver; submit_sm (GSM-7, latin-1 and UCS-2; UDH and
sar_* concatenation; message_payload); deliver_sm for receipts and for inbound SMS; enquire_link, unbind, generic_nack.

HTTP, on PORT of the kind http; the key goes in ``Authorization: Bearer KEY`` or ``X-Api-Key: KEY``:

- ``POST /messages`` ``{to, text, from?, reference}`` → 201 ``{"id", "parts"}``; the same ``reference`` again gives the
  same answer, and one SMS; with another text or number 409. 401, 413, 422, 429 and 503 with ``{"error", "detail"}``;
- ``GET /messages?reference=REFERENCE`` → 200 ``{"id"}``, or 404 when it was never taken;
- callbacks, POST on RAPPEL_URL, again until it answers 2xx: ``{"type": "receipt", "id", "reference", "status":
  "delivered" | "undelivered" | "rejected", "code"}`` and ``{"type": "inbound", "id", "from", "text", "at"}``, signed:
  ``X-Horodatage`` (seconds since 1970), ``X-Signature`` (hex of HMAC-SHA256 over timestamp + "." + body; its key is
  the text of the secret).

Both, on PORT: ``POST /api/entrants`` ``{de, a?, texte}`` → 202 ``{"id"}``, an SMS that somebody sends;
``POST /api/pannes`` (see ``pannes``; ``{}`` ends it); ``GET /api/etat``; ``GET /sante/vivant``.
"""

from typing import Literal

Genre = Literal["smsc", "http"]
NOMS: dict[Genre, str] = {"smsc": "smsc", "http": "operateur-http"}
"""Kind → name of its program, of its service in compose, and of the operator as the catcher shows it."""
