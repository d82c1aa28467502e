"""What the legal page says of phones and browsers; French punctuation that does not leave its word."""

import re

from gateway.pages.rendering import environment
from gateway.settings import Reglages
from services.notifications.settings import Reglages as Notifications


def page() -> str:
    reglages = Reglages()
    mentions = {
        "editeur": reglages.editeur,
        "directeur": reglages.directeur_publication,
        "hebergeur": reglages.hebergeur,
        "contact": reglages.contact,
    }
    template = environment().get_template("mentions_legales.html")
    return template.render(connecte=False, moderateur=False, chemin="/mentions-legales", message="", mentions=mentions)


def test_les_mentions_parlent_des_telephones_des_navigateurs_et_de_leur_arret() -> None:
    html = page()
    assert {"Votre numéro de téléphone", "Les notifications du navigateur", "Ce qui est gardé"} <= set(
        re.findall(r"<h3>([^<]*)</h3>", html)
    )
    assert "Répondez STOP" in html
    assert {"/mon-compte/preferences", "/mon-compte/messages", "/mon-compte/effacer"} <= set(
        re.findall(r'href="([^"]+)"', html)
    )


def test_le_registre_est_garde_le_temps_qui_est_dit() -> None:
    assert "nous le gardons un an" in page()
    assert Notifications.model_fields["conservation_jours"].default == 365


def test_la_ponctuation_reste_avec_son_mot() -> None:
    text = re.sub(r"<[^>]*>", "", page())
    assert re.findall(r"\w+ [:;?!»]|« ", text) == []
