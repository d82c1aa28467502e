"""The e-mail channel: connections that keep one session open per relay, and send each batch to the chosen relay."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import cast

import aiosmtplib
from aiosmtplib import SMTP

from contracts.notifications import Canal as NomDeCanal
from kit.logging import get_logger
from services.notifications.canaux.base import Colis, Injoignable, Issue, NousRefuse, WaitForRate, sans_limite
from services.notifications.canaux.email.dialogue import SmtpDialogue
from services.notifications.canaux.email.envelope import ServerCapabilities
from services.notifications.canaux.email.relays import Relais, Serveur, au_poids, lire_urls
from services.notifications.canaux.email.smtp_replies import Differe, refus_d_ouverture, relire_le_lot
from services.notifications.canaux.email.wire import DELAI_S, SmtpConnection

log = get_logger(__name__)

_INJOIGNABLE = "smtp injoignable"


class CanalEmail:
    nom = NomDeCanal.EMAIL

    def __init__(
        self,
        url: str,
        expediteur: str,
        choisir: Callable[[Sequence[Serveur]], Serveur] = au_poids,
        delai_s: float = DELAI_S,
        cadence: WaitForRate = sans_limite,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`url`: one or several relays (`lire_urls`). `expediteur`: address of MAIL FROM. `choisir`: chooses the relay
        of the next batch among those available. `delai_s`: time-out of each reply. Raises ValueError for a malformed
        `url`."""
        self._relais = Relais(lire_urls(url), choisir, monotonic)
        self._expediteur = expediteur
        self._delai_s = delai_s
        self._cadence = cadence

    def connexion(self) -> "ConnexionSmtp":
        return ConnexionSmtp(self._relais, self._expediteur, self._delai_s, self._cadence)


class ConnexionSmtp:
    def __init__(self, relais: Relais, expediteur: str, delai_s: float, cadence: WaitForRate) -> None:
        self._relais = relais
        self._expediteur = expediteur
        self._delai_s = delai_s
        self._cadence = cadence
        # One session per relay stays open, because the relay changes from batch to batch and handshakes would take
        # longer than the mails.
        self._dialogues: dict[str, SmtpDialogue] = {}
        self._pret: SmtpDialogue | None = None

    async def preparer(self) -> None:
        """Chooses the relay of the next batch."""
        self._pret = await self._choisir()

    async def remettre(self, colis: Sequence[Colis], tenu: Callable[[], bool]) -> list[Issue]:
        """Raises TypeError when a content is not a mail, which is a bug of ours."""
        if not all(isinstance(c.contenu, bytes) for c in colis):
            raise TypeError("an e-mail is bytes")
        dialogue, self._pret = self._pret, None
        issues: list[Issue] = []
        while (reste := len(colis) - len(issues)) and (not issues or isinstance(issues[-1], Differe)):
            # After a 421 about one message, the other messages continue in a new session.
            if dialogue is None or not dialogue.ouvert:
                try:
                    dialogue = await self._choisir()
                except Injoignable as error:
                    issues += [type(error)(error.motif) for _ in range(reste)]
                    break
            # Wait for the rate limit before the first MAIL FROM: relays close connections that are silent inside a
            # transaction.
            await self._cadence(dialogue.fournisseur, reste)
            issues += _jusqu_au_differe(await dialogue.remettre(colis[-reste:], tenu))
        return self._conclure(issues)

    def _conclure(self, issues: list[Issue]) -> list[Issue]:
        """Derives what the whole batch says about each relay that it used."""
        for nom in {issue.fournisseur for issue in issues if issue.fournisseur is not None}:
            rangs = [rang for rang, issue in enumerate(issues) if issue.fournisseur == nom]
            lues = relire_le_lot([issues[rang] for rang in rangs])
            for rang, issue in zip(rangs, lues, strict=True):
                issues[rang] = issue
            self._relais.retenues.apprendre(nom, lues)
        return issues

    async def fermer(self) -> None:
        dialogues, self._dialogues, self._pret = list(self._dialogues.values()), {}, None
        await asyncio.gather(*(dialogue.quitter() for dialogue in dialogues))

    async def _choisir(self) -> SmtpDialogue:
        """Returns an open session; skips relays that do not answer. Raises Injoignable when none answers."""
        essayes: frozenset[str] = frozenset()
        while serveur := self._relais.proposer(essayes):
            nom = serveur.nom
            if (connu := self._dialogues.get(nom)) is not None and connu.ouvert:
                return connu
            try:
                self._dialogues[nom] = dialogue = await self._ouvrir(serveur)
            except (aiosmtplib.SMTPException, OSError) as error:
                # Only the type: the text of a failed AUTH may contain the user name.
                log.warning("smtp_relay_away", relay=nom, error=type(error).__name__)
                self._relais.absent(nom)
                if motif := refus_d_ouverture(error):
                    self._relais.retenues.poser(nom, motif)
                essayes |= {nom}
            else:
                self._relais.present(nom)
                return dialogue
        raise NousRefuse(_INJOIGNABLE) if self._relais.tous_refusent else Injoignable(_INJOIGNABLE)

    async def _ouvrir(self, serveur: Serveur) -> SmtpDialogue:
        """Raises aiosmtplib.SMTPException or OSError."""
        smtp = SMTP(
            hostname=serveur.hote,
            port=serveur.port,
            use_tls=serveur.tls,
            start_tls=serveur.starttls,
            username=serveur.utilisateur,
            password=serveur.mot_de_passe,
            timeout=self._delai_s,
        )
        try:
            await smtp.connect()
            # STARTTLS and AUTH have sent EHLO already.
            if smtp.is_ehlo_or_helo_needed:
                await smtp.ehlo()
            if smtp.transport is None:
                raise aiosmtplib.SMTPServerDisconnected("closed after EHLO")
        except BaseException:
            smtp.close()
            raise
        fil = SmtpConnection(cast(asyncio.Transport, smtp.transport), self._delai_s)
        return SmtpDialogue(fil, ServerCapabilities.lire(smtp.esmtp_extensions), self._expediteur, serveur.nom)


def _jusqu_au_differe(issues: list[Issue]) -> list[Issue]:
    """Removes the messages not started after a 421 about one message, which are started again."""
    for rang, issue in enumerate(issues, start=1):
        if isinstance(issue, Differe):
            return issues[:rang]
    return issues
