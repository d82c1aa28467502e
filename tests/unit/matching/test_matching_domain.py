"""The life of a profil, and which event about an annonce calls for a search."""

import datetime as dt
from typing import Any

import pytest

from contracts.annonces import Annonce, EtatAnnonce
from contracts.commun import Auteur, Lieu, Nature, Sens, TypeAuteur
from contracts.effacement import COMPTE_EFFACE
from contracts.matching import Profil
from services.matching import domain
from services.matching.domain import Suite, Suivi

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
PUBLIEE, RETIREE, POURVUE = EtatAnnonce.PUBLIEE, EtatAnnonce.RETIREE, EtatAnnonce.POURVUE


def annonce(version: int, etat: EtatAnnonce = PUBLIEE, expire_at: dt.datetime = NOW + dt.timedelta(days=1)) -> Annonce:
    return Annonce(
        annonce_id="a1",
        version=version,
        etat=etat,
        sens=Sens.BESOIN,
        nature=Nature.MATERIEL,
        titre="Titre",
        description="Description",
        lieu=Lieu(lat=50.6, lon=3.0),
        places=1,
        places_restantes=1,
        auteur=Auteur(type=TypeAuteur.ASSOCIATION, compte_id="c1"),
        deposee_at=NOW,
        expire_at=expire_at,
    )


def publiee(version: int, at: dt.datetime) -> Annonce:
    return annonce(version).model_copy(update={"publiee_at": at})


def suite(connu: Suivi | None, what: Annonce, publication: bool = True) -> Suite | None:
    if connu is None:
        return domain.premiere_suite(what, publication=publication, now=NOW)
    return domain.suite(connu, what, publication=publication, now=NOW)


def test_une_premiere_publication_est_cherchee() -> None:
    assert suite(None, annonce(2)) == Suite(Suivi(2, PUBLIEE, 2), apparier=True)


def test_la_meme_version_n_est_cherchee_qu_une_fois() -> None:
    assert suite(Suivi(2, PUBLIEE, 2), annonce(2)) is None


def test_une_publication_suivante_est_cherchee_de_nouveau() -> None:
    assert suite(Suivi(2, PUBLIEE, 2), annonce(5)) == Suite(Suivi(5, PUBLIEE, 5), apparier=True)


def test_un_changement_d_une_annonce_publiee_n_alerte_personne() -> None:
    assert suite(Suivi(2, PUBLIEE, 2), annonce(3), publication=False) == Suite(Suivi(3, PUBLIEE, 2), apparier=False)


def test_une_publication_depassee_par_un_changement_n_est_pas_perdue() -> None:
    changed = suite(None, annonce(3), publication=False)
    assert changed == Suite(Suivi(3, PUBLIEE, 0), apparier=False)
    assert suite(changed.suivi, annonce(2)) == Suite(Suivi(3, PUBLIEE, 2), apparier=True)
    assert suite(Suivi(3, PUBLIEE, 2), annonce(2)) is None


@pytest.mark.parametrize("etat", sorted(domain.ETATS_FINALS))
def test_un_etat_final_l_emporte_sur_ce_qu_il_a_depasse(etat: EtatAnnonce) -> None:
    assert suite(Suivi(4, etat), annonce(3)) is None
    assert suite(Suivi(4, etat), annonce(9)) is None
    assert suite(Suivi(4, PUBLIEE, 4), annonce(3, etat), publication=False) == Suite(Suivi(4, etat, 4), apparier=False)


def test_une_publication_plus_ancienne_que_pourvue_n_alerte_personne() -> None:
    assert suite(Suivi(4, POURVUE), annonce(3)) is None


def test_une_publication_jamais_arrivee_est_rattrapee_une_fois() -> None:
    """Kafka lost it: the next event that shows the annonce published stands for it."""
    later = publiee(4, NOW - dt.timedelta(hours=3))
    for connu in (None, Suivi(1, EtatAnnonce.DEPOSEE), Suivi(4, PUBLIEE)):
        found = suite(connu, later, publication=False)
        assert found == Suite(Suivi(4, PUBLIEE, 4), apparier=True)
        assert suite(found.suivi, later, publication=False) is None
        assert suite(found.suivi, annonce(3)) is None


def test_ce_qui_est_cherche_ou_publie_depuis_longtemps_n_alerte_plus_personne() -> None:
    searched = suite(Suivi(2, PUBLIEE, 2), publiee(3, NOW), publication=False)
    assert searched == Suite(Suivi(3, PUBLIEE, 2), apparier=False)
    old = suite(None, publiee(3, NOW - domain.RATTRAPAGE), publication=False)
    assert old == Suite(Suivi(3, PUBLIEE, 0), apparier=False)


def test_une_annonce_expiree_n_alerte_personne() -> None:
    old = annonce(2, expire_at=NOW)
    assert suite(None, old) == Suite(Suivi(2, PUBLIEE, 0), apparier=False)


def souhaits() -> dict[str, Any]:
    return {"sens": Sens.BESOIN, "lieu": Lieu(lat=50.6, lon=3.0), "rayon_km": 5, "categories": ["livres"]}


def profil() -> Profil:
    return domain.nouveau("p1", "c1", souhaits(), NOW)


def test_chaque_changement_fait_une_version() -> None:
    first = profil()
    changed = domain.modifier(first, souhaits() | {"rayon_km": 9})
    stopped = domain.desactiver(changed)
    assert stopped is not None
    assert [first.version, changed.version, stopped.version] == [1, 2, 3]
    assert [first.actif, changed.actif, stopped.actif] == [True, True, False]
    assert (changed.compte_id, changed.cree_at, changed.rayon_km) == ("c1", NOW, 9)


def test_deactivating_twice_changes_nothing() -> None:
    stopped = domain.desactiver(profil())
    assert stopped is not None
    assert domain.desactiver(stopped) is None


def test_modifier_un_profil_arrete_le_relance() -> None:
    stopped = domain.desactiver(profil())
    assert stopped is not None
    assert domain.modifier(stopped, souhaits()).actif


def test_ce_que_laisse_l_effacement_ne_parle_de_personne() -> None:
    left = domain.effacer(profil())
    assert (left.actif, left.version, left.compte_id) == (False, 2, COMPTE_EFFACE)
    assert (left.lieu, left.categories) == (Lieu(lat=0, lon=0), [])
