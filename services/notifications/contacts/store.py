"""Contacts: encrypted addresses, consents with their proof, and erasure.

Rows of `contacts`: {_id: compte_id, email?: {cle, contenu}, empreinte?, telephone?: {cle, contenu}, empreinte_tel?,
push?: [{cle, contenu}], flux?: [profil_id], consentements, oppositions?: {canal: at}, version, purge_at?, efface?}. An
opposition (STOP) wins over every older consent. An erased row stays without personal data, so that a late message does
not create the contact again.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from contracts.comptes import Consentement
from contracts.effacement import COMPTE_EFFACE
from contracts.notifications import Canal
from kit.database.mongo import DUPLICATE_KEY, Database, Session, write_error_codes
from kit.logging import get_logger
from services.notifications.contacts.encryption import ContactCipher, Illisible
from services.notifications.planning import preferences
from services.notifications.planning.preferences import REFUS_GARDES, Choix

log = get_logger(__name__)

_SANS_COMPTE = dt.timedelta(hours=24)


@dataclass(frozen=True)
class Contact:
    """`adresses` by channel; a channel is missing when its address is unknown or its ciphertext was altered. `accords`:
    channels on which alerts are wanted. `opposes`: channels that the person has closed (STOP)."""

    compte_id: str
    adresses: Mapping[Canal, str]
    accords: frozenset[Canal]
    opposes: frozenset[Canal]
    choix: Choix = field(default_factory=Choix)

    def sinon_courriel(self, canal: Canal) -> Canal:
        """`canal`, or e-mail where the person has closed it or has no address on it."""
        return Canal.EMAIL if canal in self.opposes or canal not in self.adresses else canal


@dataclass(frozen=True)
class Fiche:
    """Contact details from the gateway. `version` is that of the account; an older one changes nothing. `email` None:
    only the consents changed."""

    compte_id: str
    email: str | None
    consentements: Sequence[Consentement]
    version: int


class Contacts:
    def __init__(self, db: Database, coffre: ContactCipher) -> None:
        self._contacts = db.contacts
        self._coffre = coffre

    async def enregistrer(self, fiches: Sequence[Fiche]) -> None:
        """Stores details that are not older than the known ones. An erased account stays erased."""
        await self._sans_regresser([self._ecriture(fiche) for fiche in fiches])

    def _ecriture(self, fiche: Fiche) -> UpdateOne:
        valeurs: dict[str, Any] = {"consentements": _en_base(fiche.consentements), "version": fiche.version}
        if fiche.email is not None:
            valeurs["email"] = self._coffre.fermer(fiche.email, fiche.compte_id)
            valeurs["empreinte"] = self._coffre.empreinte(fiche.email)
        return UpdateOne(
            _pas_plus_recent(fiche.compte_id, fiche.version), {"$set": valeurs, "$unset": {"purge_at": ""}}, upsert=True
        )

    async def _sans_regresser(self, ecritures: list[UpdateOne]) -> None:
        try:
            await self._contacts.bulk_write(ecritures, ordered=False)
        except BulkWriteError as error:
            # For newer and erased rows the filter finds nothing, so the upsert fails on their _id; nothing must be
            # stored then.
            if write_error_codes(error) - {DUPLICATE_KEY}:
                raise

    async def noter_code(self, compte_id: str, email: str, now: dt.datetime) -> None:
        """Keeps the address of a person without an account who asked for a code, for 24 hours."""
        await self._contacts.update_one(
            {"_id": compte_id},
            {
                "$setOnInsert": {
                    "email": self._coffre.fermer(email, compte_id),
                    "empreinte": self._coffre.empreinte(email),
                    "consentements": [],
                    "version": 0,
                    "purge_at": now + _SANS_COMPTE,
                }
            },
            upsert=True,
        )

    async def consentir(
        self, compte_id: str, consentements: Sequence[Consentement], version: int, session: Session
    ) -> bool:
        """Stores the consents of an account. Returns False when they are older than the known ones."""
        connu = await self._contacts.find_one({"_id": compte_id}, {"version": 1, "efface": 1}, session=session)
        if connu is not None and (connu.get("efface") or connu["version"] > version):
            return False
        await self._contacts.update_one(
            {"_id": compte_id},
            {"$set": {"consentements": _en_base(consentements), "version": version}, "$unset": {"purge_at": ""}},
            upsert=True,
            session=session,
        )
        return True

    async def effacer(self, compte_id: str, version: int, session: Session) -> None:
        await self._contacts.replace_one(
            {"_id": compte_id}, {"efface": True, "version": version}, upsert=True, session=session
        )

    async def effaces(self, comptes: Iterable[str], session: Session) -> set[str]:
        """Those of these accounts that are erased."""
        filtre = {"_id": {"$in": list(comptes)}, "efface": True}
        trouves = self._contacts.find(filtre, {"_id": 1}, session=session)
        return {COMPTE_EFFACE} | {ligne["_id"] async for ligne in trouves}

    async def trouver(self, comptes: Iterable[str]) -> Mapping[str, Contact]:
        """compte_id → contact; erased and unknown accounts are missing."""
        cherches = list(set(comptes))
        if not cherches:
            return {}
        cursor = self._contacts.find({"_id": {"$in": cherches}, "efface": {"$ne": True}}, _LUS)
        # One batch: a chunk has hundreds of people, and the first batch of the server has 101 documents by default.
        lignes = await cursor.batch_size(len(cherches) + 1).to_list(None)
        return {ligne["_id"]: self._contact(ligne) for ligne in lignes}

    async def choix(self, compte_id: str, session: Session | None = None) -> Choix:
        ligne = await self._contacts.find_one({"_id": compte_id}, {"preferences": 1}, session=session)
        return preferences.lire(ligne or {})

    async def choisir(self, compte_id: str, lue: int, valeurs: Mapping[str, Any]) -> bool:
        """Writes fields of `preferences` if their version is still `lue`. Returns False when it is not, or when the
        account is unknown."""
        version = {"preferences.version": lue} if lue else {"preferences.version": {"$in": [None, 0]}}
        champs = {f"preferences.{nom}": valeur for nom, valeur in valeurs.items()}
        ecrit = await self._contacts.update_one(
            {"_id": compte_id, "efface": {"$ne": True}, **version}, {"$set": {**champs, "preferences.version": lue + 1}}
        )
        return ecrit.modified_count == 1

    async def suspendre(self, compte_id: str, jusqua: dt.datetime | None, session: Session) -> None:
        """Pauses alerts until `jusqua`; None ends the pause."""
        await self._contacts.update_one(
            {"_id": compte_id, "efface": {"$ne": True}},
            {"$set": {"preferences.pause_jusqua": jusqua}, "$inc": {"preferences.version": 1}},
            session=session,
        )

    async def refuser(self, compte_id: str, annonce_id: str, session: Session) -> None:
        """Stores that the person declined this annonce."""
        await self._contacts.update_one(
            {"_id": compte_id, "efface": {"$ne": True}, "preferences.refus": {"$ne": annonce_id}},
            {
                "$push": {"preferences.refus": {"$each": [annonce_id], "$slice": -REFUS_GARDES}},
                "$inc": {"preferences.version": 1},
            },
            session=session,
        )

    async def accepter(self, compte_id: str, annonce_id: str, session: Session) -> None:
        """Removes an earlier refusal of this annonce."""
        await self._contacts.update_one(
            {"_id": compte_id, "preferences.refus": annonce_id},
            {"$pull": {"preferences.refus": annonce_id}, "$inc": {"preferences.version": 1}},
            session=session,
        )

    async def du_numero(self, numero: str) -> str | None:
        """The account with this confirmed number (E.164)."""
        connues = {"$in": self._coffre.empreintes(numero)}
        ligne = await self._contacts.find_one({"empreinte_tel": connues}, {"_id": 1})
        return ligne["_id"] if ligne else None

    async def donner_numero(self, compte_id: str, numero: str, session: Session) -> None:
        """Stores a number that the person has confirmed; removes it from any other account."""
        empreinte = self._coffre.empreinte(numero)
        await self._contacts.update_many(
            {"empreinte_tel": {"$in": self._coffre.empreintes(numero)}, "_id": {"$ne": compte_id}},
            {"$unset": {"telephone": "", "empreinte_tel": ""}},
            session=session,
        )
        ferme = self._coffre.fermer(numero, _du_canal(compte_id, Canal.SMS))
        await self._contacts.update_one(
            {"_id": compte_id, "efface": {"$ne": True}},
            {"$set": {"telephone": ferme, "empreinte_tel": empreinte}, "$unset": {"oppositions.sms": ""}},
            session=session,
        )

    async def retirer_numero(self, compte_id: str, session: Session) -> None:
        await self._contacts.update_one(
            {"_id": compte_id}, {"$unset": {"telephone": "", "empreinte_tel": ""}}, session=session
        )

    async def ouvrir_flux(self, compte_id: str, profils: Iterable[str]) -> None:
        """Makes `dont_le_flux` find the account of these profils, until the account is erased."""
        await self._contacts.update_one(
            {"_id": compte_id, "efface": {"$ne": True}}, {"$addToSet": {"flux": {"$each": list(profils)}}}
        )

    async def dont_le_flux(self, profil_id: str) -> str | None:
        """The account of a profil, for a feed, whose URL does not name the account."""
        ligne = await self._contacts.find_one({"flux": profil_id}, {"_id": 1})
        return ligne["_id"] if ligne else None

    async def abonner_navigateur(self, compte_id: str, abonnement: str) -> None:
        """Stores the push subscription of the browser that asked last."""
        ferme = self._coffre.fermer(abonnement, _du_canal(compte_id, Canal.PUSH))
        await self._contacts.update_one({"_id": compte_id, "efface": {"$ne": True}}, {"$set": {"push": ferme}})

    async def oublier_navigateur(self, compte_id: str) -> None:
        await self._contacts.update_one({"_id": compte_id}, {"$unset": {"push": ""}})

    async def opposer(self, compte_id: str, canal: Canal, at: dt.datetime, session: Session) -> bool:
        """Closes a channel for alerts. Returns False when it was closed already, or the account is unknown."""
        ligne = await self._contacts.find_one({"_id": compte_id, "efface": {"$ne": True}}, _ACCORDS, session=session)
        if ligne is None or canal in _opposes(ligne):
            return False
        # Also replaces an older opposition that a later consent has lifted.
        await self._contacts.update_one(
            {"_id": compte_id}, {"$set": {f"oppositions.{canal.value}": at}}, session=session
        )
        return True

    async def rechiffrer(self, limite: int) -> int:
        """Encrypts up to `limite` rows with the current key, if they use another one. Returns the number of rows.

        Raises CleInconnue when a key that is still needed is missing.
        """
        cursor = self._contacts.find(self._sous_une_autre_cle(), _LUS | {"version": 1}).limit(limite)
        faits = 0
        async for ligne in cursor:
            for canal, champ in _CHAMPS.items():
                if champ not in ligne or ligne[champ]["cle"] == self._coffre.courante:
                    continue
                # Only if unchanged: an address that changed meanwhile uses the new key already.
                ecrit = await self._contacts.update_one(
                    {"_id": ligne["_id"], f"{champ}.contenu": ligne[champ]["contenu"]},
                    self._rechiffre(ligne["_id"], canal, ligne[champ]),
                )
                faits += ecrit.modified_count
        return faits

    def _rechiffre(self, compte_id: str, canal: Canal, ferme: dict[str, Any]) -> dict[str, Any]:
        """The update for one field. A ciphertext that no key opens is dropped, because it would keep the old key in use
        for ever."""
        champs = [_CHAMPS[canal], *([_EMPREINTES[canal]] if canal in _EMPREINTES else [])]
        proprietaire = _du_canal(compte_id, canal)
        try:
            clair = self._coffre.ouvrir(ferme, proprietaire)
        except Illisible:
            log.error("contact_unreadable_dropped", compte_id=compte_id, canal=canal)
            return {"$unset": dict.fromkeys(champs, "")}
        valeurs = (self._coffre.fermer(clair, proprietaire), self._coffre.empreinte(clair))
        return {"$set": dict(zip(champs, valeurs, strict=False))}

    async def sous_une_autre_cle(self) -> int:
        """Number of rows with a ciphertext that the current key does not open."""
        return await self._contacts.count_documents(self._sous_une_autre_cle())

    def _sous_une_autre_cle(self) -> dict[str, Any]:
        autre = {"$exists": True, "$ne": self._coffre.courante}
        return {"$or": [{f"{champ}.cle": autre} for champ in _CHAMPS.values()]}

    def _contact(self, ligne: Mapping[str, Any]) -> Contact:
        adresses = {}
        for canal, champ in _CHAMPS.items():
            if champ in ligne:
                try:
                    adresses[canal] = self._coffre.ouvrir(ligne[champ], _du_canal(ligne["_id"], canal))
                except Illisible:
                    log.error("contact_unreadable", compte_id=ligne["_id"], canal=canal)
        return Contact(ligne["_id"], adresses, _accords(ligne), _opposes(ligne), preferences.lire(ligne))


_CHAMPS = {Canal.EMAIL: "email", Canal.SMS: "telephone", Canal.PUSH: "push"}
_EMPREINTES = {Canal.EMAIL: "empreinte", Canal.SMS: "empreinte_tel"}
# Reads consents without their proof.
_ACCORDS = {f"consentements.{champ}": 1 for champ in ("canal", "accorde", "at")} | {"oppositions": 1, "preferences": 1}
_LUS = {**_ACCORDS, **dict.fromkeys(_CHAMPS.values(), 1)}


def _accords(ligne: Mapping[str, Any]) -> frozenset[Canal]:
    """Channels with consent: the latest consent of a channel counts. Consents are stored in order of date."""
    dernier = {c["canal"]: c for c in ligne.get("consentements", [])}
    oppositions = ligne.get("oppositions", {})
    return frozenset(
        Canal(nom)
        for nom, c in dernier.items()
        if c["accorde"] and (nom not in oppositions or c["at"] > oppositions[nom])
    )


def _opposes(ligne: Mapping[str, Any]) -> frozenset[Canal]:
    """Closed channels; a later consent opens a channel again."""
    fermes = frozenset(Canal(nom) for nom in ligne.get("oppositions", {}))
    return fermes - _accords(ligne) if fermes else fermes


def _du_canal(compte_id: str, canal: Canal) -> str:
    """Binds a ciphertext to account and channel, so that a number cannot be used as an address."""
    return compte_id if canal is Canal.EMAIL else f"{compte_id}:{canal.value}"


def _pas_plus_recent(compte_id: str, version: int) -> dict[str, Any]:
    return {"_id": compte_id, "version": {"$lte": version}, "efface": {"$ne": True}}


def _en_base(consentements: Sequence[Consentement]) -> list[dict[str, Any]]:
    return [c.model_dump(mode="python") | {"canal": c.canal.value} for c in sorted(consentements, key=lambda c: c.at)]
