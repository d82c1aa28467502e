"""What only the service annonces knows is asked when a message is handed over: it is in the mail, and nowhere else."""

import base64
import email
import email.policy
from collections.abc import AsyncIterator, Mapping, Sequence
from email.message import EmailMessage
from typing import Any, cast

import pytest
import vobject
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from contracts.envois import Etat, Motif
from contracts.notifications import Canal
from kit.clock import SystemClock
from kit.http.internal_calls import InternalApi
from kit.http.tokens import TokenSigner
from services.notifications.canaux.base import Colis, Recu
from services.notifications.contacts.store import Contact
from services.notifications.conversations.addresses import AdressesDeReponse
from services.notifications.conversations.complements import Complements
from services.notifications.conversations.engagements import Dit
from services.notifications.delivery.compiled import Modeles
from services.notifications.delivery.handoff import Remise
from services.notifications.domain import Genre, Suite
from services.notifications.messages.mail import Compositeur
from services.notifications.messages.signed_links import Liens
from services.notifications.planning.sms_prices import lire
from tests.integration.notifications.annonces import Annonces

CLE = base64.urlsafe_b64encode(b"c" * 32).decode()
ADRESSES = AdressesDeReponse(CLE, "reponses.exemple")
CONTACT = Contact("p1", {Canal.EMAIL: "c@exemple.fr", Canal.SMS: "+33612345678"}, frozenset(), frozenset())
MESSAGE = {
    "texte": "Venez à 9 h,\ncode 4B17.",
    "de_nom": "Le Vestiaire",
    "annonce_id": "a1",
    "annonce_titre": "Une camionnette",
    "ouverte": True,
    "ecrit_at": "2026-11-28T13:02:00Z",
}
RENCONTRE = {
    "annonce_id": "a1",
    "annonce_titre": "Une camionnette",
    "nom_autre": "Le Vestiaire",
    "date_debut": "2027-03-13",
    "date_fin": "2027-03-13",
    "creneaux": ["samedi-matin"],
    "quartier": "fives",
    "a_distance": False,
    "lieu_prive": "12 rue de Bavay",
    "a_apporter": "des gants",
    "sequence": 3,
}
REPONSE = {"titre": "Une camionnette", "annonce_id": "a1", "reponse_id": "r1", "quantite": 1, "raison": "retiree"}


class Registre:
    """The ledger: contents by id, and the messages that a row tells."""

    def __init__(self) -> None:
        self.contenus: dict[str, tuple[Genre, dict[str, Any]]] = {}
        self.dits = ["m1"]

    async def contenu(self, contenu_id: str) -> tuple[Genre, dict[str, Any]]:
        return self.contenus[contenu_id]

    async def messages(self, envoi_id: str) -> list[str]:
        return self.dits

    async def nommer(self, contenu_id: str, titre: str) -> str:
        return titre


class Engagements:
    def __init__(self) -> None:
        self.connus: dict[str, Dit] = {}

    async def dit(self, reponse_id: str) -> Dit | None:
        return self.connus.get(reponse_id)

    async def noter_dit(self, reponse_id: str, dit: Dit) -> None:
        self.connus[reponse_id] = dit


class Relais:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.colis: list[Colis] = []

    async def remettre(self, colis: Sequence[Colis], tenu: object) -> list[Recu]:
        self.colis += colis
        return [Recu("relais")] * len(colis)


