"""The ledger as others may read it: words for each state and motive, ids that never change."""

from contracts.envois import ETATS, MOTIFS, Etat, Motif, debut_des_alertes, id_alerte
from contracts.notifications import Canal
from kit.ids import stable_id


def test_chaque_etat_et_chaque_motif_a_ses_mots() -> None:
    assert set(ETATS) == set(Etat)
    assert set(MOTIFS) == set(Motif)


def test_l_identifiant_d_une_alerte_deja_enregistree_ne_change_pas() -> None:
    assert id_alerte("a1", 2, "p1", Canal.EMAIL) == "bf8379f0adca25970b0300acfbf4a845"
    assert id_alerte("a1", 2, "p1", Canal.SMS) == "bf8379f0adca63eec4dd7c5833e3b9e1"


def test_les_alertes_d_une_annonce_commencent_de_meme_et_se_distinguent() -> None:
    ids = {id_alerte("a1", version, profil, canal) for version in (1, 2) for profil in ("p1", "p2") for canal in Canal}
    assert len(ids) == 4 * len(Canal)
    assert {id_[:12] for id_ in ids} == {debut_des_alertes("a1")}
    assert debut_des_alertes("a1") != debut_des_alertes("a2")


def test_les_identifiants_suivent_la_regle_de_tout_le_systeme() -> None:
    assert debut_des_alertes("a1") == stable_id("alerte", "a1")[:12]
    assert id_alerte("a1", 2, "p1", Canal.EMAIL)[12:] == stable_id("alerte", "a1", 2, "p1", Canal.EMAIL)[12:]
