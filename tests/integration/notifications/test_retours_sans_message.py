"""Receipts whose message nobody knows do not keep those of the others waiting."""

import datetime as dt

from contracts.envois import Etat
from kit.clock import SystemClock
from kit.database.mongo import connect
from kit.ids import new_id
from kit.messaging.outbox import Outbox
from kit.messaging.producer import Producer
from services.notifications.canaux.feedback import Retour, Verdict
from services.notifications.contacts.encryption import ContactCipher
from services.notifications.contacts.store import Contacts
from services.notifications.registre.receipts import ProviderReports
from services.notifications.registre.store import Registre
from services.notifications.settings import Reglages
from tests.serveurs import Serveurs


async def test_des_centaines_d_accuses_sans_message_en_laissent_passer_un_autre(serveurs: Serveurs) -> None:
    mongo, clock = connect(serveurs.mongo_url, f"suivi-{new_id()}"), SystemClock()
    producer = Producer(serveurs.kafka_url)
    registre = Registre(mongo.db, clock)
    contacts = Contacts(mongo.db, ContactCipher(Reglages().cle_chiffrement))
    suivi = ProviderReports(mongo.db, registre, contacts, Outbox(mongo, producer, clock, "test"), clock)
    try:
        # At one moment, as a callback with a list brings them.
        now = dt.datetime.now(dt.UTC)
        perdus = [Retour("smpp", Verdict.LIVRE, "smpp delivrd", now, f"perdu-{rang}") for rang in range(450)]
        await suivi.recevoir(perdus)
        await suivi.recevoir([Retour("smpp", Verdict.LIVRE, "smpp delivrd", now, "connu")])
        # The hand-off is marked after its receipt.
        await mongo.db.envois.insert_one(
            {"_id": "e", "etat": Etat.REMIS.value, "canal": "sms", "fournisseur": "smpp", "reference": "connu"}
        )
        assert sum([await suivi.reprendre() for _ in range(3)]) == 1
        ligne = await mongo.db.envois.find_one({"_id": "e"})
        assert ligne is not None
        assert ligne["etat"] == Etat.LIVRE
    finally:
        await mongo.client.drop_database(mongo.db.name)
        await producer.stop()
        mongo.close()