class Poste:
    def __init__(self, annonces: Annonces, api: InternalApi) -> None:
        self.annonces = annonces
        self.registre, self.engagements, self.relais = Registre(), Engagements(), Relais()
        compositeur = Compositeur("https://place.exemple", "Place", "ne-pas-repondre@place.exemple", reponses=True)
        complements = Complements(api, cast(Any, self.registre), cast(Any, self.engagements))
        modeles = Modeles(cast(Any, self.registre), compositeur)
        tarifs = lire("", 4.5)
        self.remise = Remise(
            modeles, compositeur, Liens(CLE), cast(Any, None), SystemClock(), tarifs, complements, ADRESSES
        )

    async def remettre(self, genre: Genre, donnees: Mapping[str, Any], canal: Canal = Canal.EMAIL) -> Suite:
        self.registre.contenus[genre.value] = genre, dict(donnees)
        ligne = {"_id": "e1", "genre": genre.value, "canal": canal.value, "compte_id": "p1", "contenu_id": genre.value}
        ligne |= {"tentatives": 1}  # type: ignore[dict-item]
        suites = await self.remise.remettre(cast(Any, self.relais), [ligne], {"p1": CONTACT}, lambda: True)
        return suites["e1"]

    @property
    def mail(self) -> EmailMessage:
        (colis,) = self.relais.colis
        assert isinstance(colis.contenu, bytes)
        mail = email.message_from_bytes(colis.contenu, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        return mail

    @property
    def texte(self) -> str:
        partie = self.mail.get_body(("plain",))
        assert partie is not None
        return str(partie.get_content())

    @property
    def agenda(self) -> Any:
        (fichier,) = [partie for partie in self.mail.walk() if partie.get_content_type() == "text/calendar"]
        return vobject.readOne(fichier.get_content())


@pytest.fixture
async def poste() -> AsyncIterator[Poste]:
    cle = Ed25519PrivateKey.generate()
    publique = cle.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    privee = cle.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    async with Annonces(publique).ouverte() as annonces:
        api = InternalApi(annonces.url, "annonces", TokenSigner(privee, issuer="notifications"))
        yield Poste(annonces, api)
        await api.close()


async def test_un_message_est_ecrit_avec_l_adresse_ou_l_on_y_repond(poste: Poste) -> None:
    poste.annonces.messages["r1", "m1"] = MESSAGE
    suite = await poste.remettre(Genre.MESSAGE_RECU, {"reponse_id": "r1", "annonce_id": "a1"})
    assert suite.etat is Etat.REMIS
    assert "Le Vestiaire" in poste.texte
    assert "samedi 28 novembre à 14:02" in poste.texte
    assert "code 4B17." in poste.texte
    assert poste.mail["Reply-To"] == ADRESSES.adresse(ADRESSES.jeton("r1", "p1"))
    assert poste.mail["References"] == poste.mail["In-Reply-To"] == "<fil.r1@place.exemple>"
    assert "4B17" not in str(poste.registre.contenus)


async def test_un_message_efface_le_dit_et_les_autres_restent(poste: Poste) -> None:
    poste.annonces.messages["r1", "m1"] = MESSAGE
    poste.registre.dits = ["m1", "m2"]
    await poste.remettre(Genre.MESSAGE_RECU, {"reponse_id": "r1", "annonce_id": "a1"})
    assert "code 4B17." in poste.texte
    assert "Ce message a été effacé" in poste.texte


async def test_sans_le_service_des_annonces_le_message_attend_sans_perdre_de_tentative(poste: Poste) -> None:
    poste.annonces.absente = True
    suite = await poste.remettre(Genre.MESSAGE_RECU, {"reponse_id": "r1", "annonce_id": "a1"})
    assert (suite.etat, suite.motif, suite.rendue) == (Etat.ECHEC_TEMPORAIRE, Motif.CONTENU_ABSENT, True)
    assert poste.relais.colis == []


async def test_un_sms_dit_seulement_qu_il_y_a_un_message_et_ne_demande_rien(poste: Poste) -> None:
    poste.annonces.absente = True
    await poste.remettre(Genre.MESSAGE_RECU, {"reponse_id": "r1", "annonce_id": "a1"}, Canal.SMS)
    (sms,) = poste.relais.colis
    assert "vous avez un message" in str(sms.contenu)
    assert "https://place.exemple/reponses/r1" in str(sms.contenu)


async def test_l_acceptation_dit_qui_quand_ou_et_quoi_apporter(poste: Poste) -> None:
    poste.annonces.rencontres["r1", "p1"] = RENCONTRE
    await poste.remettre(Genre.REPONSE_ACCEPTEE, REPONSE)
    for dit in ("Le Vestiaire", "samedi 13 mars 2027", "12 rue de Bavay", "des gants", "/reponses/r1"):
        assert dit in poste.texte
    evenement = poste.agenda.vevent
    assert evenement.uid.value == "r1.samedi-matin@place.exemple"
    assert evenement.sequence.value == "3"
    assert evenement.location.value.startswith("12 rue de Bavay")
    assert "Bavay" not in str(poste.engagements.connus) + str(poste.registre.contenus)


async def test_l_acceptation_par_sms_le_dit_aussi(poste: Poste) -> None:
    poste.annonces.rencontres["r1", "p1"] = RENCONTRE
    await poste.remettre(Genre.REPONSE_ACCEPTEE, REPONSE, Canal.SMS)
    (sms,) = poste.relais.colis
    for dit in ("Le Vestiaire", "sam. 13/03", "12 rue de Bavay", "des gants"):
        assert dit in str(sms.contenu)


async def test_ce_qui_n_a_plus_lieu_est_retire_de_l_agenda_sous_le_meme_nom(poste: Poste) -> None:
    poste.annonces.rencontres["r1", "p1"] = RENCONTRE
    await poste.remettre(Genre.REPONSE_ACCEPTEE, REPONSE)
    poste.relais.colis.clear()
    await poste.remettre(Genre.BESOIN_RETIRE, REPONSE)
    assert poste.agenda.method.value == "CANCEL"
    assert poste.agenda.vevent.uid.value == "r1.samedi-matin@place.exemple"
    assert poste.agenda.vevent.sequence.value == "4"


async def test_qui_n_avait_rien_a_son_agenda_n_a_rien_a_en_retirer(poste: Poste) -> None:
    await poste.remettre(Genre.REPONSE_DECLINEE, REPONSE)
    assert not [partie for partie in poste.mail.walk() if partie.get_content_type() == "text/calendar"]


async def test_une_annonce_effacee_le_dit_et_qui_n_est_pas_accepte_n_apprend_rien(poste: Poste) -> None:
    await poste.remettre(Genre.REPONSE_ACCEPTEE, REPONSE)
    assert "est acceptée" in poste.texte
    assert "effacée" not in poste.texte
    poste.relais.colis.clear()
    poste.annonces.effacees.add("r1")
    await poste.remettre(Genre.REPONSE_ACCEPTEE, REPONSE)
    assert "ne sont plus connus" in poste.texte


async def test_un_message_d_une_version_plus_ancienne_s_ecrit_encore(poste: Poste) -> None:
    poste.annonces.absente = True
    ancien = {nom: valeur for nom, valeur in REPONSE.items() if nom != "reponse_id"}
    assert (await poste.remettre(Genre.REPONSE_ACCEPTEE, ancien)).etat is Etat.REMIS
    assert "est acceptée" in poste.texte
    assert poste.mail["Reply-To"] is None
