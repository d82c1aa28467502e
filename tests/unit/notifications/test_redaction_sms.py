"""What an SMS and a notification say: short, in one alphabet, and never without what somebody needs to answer."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.annonces import RaisonSansEffet
from services.notifications.canaux.sms.gsm7 import Codage, codage, compter
from services.notifications.comprehension.commands import Non, Oui, Pause, Reprise
from services.notifications.comprehension.read import lire
from services.notifications.domain import Genre
from services.notifications.messages.samples import ANNONCE, EXEMPLES, PERSONNE
from services.notifications.messages.sms import ALERTE_PARTIES, PUSH, SMS, SansTexte, rediger_push, rediger_sms

ALERTE = {**ANNONCE, **PERSONNE}
FIN = "Réf. K7. Répondez OUI K7, NON K7 ou STOP"


class Lues(Mapping[str, Any]):
    """Remembers what was asked for."""

    def __init__(self, valeurs: Mapping[str, Any]) -> None:
        self._valeurs = valeurs
        self.noms: set[str] = set()

    def __getitem__(self, nom: str) -> Any:
        valeur = self._valeurs[nom]
        self.noms.add(nom)
        return valeur

    def __iter__(self) -> Iterator[str]:
        return iter(self._valeurs)

    def __len__(self) -> int:
        return len(self._valeurs)


def sms(genre: Genre, **autres: Any) -> str:
    return rediger_sms(genre, {**EXEMPLES[genre], **PERSONNE, **autres})


def test_une_alerte_dit_quoi_quand_ou_pourquoi_et_comment_repondre() -> None:
    assert rediger_sms(Genre.ALERTE, ALERTE) == (
        "Besoin urgent : Une camionnette pour un samedi matin (Le Vestiaire de Fives)\n"
        "sam. 13/03, samedi matin, Fives\n"
        "Pour vous : à 1,2 km de chez vous, samedi matin, véhicule\n" + FIN
    )


@settings(deadline=None)
@given(
    titre=st.text(min_size=1, max_size=300),
    nom=st.none() | st.text(max_size=300),
    pourquoi=st.lists(st.text(max_size=60), max_size=8).map(" · ".join),
    creneaux=st.lists(st.sampled_from(["samedi-matin", "dimanche-apres-midi"]), max_size=8),
)
def test_une_alerte_tient_en_deux_parties_avec_sa_reference_et_stop(
    titre: str, nom: str | None, pourquoi: str, creneaux: list[str]
) -> None:
    donnees = {**ALERTE, "titre": titre, "auteur": {"nom": nom}, "pourquoi": pourquoi, "creneaux": creneaux}
    texte = rediger_sms(Genre.ALERTE, donnees)
    assert compter(texte) <= ALERTE_PARTIES
    assert texte.endswith(FIN)


@settings(deadline=None)
@given(titre=st.text(st.sampled_from("abcdefgh éèàê'’«»œ…-"), min_size=1, max_size=300))
def test_un_titre_francais_reste_dans_l_alphabet_le_moins_cher(titre: str) -> None:
    assert codage(rediger_sms(Genre.ALERTE, {**ALERTE, "titre": titre})) is Codage.GSM7


def test_les_raisons_sont_abregees_avant_le_titre() -> None:
    texte = rediger_sms(Genre.ALERTE, {**ALERTE, "pourquoi": " · ".join(["une raison assez longue"] * 9)})
    assert ANNONCE["titre"] in texte
    assert "Pour vous : une raison assez longue" in texte
    long = rediger_sms(Genre.ALERTE, {**ALERTE, "titre": "Un mot après l’autre " * 12})
    assert "Pour vous" not in long
    assert "..." in long.splitlines()[0]
    assert "sam. 13/03, Fives" in long


def test_une_image_ne_double_pas_le_prix_et_les_autres_ecritures_restent() -> None:
    assert "Un camion pour Noël" in rediger_sms(Genre.ALERTE, {**ALERTE, "titre": "Un camion 🚚 pour Noël ❤️"}).replace(
        "  ", " "
    ).replace("Noel", "Noël")
    arabe = rediger_sms(Genre.ALERTE, {**ALERTE, "titre": "شاحنة صغيرة ليوم السبت"})
    assert "شاحنة" in arabe
    assert compter(arabe) <= ALERTE_PARTIES


def test_une_offre_est_appelee_offre() -> None:
    assert rediger_sms(Genre.ALERTE, {**ALERTE, "sens": "offre"}).startswith("Offre urgente : ")
    assert rediger_sms(Genre.ALERTE, {**ALERTE, "sens": "offre", "urgent": False}).startswith("Offre : ")


@pytest.mark.parametrize("genre", [*SMS])
def test_chaque_sms_tient_en_deux_parties_de_l_alphabet_le_moins_cher(genre: Genre) -> None:
    long = {nom: "Mots d’un titre très long " * 12 for nom in ("titre",) if nom in EXEMPLES[genre]}
    for texte in (sms(genre), sms(genre, **long)):
        assert codage(texte) is Codage.GSM7
        assert compter(texte) <= 2
        assert "\u00a0" not in texte


@pytest.mark.parametrize("genre", [*SMS])
def test_un_sms_incomplet_ne_s_ecrit_pas(genre: Genre) -> None:
    lues = Lues({**EXEMPLES[genre], **PERSONNE})
    rediger_sms(genre, lues)
    # Three names are looked at only if they are there, and the page with the third.
    for nom in lues.noms - {"ref", "quantite_demandee", "rencontre"}:
        with pytest.raises(KeyError, match=nom):
            rediger_sms(genre, {n: v for n, v in lues.items() if n != nom})


def test_ce_qu_un_sms_dit_d_ecrire_est_compris() -> None:
    assert lire("OUI K7") == Oui(reference="K7")
    assert lire("NON K7") == Non("K7")
    assert lire("OUI 3 K7") == Oui(3, "K7")
    assert lire("PAUSE 30") == Pause(30)
    assert lire("REPRENDRE") == Reprise()
    assert all(mot in sms(Genre.AIDE_SMS) for mot in ("OUI K7", "OUI 3 K7", "NON", "PAUSE 30", "STOP"))
    assert "REPRENDRE" in sms(Genre.PAUSE_CONFIRMEE)


def test_une_reponse_apprend_la_verite() -> None:
    assert "place 3 sur 5" in sms(Genre.REPONSE_NOTEE, quantite=1, quantite_demandee=None)
    assert "places 2 à 3 sur 5" in sms(Genre.REPONSE_NOTEE)
    assert "Il n'en restait pas 3" in sms(Genre.REPONSE_NOTEE)
    assert sms(Genre.REPONSE_NOTEE, quantite=1, place=None, places=None).startswith("Merci, une place pour")
    assert "liste d'attente (numéro 2)" in sms(Genre.REPONSE_EN_ATTENTE)
    assert "liste d'attente." in sms(Genre.REPONSE_EN_ATTENTE, rang=None)


@pytest.mark.parametrize("raison", [*RaisonSansEffet, "une-raison-plus-recente"])
def test_pourquoi_un_message_n_a_rien_change_est_toujours_dit(raison: str) -> None:
    texte = sms(Genre.REPONSE_SANS_EFFET, raison=raison, place=None, rang=None, places=None, titre="")
    assert texte.startswith("Merci, mais votre message ne change rien : ")
    assert codage(texte) is Codage.GSM7


def test_un_simple_non_n_est_propose_qu_avec_sa_reference() -> None:
    assert sms(Genre.RAPPEL, ref="K7").endswith("Pour renoncer, répondez NON K7.")
    assert "NON" not in sms(Genre.RAPPEL)


def test_un_numero_inconnu_l_apprend() -> None:
    assert "ne connaît pas" in sms(Genre.AIDE_SMS, inconnu=True) or "ne connait pas" in sms(
        Genre.AIDE_SMS, inconnu=True
    )


def test_ce_qui_ne_s_ecrit_pas_pour_un_canal_est_dit() -> None:
    with pytest.raises(SansTexte):
        rediger_sms(Genre.RESUME, EXEMPLES[Genre.RESUME])
    with pytest.raises(SansTexte):
        rediger_push(Genre.CODE, {})


@pytest.mark.parametrize("genre", [*PUSH])
def test_chaque_notification_dit_ce_qu_elle_est_et_ouvre_une_page_du_site(genre: Genre) -> None:
    push = rediger_push(genre, {**EXEMPLES[genre], **PERSONNE})
    assert push["title"]
    assert push["body"]
    assert "{" not in push["body"] + push["url"]
    assert push["url"].startswith("/")
    assert not push["url"].startswith("//")


def test_une_notification_incomplete_ne_s_ecrit_pas() -> None:
    with pytest.raises(KeyError):
        rediger_push(Genre.ALERTE, ANNONCE)


def test_le_jour_d_une_pause_est_court_et_juste() -> None:
    assert dt.date(2027, 4, 12).weekday() == 0
    assert "lun. 12/04" in sms(Genre.PAUSE_CONFIRMEE)
