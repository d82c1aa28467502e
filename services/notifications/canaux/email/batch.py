"""A batch of mails in a session: which message is next, and the outcome of each, however the session ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.notifications.canaux.base import Colis, Inconnu, Injoignable, Issue, NousRefuse, Permanent
from services.notifications.canaux.email.envelope import Envelope
from services.notifications.canaux.email.verdicts import SmtpStep

RSET, DATA = b"RSET\r\n", b"DATA\r\n"
COUPE, SANS_REPONSE, BAIL_PERDU = "smtp coupé", "smtp sans réponse", "bail perdu"

_RETENUS_DE_SUITE = 3
"""After this many consecutive refusals that blame us, the relay is not asked about the rest."""


@dataclass
class EnCours:
    """A message in progress. `issue` is set early when the relay refuses it; `livre`: its content was written."""

    rang: int
    pli: Envelope
    commandes: tuple[bytes, ...]
    issue: Issue | None = None
    livre: bool = False

    @property
    def groupe(self) -> bytes:
        return b"".join(self.commandes)

    def etape(self, commande: bytes) -> SmtpStep:
        """The step that a refusal of this command is about."""
        if commande is self.pli.rcpt:
            return SmtpStep.RCPT
        return SmtpStep.CONTENU if commande is DATA else SmtpStep.MAIL


class MailBatch:
    def __init__(
        self,
        colis: Sequence[Colis],
        tenu: Callable[[], bool],
        plier: Callable[[Colis], Envelope | Permanent],
        fournisseur: str,
    ) -> None:
        """`plier` makes the envelope, or returns why this relay can never accept the message."""
        self.tenu = tenu
        self.courant: EnCours | None = None
        self._colis = colis
        self._plier = plier
        self._fournisseur = fournisseur
        self._rang = 0
        self._arrete = False
        self._retenus = 0
        self._issues: list[Issue | None] = [None] * len(colis)

    def suivant(self, *, vider: bool) -> EnCours | None:
        """The next message; None at the end, and once the lease has expired. `vider`: first reset an open
        transaction."""
        while self._rang < len(self._colis) and not self._arrete and self._retenus < _RETENUS_DE_SUITE:
            rang = self._rang
            self._rang += 1
            pli = self._plier(self._colis[rang])
            if isinstance(pli, Permanent):
                self._issues[rang] = pli
            elif self.tenu():
                commandes = (pli.mail, pli.rcpt, DATA)
                return EnCours(rang, pli, (RSET, *commandes) if vider else commandes)
            else:
                self._arrete = True
        return None

    def clore(self, fini: EnCours) -> None:
        """Stores and returns the outcome, which must be known."""
        assert fini.issue is not None
        self._issues[fini.rang] = fini.issue
        self._retenus = self._retenus + 1 if isinstance(fini.issue, NousRefuse) else 0
        self.courant = None

    def interrompre(self) -> None:
        """The connection has ended: returns what this means for the message in progress, if any."""
        fini = self.courant
        if fini is None:
            return
        if fini.issue is None:
            # After the content was sent, the server may have stored it; RFC 1047 explains why this cannot be known.
            fini.issue = (
                Inconnu(SANS_REPONSE, self._fournisseur) if fini.livre else Injoignable(COUPE, self._fournisseur)
            )
        self.clore(fini)

    def bilan(self) -> list[Issue]:
        """One outcome per message, in order."""
        motif = BAIL_PERDU if self._arrete else COUPE
        return [issue or Injoignable(motif, self._fournisseur) for issue in self._issues]
