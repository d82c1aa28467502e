"""The reminder of the day before: at its hour in Paris, once, also through the nights when the clocks change."""

import asyncio
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.annonces import EtatAnnonce, RappelDu
from contracts.commun import PARIS
from services.annonces import rappels, veille
from services.annonces.actions import agir_sur_reponse, repondre
from services.annonces.domain import Fiche
from services.annonces.reponses import ActionReponse, Demande
from tests.unit.annonces.fabrique import fiche
from tests.unit.annonces.memoire import Service

CINQ = dt.time(17)


def utc(texte: str) -> dt.datetime:
    return dt.datetime.fromisoformat(texte).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("jour", "attendu"),
    [
        # The clocks go forward on Sunday 28 March 2027, back on Sunday 31 October.
        ("2027-03-27", "2027-03-26T16:00"),
        ("2027-03-28", "2027-03-27T16:00"),
        ("2027-03-29", "2027-03-28T15:00"),
        ("2027-10-30", "2027-10-29T15:00"),
        ("2027-10-31", "2027-10-30T15:00"),
        ("2027-11-01", "2027-10-31T16:00"),
    ],
)
def test_l_heure_est_celle_de_paris_les_deux_nuits(jour: str, attendu: str) -> None:
    assert rappels.prevu_at(dt.date.fromisoformat(jour), CINQ) == utc(attendu)


@pytest.mark.parametrize(
    ("jour", "heure", "attendu"),
    [
        # Half past two does not exist on the one night, and comes twice on the other.
        ("2027-03-29", "02:30", "2027-03-28T01:30"),
        ("2027-11-01", "02:30", "2027-10-31T00:30"),
    ],
)
def test_une_heure_sautee_ou_repetee_est_un_seul_moment(jour: str, heure: str, attendu: str) -> None:
    assert rappels.prevu_at(dt.date.fromisoformat(jour), dt.time.fromisoformat(heure)) == utc(attendu)


@given(st.dates(), st.times())
def test_toute_date_et_toute_heure_ont_un_moment(jour: dt.date, heure: dt.time) -> None:
    assert rappels.prevu_at(jour, heure) < dt.datetime.combine(jour, dt.time(23, 59), tzinfo=dt.UTC)


@given(st.integers(0, 4 * 366 * 24 * 60), st.times())
def test_chaque_jour_est_regarde_de_son_heure_a_son_debut(minutes: int, heure: dt.time) -> None:
    now = utc("2026-01-01T00:00") + dt.timedelta(minutes=minutes)
    ce_jour = now.astimezone(PARIS).date()
    for jour in (ce_jour + dt.timedelta(days=n) for n in range(-2, 4)):
        if rappels.prevu_at(jour, heure) <= now < rappels.debut_at(jour, []):
            assert jour in rappels.jours(now, heure)


@pytest.mark.parametrize(
    ("creneaux", "debut"),
    [
        (["samedi-matin"], "07:00"),
        (["samedi-matin", "samedi-apres-midi"], "11:00"),
        (["dimanche-soir", "samedi-matin"], "07:00"),
        (["dimanche-matin"], "17:00"),
        ([], "17:00"),
    ],
)
def test_un_jour_n_a_pas_commence_avant_son_dernier_creneau(creneaux: list[str], debut: str) -> None:
    samedi = dt.date(2027, 3, 13)
    assert rappels.debut_at(samedi, creneaux) == utc(f"2027-03-13T{debut}")


def samedi(etat: EtatAnnonce = EtatAnnonce.PUBLIEE, **champs: Any) -> Fiche:
    lue = fiche(etat)
    champs = {
        "date_debut": dt.date(2027, 3, 13),
        "creneaux": ["samedi-matin"],
        "publiee_at": utc("2027-03-01T08:00"),
    } | champs
    champs |= {"expire_at": utc("2027-03-13T23:00")}
    return Fiche(lue.annonce.model_copy(update=champs), lue.version_deposee)


def arrive(service: Service, nom: str) -> None:
    demande = Demande(f"r-{nom}", "n1", nom, 1, attendre=True)
    service.faire(lambda tx: repondre(tx, service.deps, demande))


