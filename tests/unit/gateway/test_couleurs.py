"""The contrast of every pair of colours that the style sheet puts together, in light and in dark (WCAG 2.1 AA)."""

import re
from pathlib import Path

import pytest

import gateway

STYLE = (Path(gateway.__file__).parent / "static" / "style.css").read_text(encoding="utf-8")
TEXT = [
    ("texte", "fond"),
    ("texte", "carte"),
    ("texte", "vert-pale"),
    ("texte", "jaune-pale"),
    ("doux", "fond"),
    ("doux", "carte"),
    ("vert-vif", "fond"),
    ("vert-vif", "carte"),
    ("vert-vif", "vert-pale"),
    ("vert-vif", "jaune-pale"),
    ("corail", "fond"),
    ("corail", "carte"),
    ("corail", "corail-pale"),
    ("texte", "corail-pale"),
    ("sur-vert", "vert"),
]
BORDERS = [("bord-champ", "fond"), ("bord-champ", "carte"), ("bord-champ", "vert-pale")]


def palette(dark: bool) -> dict[str, str]:
    blocks = re.findall(r":root \{([^}]*)\}", STYLE)
    found: dict[str, str] = {}
    for block in blocks[: 2 if dark else 1]:
        found |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT, 4.5), (BORDERS, 3.0)])
def test_contrast(dark: bool, pairs: list[tuple[str, str]], least: float) -> None:
    colours = palette(dark)
    weak = {pair: contrast(*(colours[name] for name in pair)) for pair in pairs}
    assert {pair: round(ratio, 2) for pair, ratio in weak.items() if ratio < least} == {}


@pytest.mark.parametrize("button", ["#17524c", "#0f6b62", "#1d7268", "#a8361b"])
def test_le_blanc_se_lit_sur_les_boutons(button: str) -> None:
    assert contrast("#ffffff", button) >= 4.5
    assert button in STYLE
