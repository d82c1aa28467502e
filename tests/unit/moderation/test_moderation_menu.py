"""The menu of the moderators leads to the pages that other services make for them."""

import re

from gateway.pages import agents
from gateway.pages.site import _MODULES
from services.moderation.rendering import page


def test_le_menu_mene_au_registre_et_aux_messages() -> None:
    problem = {"title": "Introuvable", "detail": "", "errors": [], "status": 404, "slug": "introuvable"}
    html = bytes(page("erreur.html", status=404, problem=problem, menu="").body).decode()
    (nav,) = re.findall(r"<nav.*?</nav>", html, re.DOTALL)
    elsewhere = {lien for lien in re.findall(r'href="([^"]+)"', nav) if not lien.startswith("/moderation/")}
    assert elsewhere == {chemin for chemin, _, _ in agents.PAGES}
    assert agents in _MODULES
