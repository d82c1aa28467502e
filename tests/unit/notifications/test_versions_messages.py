"""An envoi keeps the version of what was said: whoever changes the words of a message raises its version.

versions_messages.json holds, per message, the version and a digest of what its sample says on every channel.
"""

import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest

from services.notifications.domain import Genre
from services.notifications.messages.catalogue import MESSAGES
from services.notifications.messages.mail import Compositeur
from services.notifications.messages.samples import CORPS, EXEMPLES, PERSONNE
from services.notifications.messages.sms import PUSH, SMS, rediger_push, rediger_sms

CONNUES = Path(__file__).with_name("versions_messages.json")
JOUR = dt.datetime(2027, 3, 12, 9, tzinfo=dt.UTC)


def empreinte(genre: Genre) -> str:
    contenu = {**EXEMPLES[genre], **PERSONNE}
    dit: list[str] = []
    if MESSAGES[genre].gabarit:
        compositeur = Compositeur("https://place.exemple", "Place des assos", "a@place.exemple")
        rendu = compositeur.rendre(genre, EXEMPLES[genre]).rempli(CORPS, JOUR)
        dit += [rendu.objet, rendu.texte]
    if genre in SMS:
        dit.append(rediger_sms(genre, contenu))
    if genre in PUSH:
        dit += rediger_push(genre, contenu).values()
    return hashlib.sha256("\x1f".join(dit).encode()).hexdigest()[:16]


@pytest.mark.parametrize("genre", Genre)
def test_de_nouveaux_mots_ont_une_nouvelle_version(genre: Genre) -> None:
    connues = json.loads(CONNUES.read_text(encoding="utf-8"))
    trouvee = {"version": MESSAGES[genre].version, "empreinte": empreinte(genre)}
    assert trouvee == connues.get(genre.value), (
        f"« {genre} » says something else: raise its version in catalogue.py if it was sent before, and write into "
        f"{CONNUES.name}: {json.dumps({genre.value: trouvee})}"
    )


def test_aucune_version_n_est_gardee_de_ce_qui_n_est_plus_envoye() -> None:
    assert set(json.loads(CONNUES.read_text(encoding="utf-8"))) == {genre.value for genre in Genre}