def agit(service: Service, nom: str, action: ActionReponse) -> None:
    document = service.magasin.reponses[f"r-{nom}"]
    service.faire(lambda tx: agir_sur_reponse(tx, service.deps, document, action))


def rappeles(service: Service) -> list[str]:
    """Who is reminded by a look of the timer now."""
    service.noms()
    nombre = asyncio.run(veille.rappeler_dues(service.deps))
    assert nombre == len(service.emis)
    assert all(isinstance(event, RappelDu) for event in service.emis)
    return sorted(event.reponse.compte_id for event in service.emis)


def test_qui_tient_une_place_recoit_un_rappel_a_partir_de_dix_sept_heures() -> None:
    service = Service(samedi(), now=utc("2027-03-10T12:00"))
    for nom in "abcd":
        arrive(service, nom)
    agit(service, "a", ActionReponse.ACCEPTER)
    agit(service, "c", ActionReponse.ANNULER)
    service.clock.at = utc("2027-03-12T15:59")
    assert rappeles(service) == []
    service.clock.at = utc("2027-03-12T16:00")
    # d moved up when c left.
    assert rappeles(service) == ["a", "b", "d"]
    rappel = service.emis[0]
    assert (rappel.date_debut, rappel.creneaux, rappel.lieu.quartier) == (
        dt.date(2027, 3, 13),
        ["samedi-matin"],
        "fives",
    )
    assert rappeles(service) == []
    agit(service, "b", ActionReponse.ACCEPTER)
    assert service.noms() == ["ReponseAcceptee"]


def test_un_rappel_manque_part_plus_tard_mais_jamais_apres_le_debut() -> None:
    service = Service(samedi(), now=utc("2027-03-10T12:00"))
    arrive(service, "a")
    service.clock.at = utc("2027-03-13T06:59")
    assert rappeles(service) == ["a"]
    trop_tard = Service(samedi(), now=utc("2027-03-10T12:00"))
    arrive(trop_tard, "a")
    trop_tard.clock.at = utc("2027-03-13T07:00")
    assert rappeles(trop_tard) == []


def test_qui_repond_apres_l_heure_recoit_son_rappel_a_l_acceptation() -> None:
    service = Service(samedi(), now=utc("2027-03-12T18:00"))
    arrive(service, "a")
    assert rappeles(service) == []
    service.noms()
    agit(service, "a", ActionReponse.ACCEPTER)
    assert service.noms() == ["ReponseAcceptee", "RappelDu"]
    assert rappeles(service) == []


def test_accepte_avant_l_heure_ou_apres_le_debut_aucun_rappel_ne_part() -> None:
    for quand in ("2027-03-12T15:00", "2027-03-13T08:00"):
        service = Service(samedi(), now=utc(quand))
        arrive(service, "a")
        agit(service, "a", ActionReponse.ACCEPTER)
        assert "RappelDu" not in service.noms()


def test_l_identifiant_d_un_rappel_est_celui_de_la_reponse_et_du_jour() -> None:
    ids = []
    for _ in range(2):
        service = Service(samedi(), now=utc("2027-03-10T12:00"))
        arrive(service, "a")
        service.clock.at = utc("2027-03-12T16:00")
        rappeles(service)
        ids.append(service.ids[-1])
    assert ids[0] == ids[1]
    annonce, reponse = service.magasin.fiche().annonce, service.magasin.toutes()[0]
    assert rappels.rappel(annonce, reponse, dt.date(2027, 3, 20))[0] != ids[0]


def test_un_autre_jour_a_un_autre_rappel() -> None:
    service = Service(samedi(), now=utc("2027-03-10T12:00"))
    arrive(service, "a")
    service.clock.at = utc("2027-03-12T16:00")
    assert rappeles(service) == ["a"]
    service.magasin.annonces["n1"]["date_debut"] = "2027-03-20"
    service.clock.at = utc("2027-03-19T16:00")
    assert rappeles(service) == ["a"]


def test_sans_date_personne_ne_recoit_de_rappel() -> None:
    service = Service(samedi(date_debut=None), now=utc("2027-03-10T12:00"))
    arrive(service, "a")
    agit(service, "a", ActionReponse.ACCEPTER)
    service.clock.at = utc("2027-03-12T16:00")
    assert rappeles(service) == []
