"""Sends a batch of mails through one open session, with one round trip per mail if the relay supports PIPELINING (RFC
2920).

MAIL, RCPT and DATA of a message are written together. The group ends with DATA, because its reply decides whether the
content may follow; the content may be written together with the next group. So one write contains the content of
message n and the three commands of n + 1, and at most one content waits for its reply.
"""

from collections.abc import Callable, Sequence

from services.notifications.canaux.base import Colis, Injoignable, Issue, Permanent
from services.notifications.canaux.email.batch import BAIL_PERDU, DATA, RSET, EnCours, MailBatch
from services.notifications.canaux.email.envelope import Envelope, ServerCapabilities, plier
from services.notifications.canaux.email.lines import FIN
from services.notifications.canaux.email.smtp_replies import SERVICE_FERME, est_un_accord, est_un_refus, recu, refus
from services.notifications.canaux.email.verdicts import SmtpStep
from services.notifications.canaux.email.wire import ConnectionLost, Reponse, SmtpConnection

_CONTENU_ATTENDU = 354


class SmtpDialogue:
    """Uses one connection (`SmtpConnection`). Used by one task at a time, batch after batch, while it is `ouvert`."""

    def __init__(self, fil: SmtpConnection, offre: ServerCapabilities, expediteur: str, fournisseur: str) -> None:
        self._fil = fil
        self._offre = offre
        self._expediteur = expediteur
        self.fournisseur = fournisseur
        # A refused message may leave a transaction open, in which the next MAIL would be an error.
        self._a_vider = False

    @property
    def ouvert(self) -> bool:
        return self._fil.ouvert

    async def quitter(self) -> None:
        await self._fil.quitter()

    async def remettre(self, colis: Sequence[Colis], tenu: Callable[[], bool]) -> list[Issue]:
        """See `canaux.base.Connexion.remettre`."""
        lot = MailBatch(colis, tenu, self._plier, self.fournisseur)
        try:
            courant = self._entamer(lot)
            while courant is not None:
                lot.courant = courant
                courant = await self._mener(lot, courant)
        except ConnectionLost:
            self._fil.couper()
            lot.interrompre()
        except BaseException:
            # Cancelled between a command and its reply: later replies could no longer be matched to commands.
            self._fil.couper()
            raise
        return lot.bilan()

    def _plier(self, colis: Colis) -> Envelope | Permanent:
        try:
            return plier(colis, self._expediteur, self._offre)
        except Permanent as error:
            return Permanent(error.motif, self.fournisseur)

    def _entamer(self, lot: MailBatch) -> EnCours | None:
        """Takes the next message. With PIPELINING its group of commands is written; otherwise nothing is written
        yet."""
        suivant = self._prendre(lot)
        if suivant is not None and self._offre.pipelining:
            self._fil.ecrire(suivant.groupe, len(suivant.commandes))
        return suivant

    def _prendre(self, lot: MailBatch) -> EnCours | None:
        suivant = lot.suivant(vider=self._a_vider)
        if suivant is not None:
            self._a_vider = False
        return suivant

    async def _mener(self, lot: MailBatch, courant: EnCours) -> EnCours | None:
        """Finishes a message in progress. Returns the next one, already started; raises ConnectionLost."""
        if not await self._contenu_attendu(courant):
            lot.clore(courant)
            return self._entamer(lot)
        if courant.issue is None and not lot.tenu():
            # DATA was accepted but no content sent. Only closing the connection cancels it: a lone dot would deliver an
            # empty mail.
            courant.issue = Injoignable(BAIL_PERDU, self.fournisseur)
            raise ConnectionLost
        suivant = self._donner(lot, courant)
        fin = await self._fil.reponse()
        if courant.issue is None:
            courant.issue = self._issue(fin)
        lot.clore(courant)
        if fin.code == SERVICE_FERME:
            raise ConnectionLost
        return suivant if self._offre.pipelining else self._entamer(lot)

    def _donner(self, lot: MailBatch, courant: EnCours) -> EnCours | None:
        """Writes the content and, with PIPELINING, the group of the next message, which is returned."""
        refuse = courant.issue is not None
        # A relay may accept DATA although it refused the recipient (RFC 2920, 3.1): send an empty content to end it.
        contenu = FIN if refuse else courant.pli.contenu
        suivant = self._prendre(lot) if self._offre.pipelining else None
        if suivant is None:
            self._fil.ecrire(contenu, 1)
        else:
            self._fil.ecrire(contenu + suivant.groupe, 1 + len(suivant.commandes))
        courant.livre = not refuse
        return suivant

    async def _contenu_attendu(self, courant: EnCours) -> bool:
        """Reads the replies to the envelope. Returns True if the relay now waits for a content. A refusal is stored in
        `courant`, and may come together with True."""
        for commande in courant.commandes:
            if not self._offre.pipelining:
                self._fil.ecrire(commande, 1)
            reponse = await self._fil.reponse()
            if commande is DATA and reponse.code == _CONTENU_ATTENDU:
                return True
            if commande is not DATA and est_un_accord(reponse):
                continue
            if not est_un_refus(reponse) or (commande is RSET and reponse.code != SERVICE_FERME):
                raise ConnectionLost
            self._a_vider = True
            courant.issue = courant.issue or refus(reponse, self.fournisseur, courant.etape(commande))
            if reponse.code == SERVICE_FERME:
                raise ConnectionLost
            if not self._offre.pipelining:
                break
        return False

    def _issue(self, fin: Reponse) -> Issue:
        if est_un_accord(fin):
            return recu(fin, self.fournisseur)
        if not est_un_refus(fin):
            raise ConnectionLost
        self._a_vider = True
        return refus(fin, self.fournisseur, SmtpStep.CONTENU)
