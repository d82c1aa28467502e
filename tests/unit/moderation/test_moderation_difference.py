"""What a moderator reads of a correction: the words that go and come."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from services.moderation import difference


def sans_caches(html: str) -> str:
    return re.sub(r'<span class="hors-vue">.*?</span>', "", html)


def test_seuls_les_mots_qui_changent_sont_marques() -> None:
    html = difference.mots("Une camionnette pour samedi matin.", "Une grande camionnette pour dimanche matin.")
    assert sans_caches(html) == ("Une<ins> grande</ins> camionnette pour <del>samedi</del><ins>dimanche</ins> matin.")


def test_ce_qui_change_se_lit_sans_couleur_ni_trait() -> None:
    lu = difference.mots("samedi", "dimanche").striptags()
    assert lu.replace("\u00a0", " ") == "(retiré : samedi)(ajouté : dimanche)"


def test_ce_que_des_gens_ont_ecrit_reste_du_texte() -> None:
    html = difference.mots("<b>un</b> & deux", "<script>un</script> & deux")
    assert "<b>" not in html
    assert "<script>" not in html


@pytest.mark.parametrize(("avant", "apres"), [("", ""), ("", "neuf"), ("vieux", ""), ("pareil", "pareil")])
def test_rien_de_plus_que_ce_qui_change(avant: str, apres: str) -> None:
    html = difference.mots(avant, apres)
    assert ("<ins>" in html, "<del>" in html) == (avant != apres and apres != "", avant != apres and avant != "")


@given(st.text(max_size=60), st.text(max_size=60))
def test_le_texte_d_avant_et_celui_d_apres_se_retrouvent_en_entier(avant: str, apres: str) -> None:
    html = sans_caches(difference.mots(avant, apres))
    reste_avant = re.sub(r"<ins>.*?</ins>", "", html, flags=re.DOTALL)
    reste_apres = re.sub(r"<del>.*?</del>", "", html, flags=re.DOTALL)
    assert reste_avant.replace("<del>", "").replace("</del>", "") == str(escape(avant))
    assert reste_apres.replace("<ins>", "").replace("</ins>", "") == str(escape(apres))


def test_les_autres_champs_disent_de_quoi_a_quoi() -> None:
    avant = {"sens": "besoin", "nature": "logistique", "lieu": {"quartier": "fives"}, "certifications": []}
    apres = {**avant, "lieu": {"quartier": "lomme"}, "certifications": ["permis-b"]}
    changes = {nom: (de, a) for nom, de, a in difference.champs(avant, apres)}
    assert changes == {"Quartier": ("Fives", "Lomme"), "Certifications": ("", "Permis B")}
    assert difference.champs(avant, avant) == []
