"""Settings of notifications: the keys come from SECRETS_DIR, the rest from the environment."""

import datetime as dt

from pydantic import Field

from kit.settings import Settings
from services.notifications.planning.calendar import Heures, Regle

SERVICE = "notifications"
"""The name of the database, of the consumer group, of the source of events, of the audience of tokens."""


class Reglages(Settings):
    """`jeton_cle_publique`, `jeton_cle_publique_annonces`: PEMs with which the tokens of the gateway and of annonces
    are checked; `jeton_cle_privee`: the PEM that signs our own, for `annonces_url`.

    `smtp_url`: one relay or several, as canaux/email/serveurs.py reads them.

    `cle_chiffrement`: urlsafe base64 keys of 32 bytes, comma-separated: the first encrypts, all of them decrypt.
    `connexions`: how many SMTP connections a worker keeps open. `cle_dkim` (PEM) and `selecteur_dkim`: mails are signed
    when both are there. `smpp_url` and `sms_http_url`: the providers of SMS, whichever are given; `sms_http_secret`
    signs the callbacks of the second, `secret_relais` those of mail relays. `debits`: messages that a provider takes in
    a second, all workers together, as rate_limit.py reads them; `processus`: how many workers there usually are.
    `cle_vapid` (PEM): notifications of browsers. `budget_semaine`: alerts in seven days for whoever has not chosen
    otherwise, urgent ones counted apart; 0: no limit. `sms_centimes`: the price of one part to mainland France,
    `sms_tarifs` those to other countries, as sms_prices.py reads them; `sms_plafond_euros`: of a month; 0: none.
    `sms_a_toute_heure`: for exercises. `conservation_jours`: how long the ledger is kept. `domaine_entrant`: the
    domain whose mail comes to the process « entrant »; "": nobody can answer by mail. `entrant_certificat` and
    `entrant_cle`: files for STARTTLS there, which is offered when both are given.
    """

    jeton_cle_publique: str = ""
    jeton_cle_publique_annonces: str = ""
    jeton_cle_privee: str = ""
    annonces_url: str = "http://127.0.0.1:8001"
    domaine_entrant: str = ""
    entrant_certificat: str = ""
    entrant_cle: str = ""
    cle_chiffrement: str = ""
    cle_liens: str = ""
    smtp_url: str = "smtp://127.0.0.1:1025"
    expediteur_nom: str = "Place des assos"
    expediteur_adresse: str = "ne-pas-repondre@place-des-assos.example"
    connexions: int = 8
    cle_dkim: str = ""
    selecteur_dkim: str = ""
    secret_relais: str = ""
    smpp_url: str = ""
    smpp_mot_de_passe: str = ""
    sms_http_url: str = ""
    sms_http_cle: str = ""
    sms_http_secret: str = ""
    sms_expediteur: str = "PLACE"
    sms_centimes: float = Field(default=4.5, ge=0)
    sms_tarifs: str = ""
    sms_plafond_euros: int = Field(default=500, ge=0)
    sms_a_toute_heure: bool = False
    alsace_moselle: bool = False
    cle_vapid: str = ""
    debits: str = ""
    processus: int = Field(default=1, ge=1)
    budget_semaine: int = Field(default=2, ge=0)
    # At least as long as an event may come back (kit/messaging/inbox.py), at most what an index of MongoDB can hold.
    conservation_jours: int = Field(default=365, ge=45, le=24_000)

    @property
    def domaine(self) -> str:
        """The domain of the sender: Message-ID and List-Id are names below it."""
        return self.expediteur_adresse.rpartition("@")[2]

    @property
    def regle_sms(self) -> Regle:
        """The hours in which an SMS may be sent."""
        if self.sms_a_toute_heure:
            return Regle(Heures(dt.time(0), dt.time(23, 59, 59)), frozenset(range(7)), feries=False)
        return Regle(alsace_moselle=self.alsace_moselle)
