"""One hand-off: the message of one person, given to the channel, and what its answer means for the row."""

from collections.abc import Sequence

import orjson

from contracts.notifications import Canal
from kit.clock import Clock
from kit.logging import get_logger
from services.notifications import domain
from services.notifications.canaux.base import Connexion, Inconnu, Injoignable, Permanent, Temporaire
from services.notifications.chiffrement import Coffre, Illisible
from services.notifications.composition import Compositeur, ValeurInterdite
from services.notifications.contacts import Contact
from services.notifications.domain import Motif, Suite
from services.notifications.liens import Lien, Liens
from services.notifications.modeles import Modeles
from services.notifications.store import Ligne

log = get_logger(__name__)


def sceller(coffre: Coffre, envoi_id: str, email: str, code: str) -> dict[str, object]:
    """The secret of a row: a code and where it goes. It is removed as soon as the row is done."""
    return coffre.fermer(orjson.dumps([email, code]).decode(), envoi_id)


class Remise:
    def __init__(self, modeles: Modeles, compositeur: Compositeur, liens: Liens, coffre: Coffre, clock: Clock) -> None:
        self._modeles = modeles
        self._compositeur = compositeur
        self._liens = liens
        self._coffre = coffre
        self._clock = clock

    def preparer(self, lignes: Sequence[Ligne]) -> None:
        """Compiles what the rows need and memory holds."""
        for contenu_id in {ligne["contenu_id"] for ligne in lignes}:
            self._modeles.compiler_si_connu(contenu_id)

    async def remettre(self, connexion: Connexion, ligne: Ligne, contact: Contact | None) -> Suite:
        """Sends, and returns the fate of the row. What no retry can help ends there, with its reason."""
        try:
            adresse, message = await self._message(ligne, contact)
        except (LookupError, Illisible, ValeurInterdite) as error:
            log.error("message_cannot_be_written", envoi=ligne["_id"], error=type(error).__name__)
            return domain.apres_refus(Motif.MESSAGE_IMPOSSIBLE)
        now = self._clock.now
        try:
            await connexion.remettre(adresse, message)
        except Permanent as error:
            return domain.apres_refus(error.motif)
        except Temporaire as error:
            return domain.apres_report(ligne["tentatives"], error.motif, now())
        except Injoignable:
            return domain.non_commencee(now())
        except Inconnu:
            return domain.apres_inconnue(Canal(ligne["canal"]), ligne["tentatives"], Motif.ISSUE_INCONNUE, now())
        return domain.apres_remise()

    async def _message(self, ligne: Ligne, contact: Contact | None) -> tuple[str, bytes]:
        """The address and the bytes. Raises LookupError, Illisible or ValeurInterdite."""
        modele = await self._modeles.obtenir(ligne["contenu_id"])
        adresse, code = contact.email if contact else None, ""
        if "secret" in ligne:
            adresse, code = orjson.loads(self._coffre.ouvrir(ligne["secret"], ligne["_id"]))
        if adresse is None:
            raise LookupError("no address")
        lien = None
        if profil_id := ligne.get("profil_id"):
            lien = self._compositeur.lien_desabonnement(self._liens.signer(Lien(ligne["_id"], profil_id)))
        corps = {"raisons": ligne.get("pourquoi", ""), "desabonnement": lien or "", "code": code}
        return adresse, modele.remplir(self._compositeur.entetes(ligne["_id"], adresse, lien), corps, self._clock.now())
