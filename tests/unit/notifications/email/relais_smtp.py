"""An SMTP server on the loopback that keeps the rules of the protocol, and misbehaves where a test says so."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

RACCROCHER = object()
"""Hang up instead of an answer."""
SE_TAIRE = object()
"""Never answer."""

Reponse = str | object | None
Script = Callable[[str, str], Reponse]
"""(word, line or address of the message in hand) → an answer instead of the usual one; None: the usual one. The end of
a content is the word "."."""


class Relais:
    def __init__(self, script: Script, extensions: Sequence[str], *, retient: int = 0) -> None:
        """`retient`: how many messages are to come in groups: answers are held back until a group is there whole, so
        that only a client that pipelines gets on."""
        self.mots: list[str] = []
        self.lignes: list[str] = []
        self.livres: list[tuple[str, bytes]] = []
        """Address and content (dots removed) of each message that was taken."""
        self.port = 0
        self.tls: ssl.SSLContext | None = None
        self._script = script
        self._extensions = extensions
        self._retient = retient
        self._taches: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def accueillir(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tache = asyncio.current_task()
        assert tache is not None
        self._taches.add(tache)
        try:
            writer.write(b"220 pret\r\n")
            await self._parler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self._taches.discard(tache)

    async def fermer(self) -> None:
        for tache in list(self._taches):
            tache.cancel()
        await asyncio.gather(*self._taches, return_exceptions=True)

    async def _parler(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        expediteur = rcpt = ""
        retenues: list[str] = []
        while brut := await reader.readline():
            ligne = brut.decode("utf-8").rstrip("\r\n")
            mot = ligne.split(":")[0].split()[0].upper() if ligne.strip() else ""
            self.mots.append(mot)
            self.lignes.append(ligne)
            adresse = ligne.partition("<")[2].partition(">")[0]
            reponse = self._script(mot, adresse if mot == "RCPT" else rcpt or ligne)
            if reponse is None:
                reponse = self._usuelle(mot, expediteur, rcpt)
            if isinstance(reponse, str):
                accepte = reponse.startswith("2")
                if mot in ("RSET", "EHLO"):
                    expediteur = rcpt = ""
                elif mot == "MAIL" and accepte:
                    expediteur = adresse or "<>"
                elif mot == "RCPT" and accepte:
                    rcpt = adresse
            if not await self._repondre(writer, mot, reponse, retenues):
                return
            if mot == "STARTTLS" and isinstance(reponse, str) and reponse.startswith("220"):
                assert self.tls is not None
                await writer.start_tls(self.tls)
            if mot == "DATA" and isinstance(reponse, str) and reponse.startswith("354"):
                contenu = await self._contenu(reader)
                self.mots.append(".")
                fin = self._script(".", rcpt)
                if fin is None:
                    fin = "250 2.0.0 Ok: queued as ABC123" if rcpt else "554 5.5.1 no valid recipients"
                if isinstance(fin, str) and fin.startswith("2"):
                    self.livres.append((rcpt, contenu))
                expediteur = rcpt = ""
                if not await self._repondre(writer, ".", fin, retenues):
                    return
            if mot == "QUIT":
                return

    def _usuelle(self, mot: str, expediteur: str, rcpt: str) -> str:
        match mot:
            case "EHLO":
                lignes = ["relais.exemple", *self._extensions]
                return "\r\n".join([*(f"250-{ligne}" for ligne in lignes[:-1]), f"250 {lignes[-1]}"])
            case "MAIL":
                return "503 5.5.1 nested MAIL" if expediteur else "250 2.1.0 ok"
            case "RCPT":
                return "250 2.1.5 ok" if expediteur else "503 5.5.1 MAIL first"
            case "DATA":
                return "354 go" if rcpt else "503 5.5.1 RCPT first"
            case "QUIT":
                return "221 bye"
            case "STARTTLS":
                return "220 go"
            case "AUTH":
                return "235 2.7.0 ok"
        return "250 ok"

    async def _repondre(self, writer: asyncio.StreamWriter, mot: str, reponse: Reponse, retenues: list[str]) -> bool:
        """False once the connection is closed."""
        if reponse is RACCROCHER:
            return False
        if reponse is SE_TAIRE:
            await asyncio.Event().wait()
        assert isinstance(reponse, str)
        retenues.append(reponse)
        # The end of a content is the first of a group, except for the last one; DATA is the last.
        dernier = mot == "." and self.mots.count(".") == self._retient
        if not self._retient or dernier or mot not in ("RSET", "MAIL", "RCPT", "."):
            writer.write("".join(f"{retenue}\r\n" for retenue in retenues).encode())
            retenues.clear()
            await writer.drain()
        return not reponse.startswith("421")

    async def _contenu(self, reader: asyncio.StreamReader) -> bytes:
        lignes: list[bytes] = []
        while (ligne := await reader.readuntil(b"\r\n")) != b".\r\n":
            lignes.append(ligne[1:] if ligne.startswith(b".") else ligne)
        return b"".join(lignes)


def usuel(mot: str, ligne: str) -> None:
    """Nothing unusual."""


@asynccontextmanager
async def relais(
    script: Script = usuel,
    extensions: Sequence[str] = ("PIPELINING", "8BITMIME", "SIZE 1000000"),
    *,
    retient: int = 0,
    tls: ssl.SSLContext | None = None,
    implicite: bool = False,
) -> AsyncIterator[Relais]:
    """`tls`: for STARTTLS, or from the first byte if `implicite`."""
    faux = Relais(script, extensions, retient=retient)
    faux.tls = tls
    ouvert = await asyncio.start_server(faux.accueillir, "127.0.0.1", 0, ssl=tls if implicite else None)
    faux.port = ouvert.sockets[0].getsockname()[1]
    try:
        yield faux
    finally:
        ouvert.close()
        await faux.fermer()
