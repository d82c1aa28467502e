"""The frame of mails: MJML is cut where its marks say, and its colours can be read (WCAG 2.1 AA)."""

import re

import pytest

from services.notifications.messages.mjml import GABARITS, GabaritInvalide, compiler

MJML = (GABARITS / "courriel.mjml").read_text(encoding="utf-8")
CLAIR = [
    ("#20262b", "#ffffff"),
    ("#20262b", "#e3efec"),
    ("#0f6b62", "#ffffff"),
    ("#545d63", "#ffffff"),
    ("#ffffff", "#17524c"),
]
SOMBRE = [
    ("#e9ecea", "#1c2426"),
    ("#e9ecea", "#1e3734"),
    ("#7fd3c6", "#1c2426"),
    ("#aeb8b8", "#1c2426"),
    ("#ffffff", "#1d7268"),
]


def corps(*lignes: str) -> str:
    textes = "".join(f"<mj-text>{ligne}</mj-text>" for ligne in lignes)
    return f"<mjml><mj-body><mj-section><mj-column>{textes}</mj-column></mj-section></mj-body></mjml>"


def luminance(couleur: str) -> float:
    parts = [int(couleur[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    rouge, vert, bleu = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * rouge + 0.7152 * vert + 0.0722 * bleu


@pytest.mark.parametrize(("texte", "fond"), CLAIR + SOMBRE)
def test_le_texte_des_courriels_se_lit(texte: str, fond: str) -> None:
    clair, sombre = sorted((luminance(texte), luminance(fond)), reverse=True)
    assert (clair + 0.05) / (sombre + 0.05) >= 4.5


def test_aucune_couleur_ne_sert_sans_etre_verifiee() -> None:
    # Pages behind the card, and the line above the footer: no text stands on them.
    autres = {"#faf7f0", "#13191b", "#7b8187", "#8b979a"}
    verifiees = {couleur for paire in CLAIR + SOMBRE for couleur in paire}
    assert set(re.findall(r"#[0-9a-f]{6}", MJML)) == verifiees | autres


def test_un_composant_se_decoupe_avec_sa_rangee_et_son_jinja() -> None:
    rendu = compiler(corps("a", "@@ macro x(y) @@", "{{ y }}", "@@ fin @@", "@@ bloc corps @@", "z"))
    assert rendu["composants"].startswith("{% macro x(y) %}<tr>")
    assert "{{ y }}" in rendu["composants"]
    assert rendu["courriel"].index(">a<") < rendu["courriel"].index("{% block corps %}{% endblock %}")
    assert "{{ y }}" not in rendu["courriel"]
    assert "@@" not in "".join(rendu.values())


@pytest.mark.parametrize(
    "source",
    [
        corps("@@ macro x() @@", "a"),
        corps("@@ fin @@"),
        corps("@@ macro x() @@", "@@ macro y() @@", "@@ fin @@"),
        corps("@@ rien @@"),
        "<mjml><mj-body>",
    ],
)
def test_des_marques_sans_paire_sont_refusees(source: str) -> None:
    with pytest.raises(GabaritInvalide):
        compiler(source)
