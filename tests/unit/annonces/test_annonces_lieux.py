"""Where a citizen lives: whoever measures distances learns nothing that the public page does not say."""

import math

from hypothesis import given
from hypothesis import strategies as st

from contracts.annonces import Annonce, EtatAnnonce
from contracts.commun import Auteur, Lieu, Sens, TypeAuteur
from contracts.matching import Destinataire, Profil
from contracts.moderation import Issue
from services.annonces import domain
from services.annonces.domain import Changement
from services.matching import scoring
from tests.unit.annonces.fabrique import NOW, contenu, decision

CITOYEN = Auteur(type=TypeAuteur.PARTICULIER, compte_id="c1", association_id=None, nom=None)
ASSOCIATION = Auteur(type=TypeAuteur.ASSOCIATION, compte_id="c1", association_id="a1", nom="Les Jardins")

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


def publiee(auteur: Auteur, lat: float, lon: float) -> Annonce:
    """An offre of `auteur` at an exact place, as matching gets it."""
    texte = contenu(sens=Sens.OFFRE, lieu=Lieu(quartier="fives", lat=lat, lon=lon))
    deposee = domain.deposer("n1", texte, auteur, NOW).fiche
    change = domain.appliquer_decision(deposee, decision(Issue.APPROUVEE, version=1), NOW)
    assert change is not None
    assert change.fiche.annonce.etat is EtatAnnonce.PUBLIEE
    return dite(change)


def dite(change: Changement) -> Annonce:
    """What the event says, which is what is stored."""
    assert change.evenement is not None
    assert change.evenement.annonce == change.fiche.annonce
    return change.evenement.annonce


def autour(lat: float, lon: float) -> list[Profil]:
    """Twenty profils around a place, from 20 m to 5 km away, with radii that just reach it, or that do by far."""
    profils = []
    for n in range(20):
        eloignement_km = 0.02 * (5 / 0.02) ** (n / 19)
        angle = 2 * math.pi * n / 7
        profils.append(
            Profil(
                profil_id=f"p{n}",
                compte_id="espion",
                version=1,
                sens=Sens.OFFRE,
                lieu=Lieu(
                    lat=lat + eloignement_km / 111.2 * math.cos(angle),
                    lon=lon + eloignement_km / 70.6 * math.sin(angle),
                ),
                rayon_km=eloignement_km * (1.001 if n % 2 else 5),
                cree_at=NOW,
            )
        )
    return profils


def appris(annonce: Annonce, profils: list[Profil]) -> list[Destinataire | None]:
    """All that these profils are told: who is alerted, the distances, the reasons, the scores."""
    return [scoring.correspond(annonce, profil) for profil in profils]


@given(st.floats(-0.0049, 0.0049), st.floats(-0.0049, 0.0049))
def test_vingt_profils_autour_d_un_domicile_n_apprennent_rien_de_plus_que_la_page(nord: float, est: float) -> None:
    chez_soi = publiee(CITOYEN, 50.64 + nord, 3.06 + est)
    ailleurs_dans_le_carre = publiee(CITOYEN, 50.64, 3.06)
    profils = autour(50.64 + nord, 3.06 + est)
    assert appris(chez_soi, profils) == appris(ailleurs_dans_le_carre, profils)
    assert chez_soi == ailleurs_dans_le_carre


def test_autour_d_une_association_ils_apprennent_ou_elle_est() -> None:
    # The attack works where the place is public: what the test above measures is not empty.
    profils = autour(50.63712, 3.06345)
    ici, a_cote = publiee(ASSOCIATION, 50.63712, 3.06345), publiee(ASSOCIATION, 50.64, 3.06)
    assert any(appris(ici, profils))
    assert appris(ici, profils) != appris(a_cote, profils)


@given(latitudes, longitudes, latitudes, longitudes)
def test_une_correction_n_en_dit_pas_plus(lat: float, lon: float, autre_lat: float, autre_lon: float) -> None:
    deposee = domain.deposer("n1", contenu(lieu=Lieu(lat=lat, lon=lon)), CITOYEN, NOW)
    texte = contenu(lieu=Lieu(lat=autre_lat, lon=autre_lon))
    corrigee = domain.corriger(deposee.fiche, texte, version_lue=1, now=NOW)
    for change, exact in ((deposee, (lat, lon)), (corrigee, (autre_lat, autre_lon))):
        lieu = dite(change).lieu
        assert (lieu.lat, lieu.lon) == (round(exact[0], 2), round(exact[1], 2))
        assert domain.lieu_public(lieu, CITOYEN) == lieu


@given(latitudes, longitudes)
def test_le_lieu_d_un_organisme_reste_exact(lat: float, lon: float) -> None:
    lieu = Lieu(lat=lat, lon=lon)
    entreprise = Auteur(type=TypeAuteur.PERSONNE_MORALE, compte_id="c1", association_id=None, nom="Transports Nord")
    for auteur in (ASSOCIATION, entreprise):
        deposee = domain.deposer("n1", contenu(lieu=lieu), auteur, NOW)
        assert dite(deposee).lieu == lieu
        assert dite(domain.corriger(deposee.fiche, contenu(lieu=lieu), version_lue=1, now=NOW)).lieu == lieu
