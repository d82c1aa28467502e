"""Who may write in a conversation, who is told, and under which name people see one another."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.annonces import EtatAnnonce, EtatReponse, Reponse
from contracts.commun import Auteur, TypeAuteur
from contracts.effacement import COMPTE_EFFACE
from services.annonces.conversations import rules, views
from services.annonces.conversations.rules import (
    CONSERVATION,
    MESSAGES_PAR_CONVERSATION,
    MESSAGES_PAR_HEURE,
    Conversation,
    ConversationFermee,
    Cote,
    PasParticipant,
    RendezVous,
    TropDeMessages,
)
from tests.unit.annonces.fabrique import NOW, fiche

COMPTES = st.sampled_from(["r1", "g1", "g2", "intrus", COMPTE_EFFACE])


def conversation(
    repondant: str = "r1",
    gerants: tuple[str, ...] = ("g1", "g2"),
    etat: EtatReponse = EtatReponse.DEPOSEE,
    auteur: Auteur | None = None,
    **champs: object,
) -> Conversation:
    annonce = fiche(EtatAnnonce.PUBLIEE).annonce
    if auteur:
        annonce = annonce.model_copy(update={"auteur": auteur})
    reponse = Reponse(
        reponse_id="rep1",
        version=1,
        etat=etat,
        annonce_id="n1",
        annonce_titre=annonce.titre,
        quantite=1,
        compte_id=repondant,
        destinataires=[],
        deposee_at=NOW,
    )
    return Conversation(reponse, annonce, gerants, **champs)  # type: ignore[arg-type]


@given(repondant=COMPTES, gerants=st.lists(COMPTES, unique=True).map(tuple), compte=COMPTES)
def test_on_n_ecrit_qu_a_l_autre_cote_et_jamais_a_un_compte_efface(
    repondant: str, gerants: tuple[str, ...], compte: str
) -> None:
    lue = conversation(repondant, gerants)
    try:
        message = rules.ecrire(lue, "m1", compte, NOW)
    except PasParticipant:
        assert compte == COMPTE_EFFACE or compte not in (repondant, *gerants)
        return
    assert compte in (repondant, *gerants)
    assert compte not in message.pour or repondant in gerants
    assert COMPTE_EFFACE not in message.pour
    assert set(message.pour) <= {repondant, *gerants}


@pytest.mark.parametrize(
    "lue",
    [
        conversation(fermee_par="g1", fermee_at=NOW),
        conversation(repondant=COMPTE_EFFACE),
        conversation(gerants=()),
        conversation(gerants=(COMPTE_EFFACE,)),
    ],
)
def test_on_n_ecrit_plus_quand_un_cote_a_ferme_ou_n_est_plus_la(lue: Conversation) -> None:
    assert not lue.ouverte
    for cote in Cote:
        for compte in lue.comptes(cote):
            with pytest.raises(ConversationFermee):
                rules.verifier_ecriture(lue, compte, 0)


def test_les_limites_valent_par_personne_et_par_conversation() -> None:
    rules.verifier_ecriture(conversation(), "g2", MESSAGES_PAR_HEURE - 1)
    with pytest.raises(TropDeMessages):
        rules.verifier_ecriture(conversation(), "g2", MESSAGES_PAR_HEURE)
    with pytest.raises(TropDeMessages):
        rules.verifier_ecriture(conversation(nombre=MESSAGES_PAR_CONVERSATION), "r1", 0)
    with pytest.raises(PasParticipant):
        rules.verifier_ecriture(conversation(), "intrus", 0)


def test_les_messages_sont_gardes_un_an_apres_la_fin_ou_le_dernier_mot() -> None:
    lue = conversation()
    assert lue.purge_at(NOW) == lue.annonce.expire_at + CONSERVATION
    apres = lue.annonce.expire_at + dt.timedelta(days=3)
    assert lue.purge_at(apres) == apres + CONSERVATION


@pytest.mark.parametrize(
    ("auteur", "pour_le_repondant", "pour_les_siens"),
    [
        (
            Auteur(type=TypeAuteur.ASSOCIATION, compte_id="g1", association_id="a1", nom="Les Jardins"),
            "Les Jardins",
            "Lou",
        ),
        (Auteur(type=TypeAuteur.PERSONNE_MORALE, compte_id="g1", nom="Textiles du Nord"), "Textiles du Nord", "Lou"),
        (Auteur(type=TypeAuteur.PARTICULIER, compte_id="g1"), "Lou", "Lou"),
    ],
)
def test_une_association_parle_d_une_seule_voix_et_sait_qui_des_siens_a_ecrit(
    auteur: Auteur, pour_le_repondant: str, pour_les_siens: str
) -> None:
    lue = conversation(gerants=("g1",), auteur=auteur)
    prenoms = {"g1": "Lou", "r1": "Awa"}
    assert views.nom_pour(lue, "g1", Cote.REPONDANT, prenoms) == pour_le_repondant
    assert views.nom_pour(lue, "g1", Cote.AUTEUR, prenoms) == pour_les_siens
    assert views.nom_pour(lue, "r1", Cote.AUTEUR, prenoms) == "Awa"
    assert views.nom_d_en_face(lue, Cote.AUTEUR, {}) == "La personne qui a répondu"


def test_un_compte_efface_n_a_plus_de_nom() -> None:
    lue = conversation(repondant=COMPTE_EFFACE)
    assert views.nom_pour(lue, COMPTE_EFFACE, Cote.AUTEUR, {}) == views.SUPPRIME
    assert views.nom_d_en_face(lue, Cote.AUTEUR, {}) == views.SUPPRIME


@pytest.mark.parametrize("etat", list(EtatReponse))
def test_le_lieu_de_rencontre_n_est_dit_au_repondant_qu_une_fois_accepte(etat: EtatReponse) -> None:
    lue = conversation(etat=etat)
    rendez_vous = RendezVous("3e étage", None, 2)
    assert views.rencontre(lue, "g1", {}, rendez_vous).lieu_prive == "3e étage"
    with pytest.raises(PasParticipant):
        views.rencontre(lue, "intrus", {}, rendez_vous)
    if etat is EtatReponse.ACCEPTEE:
        assert views.rencontre(lue, "r1", {}, rendez_vous).sequence == lue.annonce.version + 2
    else:
        with pytest.raises(PasParticipant):
            views.rencontre(lue, "r1", {}, rendez_vous)
