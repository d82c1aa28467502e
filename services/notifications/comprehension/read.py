"""What a message means. Pure; never raises.

An answer reserves a place or frees one, so the grammar is closed: OUI and NON count only where every word of the
message belongs to a phrase of the vocabulary (vocabulary.py), and where these phrases agree. One unknown word, a
question mark, a yes beside a no, two numbers, and the message is `Incompris`: asking again costs one SMS, a wrong
reservation costs an association its helper. STOP is the other way round (opposition.py).
"""

from itertools import pairwise

from services.notifications.comprehension.codes import lire_reference
from services.notifications.comprehension.commands import QUANTITE_MAX, Commande, Incompris, Non, Oui, Stop
from services.notifications.comprehension.opposition import dit_stop
from services.notifications.comprehension.phrases import Sorte
from services.notifications.comprehension.reglages import reglage
from services.notifications.comprehension.text import Message, Mot, decouper
from services.notifications.comprehension.vocabulary import LEXIQUE

LONGUEUR_MAX = 2000
"""Ten SMS have 1,530 characters. Of a longer text only a STOP is read."""

_LONGUEUR_LUE = 20_000

_A_PLUSIEURS_MAX = 6
"""« On vient à 4 » says how many; « on vient à 10 » may say when."""

Dite = tuple[Sorte, tuple[Mot, ...]]


def lire(texte: str) -> Commande:
    """What the text asks for; Incompris for everything that is not plain."""
    message = decouper(texte[:_LONGUEUR_LUE], LEXIQUE.abreges)
    if dit_stop(message):
        return Stop()
    if len(texte) > LONGUEUR_MAX:
        return Incompris()
    return reglage(message) or _reponse(message)


def _reponse(message: Message) -> Commande:
    """Oui or Non, if the whole message is one."""
    dites = _phrases(message)
    if not dites or message.question:
        return Incompris()
    sortes = {sorte for sorte, _ in dites}
    references = {lire_reference(mots[0].texte) for sorte, mots in dites if sorte is Sorte.CODE}
    if len(references) > 1:
        return Incompris()
    reference = next(iter(references), None)
    if sortes & {Sorte.NON, Sorte.POUCE_BAS}:
        # « Non mais » is no end.
        return Non(reference) if _plainement_non(sortes) and dites[-1][0] is not Sorte.LIAISON else Incompris()
    quantite = _quantite(dites)
    if quantite is None or message.suspension or not _plainement_oui(sortes):
        return Incompris()
    return Oui(quantite, reference)


def _phrases(message: Message) -> list[Dite] | None:
    """The message as phrases; None when a word belongs to none."""
    dites: list[Dite] = []
    for clause in message.clauses:
        parties = LEXIQUE.decouper(mot.cle for mot in clause)
        if parties is None:
            return None
        debut = 0
        for sorte, longueur in parties:
            dites.append((sorte, clause[debut : debut + longueur]))
            debut += longueur
    return dites


_QUI_DIT_OUI = frozenset({Sorte.OUI, Sorte.ACCORD, Sorte.CONFIRMATION, Sorte.AVEC_OUI})
_QUI_DIT_COMBIEN_OU_QUAND = frozenset(
    {Sorte.JOUR, Sorte.HEURE, Sorte.QUANTITE, Sorte.EN_PLUS, Sorte.NOMBRE, Sorte.CODE}
)


def _plainement_non(sortes: set[Sorte]) -> bool:
    # « Je ne peux pas à 10 h » may leave another hour; a day is that of the annonce.
    ailleurs = {Sorte.HEURE, Sorte.QUANTITE, Sorte.EN_PLUS, Sorte.NOMBRE}
    if sortes & (_QUI_DIT_OUI | ailleurs):
        return False
    return Sorte.NON in sortes or Sorte.POUCE not in sortes


def _plainement_oui(sortes: set[Sorte]) -> bool:
    if sortes & {Sorte.AVEC_NON, Sorte.LIAISON}:
        return False
    if Sorte.OUI in sortes:
        return True
    if Sorte.CONFIRMATION in sortes:
        return Sorte.JOUR not in sortes and Sorte.HEURE not in sortes
    if sortes & {Sorte.ACCORD, Sorte.POUCE}:
        # « Ok merci » only says that it was read; « ok pour samedi, merci » answers.
        return Sorte.MERCI not in sortes or bool(sortes & _QUI_DIT_COMBIEN_OU_QUAND)
    return False


def _quantite(dites: list[Dite]) -> int | None:
    """How many; 1 when no number is named, None when a number is not plainly a quantity, or not a possible one."""
    trouvees = set()
    for rang, (sorte, mots) in enumerate(dites):
        nombre = next((int(mot.texte) for mot in mots if mot.texte.isdecimal()), None)
        if sorte is Sorte.NOMBRE and not _a_cote_d_une_reponse(dites, rang):
            return None
        if nombre is not None and nombre > _A_PLUSIEURS_MAX and _apres_a(mots):
            return None
        if sorte is Sorte.EN_PLUS:
            trouvees.add((nombre or 1) + 1)
        elif sorte is Sorte.QUANTITE or (nombre is not None and sorte in {Sorte.NOMBRE, Sorte.OUI}):
            trouvees.add(1 if nombre is None else nombre)
    heures = [sorte for sorte, _ in dites if sorte is Sorte.HEURE]
    quantite = trouvees.pop() if trouvees else 1
    # Two hours are a part of the time: « oui 10h-12h ».
    return quantite if not trouvees and len(heures) < 2 and 1 <= quantite <= QUANTITE_MAX else None


def _apres_a(mots: tuple[Mot, ...]) -> bool:
    return any(avant.texte == "a" and mot.texte.isdecimal() for avant, mot in pairwise(mots))


def _a_cote_d_une_reponse(dites: list[Dite], rang: int) -> bool:
    reponses = {Sorte.OUI, Sorte.ACCORD, Sorte.POUCE, Sorte.CODE}
    voisins = [dites[i][0] for i in (rang - 1, rang + 1) if 0 <= i < len(dites)]
    return any(sorte in reponses for sorte in voisins)
