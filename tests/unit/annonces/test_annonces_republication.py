"""What is said of each annonce when its topic is published again."""

from contracts.annonces import AnnoncePubliee, EtatAnnonce, EtatAssociation
from services.annonces import associations
from services.annonces.republication import ANNONCES


def test_chaque_etat_a_son_evenement() -> None:
    assert set(ANNONCES) == set(EtatAnnonce)
    assert set(associations.EVENEMENTS) == set(EtatAssociation)


def test_republier_n_annonce_aucune_publication_nouvelle() -> None:
    """Whoever subscribed after it was published is not alerted about all that is online."""
    assert AnnoncePubliee not in ANNONCES.values()
