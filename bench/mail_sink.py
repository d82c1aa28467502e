"""A mail server that accepts everything and keeps only envelopes; all senders of `envois` use it.

It offers what relays offer (STARTTLS, PIPELINING, 8BITMIME, SIZE) and answers at once, so that the sender is what is
measured. It is not complete: commands are not checked, and unknown ones are answered 250.
"""

import asyncio
import re
import ssl
import time
from typing import cast

_EXTENSIONS = b"250-puits\r\n250-STARTTLS\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 10485760\r\n"
_FIN = b"\r\n.\r\n"
_TAILLE = re.compile(rb" SIZE=([0-9]+)")
_OK = b"250 2.0.0 Ok\r\n"


class MailSink:
    """What one round received: addresses in order of arrival, bytes of content, and when the last 250 was sent."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.tls = tls
        self.adresses: list[bytes] = []
        self.octets = 0
        self.dernier_at = 0.0
        self._attendus = 0
        self._arrives = asyncio.Event()

    def vider(self) -> None:
        self.adresses, self.octets, self.dernier_at = [], 0, 0.0

    async def attendre(self, nombre: int, secondes: float) -> None:
        """Waits until `nombre` mails were received since `vider`. Raises TimeoutError."""
        self._attendus = nombre
        self._arrives.clear()
        if len(self.adresses) < nombre:
            async with asyncio.timeout(secondes):
                await self._arrives.wait()

    def noter(self, adresse: bytes, octets: int) -> None:
        self.adresses.append(adresse)
        self.octets += octets
        self.dernier_at = time.time()
        if len(self.adresses) >= self._attendus:
            self._arrives.set()

    async def servir(self, port: int = 0) -> asyncio.Server:
        """Listens on 127.0.0.1."""
        return await asyncio.get_running_loop().create_server(lambda: _Session(self), "127.0.0.1", port, backlog=1024)


class _Session(asyncio.Protocol):
    def __init__(self, puits: MailSink) -> None:
        self._puits = puits
        self._tampon = b""
        self._adresse = b""
        self._contenu = False
        self._depuis = 0
        self._chiffrement: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 puits ESMTP\r\n")

    async def _chiffrer(self) -> None:
        transport = await asyncio.get_running_loop().start_tls(self._transport, self, self._puits.tls, server_side=True)
        assert transport is not None
        self._transport = transport
        self._chiffrement = None
        # Process what arrived before this task started.
        self.data_received(b"")

    def data_received(self, data: bytes) -> None:
        """The answers to everything that arrived are sent in one write."""
        if self._chiffrement is not None:
            self._tampon += data
            return
        tampon, reponses = self._tampon + data, []
        while True:
            # The search for the end of a content includes the preceding line break, because an empty content ends with
            # that of DATA. It starts as late as possible: this server shares the machine with the measured senders.
            fin = tampon.find(_FIN, self._depuis) if self._contenu else tampon.find(b"\r\n")
            if fin < 0:
                break
            if self._contenu:
                self._contenu = False
                self._puits.noter(self._adresse, fin)
                reponses.append(_OK)
                tampon = tampon[fin + len(_FIN) :]
            else:
                ligne, tampon = tampon[:fin], tampon[fin + 2 :]
                reponses.append(self._repondre(ligne))
                if self._contenu:
                    tampon = b"\r\n" + tampon
        self._tampon = tampon
        if reponses:
            self._transport.write(b"".join(reponses))

    def _repondre(self, ligne: bytes) -> bytes:
        commande = ligne[:4].upper()
        if commande == b"RCPT":
            self._adresse = ligne[ligne.find(b"<") + 1 : ligne.find(b">")]
        elif commande == b"MAIL":
            # A content is at least as long as announced (RFC 1870), and its end begins with its last line break.
            self._depuis = int(trouve[1]) if (trouve := _TAILLE.search(ligne)) else 0
        elif commande == b"DATA":
            self._contenu = True
            return b"354 .\r\n"
        elif commande == b"EHLO":
            return _EXTENSIONS
        elif commande == b"STAR":
            self._transport.write(b"220 2.0.0 Ready\r\n")
            self._chiffrement = asyncio.ensure_future(self._chiffrer())
            return b""
        elif commande == b"QUIT":
            # Closing flushes what was written, and after QUIT the client waits for nothing else.
            self._transport.write(b"221 2.0.0 Bye\r\n")
            self._transport.close()
            return b""
        return _OK
