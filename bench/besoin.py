"""Generates the events of one urgent annonce that concerns the whole city: chunks of people, each with their own
reasons. Pure."""

import datetime as dt
from collections.abc import Iterator, Sequence

from contracts.annonces import Annonce, EtatAnnonce
from contracts.commun import Auteur, Lieu, Nature, Sens, TypeAuteur
from contracts.matching import CodeRaison, CorrespondancesTrouvees, Destinataire, Raison
from kit.ids import stable_id
from services.notifications.messages.raisons import phrase

LOT = 500
"""People per event of matching (services/matching/handlers.py; a test compares)."""


def personne(numero: int) -> str:
    """Account id of a person, used as their profil id too. Random like those of the platform: consecutive ids would be
    adjacent in each index, where a reader must step over all rows that are not committed yet."""
    return stable_id("bench", numero)


def annonce(annonce_id: str, now: dt.datetime) -> Annonce:
    return Annonce(
        annonce_id=annonce_id,
        version=1,
        etat=EtatAnnonce.PUBLIEE,
        sens=Sens.BESOIN,
        nature=Nature.BENEVOLAT,
        titre="Urgent : bras pour monter 200 lits au gymnase",
        description="La rivière monte : nous ouvrons un gymnase cette nuit. Il faut porter, monter, accueillir. " * 4,
        categories=["logistique"],
        creneaux=["samedi-matin", "samedi-apres-midi"],
        lieu=Lieu(quartier="lille-centre", lat=50.6366, lon=3.0636),
        urgent=True,
        places=200,
        places_restantes=200,
        auteur=Auteur(type=TypeAuteur.ASSOCIATION, compte_id="bench-asso", association_id="bench-asso", nom="Secours"),
        deposee_at=now,
        publiee_at=now,
        expire_at=now + dt.timedelta(days=7),
    )


def raisons(numero: int) -> list[Raison]:
    return [
        Raison(code=CodeRaison.URGENT),
        Raison(code=CodeRaison.DISTANCE, valeur=str(100 + numero * 7 % 9000)),
        Raison(code=CodeRaison.CRENEAU, valeur="samedi-matin"),
    ]


def pourquoi(numero: int) -> str:
    """The reason given in the mail to this person."""
    return phrase(raisons(numero))


def lots(besoin: Annonce, numeros: Sequence[int]) -> Iterator[CorrespondancesTrouvees]:
    """Yields the events one by one, because 100,000 people at once would be counted as memory of the bench."""
    nombre = -(-len(numeros) // LOT)
    for rang in range(nombre):
        destinataires = [
            Destinataire(
                profil_id=personne(numero),
                compte_id=personne(numero),
                distance_m=100 + numero * 7 % 9000,
                score=1000,
                raisons=raisons(numero),
            )
            for numero in numeros[rang * LOT : (rang + 1) * LOT]
        ]
        yield CorrespondancesTrouvees(annonce=besoin, lot=rang, lots=nombre, destinataires=destinataires)
