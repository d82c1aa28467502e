"""A published annonce is corrected: it stays online, days and places change at once, a new text waits to be read."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.annonces import AnnonceModifiee, AnnoncePourvue, AnnoncePubliee, EtatAnnonce
from contracts.commun import Lieu, Nature
from contracts.moderation import Issue
from services.annonces import domain
from services.annonces.contenu import IMMEDIATS, Contenu, Texte
from services.annonces.domain import Changement, Fiche, PlacesDejaPrises, proposee
from services.annonces.republication import annonce as republiee
from services.annonces.store import champs as stocke
from services.annonces.store import fiche as relue
from services.annonces.transitions import EN_LIGNE
from tests.unit.annonces.fabrique import NOW, contenu, decision, fiche

E = EtatAnnonce
LOMME = Lieu(quartier="lomme", lat=50.65, lon=2.98)


def corrige(lue: Fiche, **champs: Any) -> Changement:
    return domain.corriger(lue, contenu(**champs), version_lue=lue.annonce.version, now=NOW)


def juge(lue: Fiche, issue: Issue, version: int | None = None) -> Changement:
    numero = lue.proposition.version if version is None and lue.proposition else version
    change = domain.appliquer_decision(lue, decision(issue, version=numero or 1), NOW)
    assert change is not None
    return change


@pytest.mark.parametrize(
    "champs",
    [
        {"titre": "Deux camionnettes pour samedi"},
        {"lieu": LOMME},
        {"nature": Nature.MATERIEL},
        {"urgent": True},
        {"ouvert_aux_mineurs": True},
    ],
)
def test_un_nouveau_texte_attend_et_l_annonce_reste_en_ligne_telle_quelle(champs: dict[str, Any]) -> None:
    avant = fiche(E.PUBLIEE)
    change = corrige(avant, **champs)
    apres = change.fiche.annonce
    assert apres == avant.annonce.model_copy(update={"version": 6})
    assert isinstance(change.evenement, AnnonceModifiee)
    assert change.evenement.annonce == apres
    attendue = proposee(change.fiche)
    assert attendue is not None
    assert change.evenement.proposee == attendue
    assert (attendue.etat, attendue.version) == (E.DEPOSEE, 6)
    assert all(getattr(attendue, nom) == valeur for nom, valeur in champs.items())


def test_les_jours_et_le_nombre_changent_tout_de_suite_sans_relecture() -> None:
    samedi = dt.date(2026, 3, 14)
    change = corrige(fiche(E.PUBLIEE, restantes=1), date_debut=samedi, places=5, a_distance=True)
    annonce = change.fiche.annonce
    assert (annonce.date_debut, annonce.places, annonce.places_restantes) == (samedi, 5, 3)
    assert annonce.a_distance
    assert change.fiche.proposition is None
    assert change.evenement is not None
    assert change.evenement.proposee is None


def test_une_annonce_pourvue_se_corrige_et_des_places_de_plus_la_rouvrent() -> None:
    pourvue = fiche(E.POURVUE, restantes=0)
    corrigee = corrige(pourvue, description="Pour transporter du terreau et des pots.")
    assert corrigee.fiche.annonce.etat is E.POURVUE
    assert isinstance(corrigee.evenement, AnnoncePourvue)
    rouverte = corrige(pourvue, places=5)
    assert (rouverte.fiche.annonce.etat, rouverte.fiche.annonce.places_restantes) == (E.PUBLIEE, 2)
    assert isinstance(rouverte.evenement, AnnonceModifiee)


def test_on_ne_descend_pas_sous_les_places_tenues() -> None:
    lue = fiche(E.PUBLIEE, restantes=1)
    with pytest.raises(PlacesDejaPrises) as refus:
        domain.changer_places(lue, 1)
    assert refus.value.prises == 2
    assert domain.changer_places(lue, 2).fiche.annonce.etat is E.POURVUE


def test_un_texte_approuve_remplace_l_ancien_et_alerte_qui_il_concerne() -> None:
    lue = corrige(fiche(E.PUBLIEE), titre="Deux camionnettes", lieu=LOMME).fiche
    lue = domain.reserver(lue, 1, NOW).fiche
    change = juge(lue, Issue.APPROUVEE)
    annonce = change.fiche.annonce
    assert (annonce.titre, annonce.lieu, annonce.places_restantes) == ("Deux camionnettes", LOMME, 2)
    assert isinstance(change.evenement, AnnoncePubliee)
    assert (change.fiche.proposition, change.fiche.version_deposee) == (None, 6)
    # What was decided about the text before it comes too late.
    assert domain.appliquer_decision(change.fiche, decision(Issue.REFUSEE, version=5), NOW) is None


def test_un_texte_approuve_d_une_annonce_pourvue_n_alerte_personne() -> None:
    lue = corrige(fiche(E.POURVUE, restantes=0), titre="Deux camionnettes").fiche
    change = juge(lue, Issue.APPROUVEE)
    assert isinstance(change.evenement, AnnoncePourvue)
    assert change.fiche.annonce.titre == "Deux camionnettes"


@pytest.mark.parametrize(("issue", "etat"), [(Issue.REFUSEE, E.REFUSEE), (Issue.A_CORRIGER, E.A_CORRIGER)])
def test_un_texte_refuse_laisse_l_annonce_comme_elle_etait_et_dit_pourquoi(issue: Issue, etat: EtatAnnonce) -> None:
    avant = fiche(E.PUBLIEE)
    change = juge(corrige(avant, titre="Deux camionnettes").fiche, issue)
    assert change.fiche.annonce == avant.annonce.model_copy(update={"version": 7})
    proposition = change.fiche.proposition
    assert proposition is not None
    assert (proposition.etat, [m.code for m in proposition.motifs]) == (etat, ["autre"])
    assert change.evenement is not None
    assert change.evenement.proposee is None
    # A second decision about it changes nothing.
    assert domain.appliquer_decision(change.fiche, decision(Issue.APPROUVEE, version=6), NOW) is None


def test_ce_que_le_moderateur_lit_deja_garde_sa_version() -> None:
    lue = corrige(fiche(E.PUBLIEE), titre="Deux camionnettes").fiche
    encore = corrige(lue, titre="Deux camionnettes", places=9).fiche
    assert encore.proposition == lue.proposition
    autre = corrige(encore, titre="Trois camionnettes").fiche
    assert autre.proposition is not None
    assert autre.proposition.version == 8
    assert domain.appliquer_decision(autre, decision(Issue.REFUSEE, version=6), NOW) is not None
    assert juge(autre, Issue.APPROUVEE).fiche.annonce.titre == "Trois camionnettes"


def test_revenir_au_texte_en_ligne_retire_la_correction() -> None:
    lue = corrige(fiche(E.PUBLIEE), titre="Deux camionnettes").fiche
    assert corrige(lue).fiche.proposition is None


def test_une_annonce_retiree_ou_finie_n_a_plus_de_correction() -> None:
    lue = corrige(fiche(E.PUBLIEE), titre="Deux camionnettes").fiche
    assert domain.retirer(lue).fiche.proposition is None
    assert domain.expirer(lue).fiche.proposition is None


def test_le_retrait_par_un_moderateur_l_emporte_sur_une_correction() -> None:
    lue = corrige(fiche(E.PUBLIEE), titre="Deux camionnettes").fiche
    assert juge(lue, Issue.RETIREE, version=2).fiche.annonce.etat is E.RETIREE


def test_ce_qui_est_stocke_redit_la_correction_et_une_ligne_d_avant_n_en_a_pas() -> None:
    lue = corrige(fiche(E.PUBLIEE), titre="Deux camionnettes", lieu=LOMME).fiche
    document = stocke(lue)
    assert relue(document).proposition == lue.proposition
    assert relue(document).annonce == lue.annonce
    assert republiee(document).proposee == proposee(lue)
    del document["proposition"]
    assert relue(document).proposition is None
    assert republiee(document).proposee is None


def test_une_annonce_relue_au_moment_de_la_mise_a_jour_suit_l_ancien_chemin() -> None:
    """A row that an older version left in `deposee`, published once: its approval puts it online again."""
    lue = fiche(E.DEPOSEE, version=3, version_deposee=3)
    document = {**stocke(Fiche(lue.annonce.model_copy(update={"publiee_at": NOW}), 3))}
    del document["proposition"]
    change = juge(relue(document), Issue.APPROUVEE, version=3)
    assert change.fiche.annonce.etat is E.PUBLIEE
    assert isinstance(change.evenement, AnnoncePubliee)


_PAS = st.one_of(
    st.tuples(st.just("corriger"), st.sampled_from(["A camion", "B camion", "C camion"]), st.integers(1, 9)),
    st.tuples(st.just("places"), st.integers(1, 9)),
    st.tuples(
        st.just("juger"), st.sampled_from([Issue.APPROUVEE, Issue.REFUSEE, Issue.A_CORRIGER]), st.integers(1, 40)
    ),
    st.tuples(st.just("reserver"), st.integers(1, 4)),
    st.tuples(
        st.just("liberer"),
    ),
)


@given(st.lists(_PAS, max_size=40))
def test_ce_qui_est_en_ligne_a_toujours_ete_approuve_et_les_places_tenues_le_restent(
    pas: list[tuple[Any, ...]],
) -> None:
    lue = fiche(E.PUBLIEE)
    approuves = {lue.annonce.titre}
    prises: list[int] = []
    for quoi, *valeurs in pas:
        avant = lue
        try:
            lue = _applique(avant, quoi, valeurs, prises)
        except domain.Refus:
            lue = avant
            continue
        if quoi == "juger" and valeurs[0] is Issue.APPROUVEE and avant.proposition:
            approuves.add(avant.proposition.texte.titre)
        annonce = lue.annonce
        assert annonce.titre in approuves
        assert annonce.places - annonce.places_restantes == sum(prises)
        assert annonce.etat is (E.POURVUE if annonce.places_restantes == 0 else E.PUBLIEE)
        assert lue.version_deposee <= annonce.version
        assert annonce.version >= avant.annonce.version


def _applique(lue: Fiche, quoi: str, valeurs: list[Any], prises: list[int]) -> Fiche:
    change: Changement | None
    if quoi == "corriger":
        change = corrige(lue, titre=valeurs[0], places=valeurs[1])
    elif quoi == "places":
        change = domain.changer_places(lue, valeurs[0])
    elif quoi == "juger":
        change = domain.appliquer_decision(lue, decision(valeurs[0], version=min(valeurs[1], lue.annonce.version)), NOW)
        # What the policy publishes at once can be withdrawn by an older road: here only corrections are judged.
        if change is not None and change.fiche.annonce.etat not in EN_LIGNE:
            return lue
    elif quoi == "reserver":
        change = domain.reserver(lue, valeurs[0], NOW)
        prises.append(valeurs[0])
    else:
        change = domain.liberer(lue, prises.pop()) if prises else None
    return change.fiche if change else lue


def test_une_annonce_sans_date_se_prolonge_et_deux_fois_le_meme_jour_ne_change_rien() -> None:
    plus_tard = NOW + dt.timedelta(days=50)
    prolongee = domain.prolonger(fiche(E.POURVUE, restantes=0), plus_tard)
    assert prolongee.fiche.annonce.expire_at == plus_tard + dt.timedelta(days=60)
    assert prolongee.fiche.annonce.etat is E.POURVUE
    encore = domain.prolonger(prolongee.fiche, plus_tard)
    assert encore.fiche.annonce.expire_at == prolongee.fiche.annonce.expire_at


def test_une_annonce_datee_ou_finie_ne_se_prolonge_pas() -> None:
    datee = corrige(fiche(E.PUBLIEE), date_debut=dt.date(2026, 3, 14)).fiche
    with pytest.raises(domain.FinFixee):
        domain.prolonger(datee, NOW)
    with pytest.raises(domain.TransitionInterdite):
        domain.prolonger(fiche(E.EXPIREE), NOW)


def test_chaque_champ_est_relu_ou_prend_effet_tout_de_suite() -> None:
    assert set(Contenu.model_fields) == set(Texte.model_fields) | IMMEDIATS
    assert set(Texte.model_fields) & {"titre", "description", "lieu", "nature"} == {
        "titre",
        "description",
        "lieu",
        "nature",
    }
