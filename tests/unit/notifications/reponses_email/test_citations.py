# ruff: noqa: E501 - mails as programs write them
"""Of an answer only what its author wrote is passed on, whatever their mail program quotes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.messages.wording import REPERE_DE_REPONSE
from services.notifications.reponses_email.quotes import sans_citation

CITE = f"Bonjour,\n\n{REPERE_DE_REPONSE}.\n\nÀ propos de « Une camionnette » :\nVous venez ?\n"
CITE_CHEVRONS = "".join(f"> {ligne}\n" for ligne in CITE.splitlines())
ENTETES = "De : Place des assos <x@y.example>\nEnvoyé : samedi 28 novembre 2026 10:12\nÀ : c@exemple.fr\nObjet : M\n\n"
# As these programs write, on long lines.
PROGRAMMES = {
    "gmail": f"\n\nLe sam. 28 nov. 2026 à 10:12, Place des assos <ne-pas-repondre@place.example>\na écrit :\n\n{CITE_CHEVRONS}",
    "gmail en anglais": f"\n\nOn Sat, Nov 28, 2026 at 10:12 AM Place des assos <x@y> wrote:\n\n{CITE_CHEVRONS}",
    "outlook": f"\n\n{ENTETES}{CITE}",
    "outlook avec un trait": f"\n\n________________________________\n{ENTETES}{CITE}",
    "outlook ancien": f"\n\n-----Message d'origine-----\n{ENTETES}{CITE}",
    "iphone": f"\n\nEnvoyé de mon iPhone\n\n> Le 28 nov. 2026 à 10:12, Place des assos <x@y> a écrit :\n> \n{CITE_CHEVRONS}",
    "android": f"\n\nEnvoyé depuis mon appareil Galaxy\n\n\n-------- Message d'origine --------\nDe : Place <x@y>\n\n{CITE}",
    "thunderbird": f"\n\nLe 28/11/2026 à 10:12, Place des assos a écrit :\n{CITE_CHEVRONS}\n-- \nCamille\n06 00 00 00 00\n",
    "yahoo": f"\n\n    Le samedi 28 novembre 2026 à 10:12:00 UTC+1, Place <x@y> a écrit :  \n \n {CITE}",
    "orange": f'\n\n\n> Message du 28/11/26 10:12\n> De : "Place" <x@y>\n> A : c@exemple.fr\n> Objet : M\n> \n{CITE_CHEVRONS}',
    "sans rien autour": f"\n\n{CITE}",
    "seulement cité": f"\n\n{CITE_CHEVRONS}",
}


@pytest.mark.parametrize("programme", PROGRAMMES)
@pytest.mark.parametrize("fins", ["\n", "\r\n"])
def test_ce_que_le_programme_cite_n_est_pas_transmis(programme: str, fins: str) -> None:
    courriel = f"D’accord pour 9 h.\n\nCamille{PROGRAMMES[programme]}"
    assert sans_citation(courriel.replace("\n", fins)) == "D’accord pour 9 h.\n\nCamille"


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_une_reponse_sans_mot_est_vide(programme: str) -> None:
    assert sans_citation(PROGRAMMES[programme]) == ""


def test_qui_repond_en_dessous_ou_entre_les_lignes_est_lu() -> None:
    dessous = f"Le 28/11/2026 à 10:12, Place a écrit :\n{CITE_CHEVRONS}\nOui, je viens.\n"
    assert sans_citation(dessous) == "Oui, je viens."
    entre = "Le 28/11/2026 à 10:12, Place a écrit :\n> À quelle heure ?\n9 h\n> Avec qui ?\nAvec Paul\n"
    assert sans_citation(entre) == "9 h\n> Avec qui ?\nAvec Paul"


@pytest.mark.parametrize(
    "texte",
    [
        "Bonjour,\nje viens avec :\n- une corde\n- un diable\nDe mon côté c’est bon.\nCordialement\nPaul",
        "Le maire a écrit : venez nombreux.\nÀ samedi",
        "De : la gare, je prends le bus 12.\nEt vous ?",
        "Objet : la camionnette\nElle est rouge.",
        "Le 12 je ne peux pas, le 13 oui.",
    ],
)
def test_des_mots_qui_ressemblent_a_une_citation_restent(texte: str) -> None:
    assert sans_citation(texte) == texte


@given(st.text(max_size=300))
def test_rien_n_est_invente(texte: str) -> None:
    lignes = {ligne.strip() for ligne in texte.replace("\r\n", "\n").replace("\r", "\n").split("\n")}
    assert {ligne.strip() for ligne in sans_citation(texte).split("\n")} <= lignes | {""}


@pytest.mark.parametrize("motif", ["_", " ", "> ", ">\n", "> \n", "\n", "\r", "-- \n", "Envoyé de mon \n"])
def test_cent_mille_signes_autour_d_une_reponse_ne_la_cachent_pas(motif: str) -> None:
    assert sans_citation(f"Oui.\n\n{motif * (100_000 // len(motif))}").startswith("Oui.")
