"""What the routes of notifications answer, as the description of the API says it."""

import datetime as dt

from pydantic import BaseModel, JsonValue

from contracts.commun import Identifiant
from contracts.envois import Etat
from contracts.notifications import Canal
from services.notifications.domain import Genre
from services.notifications.planning.calendar import Cadence


class VueAnnonceNommee(BaseModel):
    annonce_id: Identifiant | None
    titre: str | None


class VueDesabonnement(BaseModel):
    """`annonce`: null once the message is no longer in the ledger."""

    annonce: VueAnnonceNommee | None
    profil_id: Identifiant
    fait: bool


class VueReponseParLien(BaseModel):
    """`intentions`: what may be answered; `fait`: what was answered."""

    annonce: VueAnnonceNommee
    intentions: list[str]
    fait: str | None


class VueEnvoi(BaseModel):
    envoi_id: Identifiant
    objet: str
    genre: Genre
    canal: Canal
    titre: str | None
    annonce_id: Identifiant | None
    profil_id: Identifiant | None
    pourquoi: str | None
    etat: Etat
    motif: str | None
    cree_at: dt.datetime
    remis_at: dt.datetime | None
    reprise_at: dt.datetime | None
    resume_at: dt.datetime | None


class PageEnvois(BaseModel):
    envois: list[VueEnvoi]
    total: int
    page: int
    taille: int


class VueFlux(BaseModel):
    """`flux`: profil_id → address of its feed."""

    flux: dict[Identifiant, str]


class VueHeures(BaseModel):
    debut: int
    fin: int


class VuePreferences(BaseModel):
    """`telephone`: masked. `budget_semaine`: null without any limit."""

    version: int
    pause_jusqua: dt.datetime | None
    budget_semaine: int | None
    canaux: dict[Canal, bool]
    telephone: str | None
    heures: VueHeures
    cadences: dict[Identifiant, Cadence]
    refus: list[Identifiant]


class VueClePush(BaseModel):
    cle: str


class EtatCompte(BaseModel):
    """How many alerts ended in this state, for this reason."""

    etat: Etat
    motif: str | None
    nombre: int


class CanalCompte(BaseModel):
    canal: Canal
    nombre: int


class FournisseurCompte(BaseModel):
    """`fournisseur`: None for messages that no provider was asked to send. `parties`: parts of SMS."""

    fournisseur: str | None
    nombre: int
    parties: int


class DepenseSms(BaseModel):
    """Of a month ("2026-11"). `plafond_centimes` 0: no ceiling."""

    mois: str
    parties: int
    centimes: float
    plafond_centimes: int


class LigneRegistre(BaseModel):
    """An alert, without anything that leads to a person."""

    envoi_id: Identifiant
    annonce_id: Identifiant
    version: int
    canal: Canal
    etat: Etat
    tentatives: int
    cree_at: dt.datetime
    motif: str | None = None
    fournisseur: str | None = None
    parties: int | None = None
    reprise_at: dt.datetime | None = None
    remis_at: dt.datetime | None = None
    conclu_at: dt.datetime | None = None


class VueRegistre(BaseModel):
    """`total`: all alerts of the period; `total_envois`: those that the filters leave. `bascules`: changes of the
    weights between providers."""

    filtres: dict[str, str]
    total: int
    en_route: int
    programmees: int
    par_etat: list[EtatCompte]
    par_canal: list[CanalCompte]
    par_fournisseur: list[FournisseurCompte]
    sms: DepenseSms
    bascules: list[dict[str, JsonValue]]
    envois: list[LigneRegistre]
    total_envois: int
    page: int
    pages: int
