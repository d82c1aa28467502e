"""The HTML of mails, from MJML: once per process, with the Jinja markup left in place for each content.

templates/courriel.mjml holds the frame of a mail and, in its one column, the components that messages are made of. Rows
that hold a mark say which is which: `@@ macro bouton(url, texte) @@` … `@@ fin @@`, and `@@ bloc corps @@` where the
message goes. They are cut out of what MJML makes of them, tables and inlined styles included, since MJML itself would
take milliseconds for each content, and moves what it does not know to where it does not belong.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import mrml
from jinja2 import BaseLoader, ChoiceLoader, DictLoader, Environment, FileSystemLoader, StrictUndefined

from services.notifications.messages.wording import FILTRES

GABARITS = Path(__file__).with_name("templates")
# A whole row of the column, as MJML writes it around a text.
_MARQUE = re.compile(r"<tr><td[^>]*><div[^>]*>@@ (.+?) @@</div></td></tr>")
_FIN = "fin"


class GabaritInvalide(ValueError):
    """courriel.mjml is no MJML, or its marks do not pair."""


def compiler(source: str) -> Mapping[str, str]:
    """{"courriel": the frame, "composants": the macros}, as Jinja sources. Raises GabaritInvalide."""
    try:
        rendu = mrml.to_html(source)
    except OSError as error:
        raise GabaritInvalide(str(error)) from error
    if rendu.warnings:
        raise GabaritInvalide(", ".join(f"{w.kind} at {w.start}" for w in rendu.warnings))
    # Line breaks mean nothing in it; each costs bytes in each mail.
    morceaux = _MARQUE.split(re.sub(r"\s*\n\s*", " ", rendu.content))
    cadre, macros, ouverte = [morceaux[0]], [], ""
    # split() with one group: HTML, mark, HTML, mark … HTML.
    for marque, suite in zip(morceaux[1::2], morceaux[2::2], strict=True):
        genre, _, nom = marque.partition(" ")
        if (genre == _FIN) != bool(ouverte):
            raise GabaritInvalide(f"« {marque} » is not expected here")
        match genre:
            case "macro":
                ouverte = nom
                macros.append(f"{{% macro {nom} %}}{suite.strip()}{{% endmacro %}}\n")
                continue
            case "bloc":
                cadre.append(f"{{% block {nom} %}}{{% endblock %}}")
            case "fin":
                ouverte = ""
            case _:
                raise GabaritInvalide(f"« {marque} » is no mark")
        cadre.append(suite)
    if ouverte:
        raise GabaritInvalide(f"« {ouverte} » does not end")
    return {"courriel": "".join(cadre), "composants": "".join(macros)}


def _environnement(communs: Mapping[str, str], echappe: bool) -> Environment:
    # Both know the frame and the components by the same names: a message is written once, and rendered twice.
    loader: BaseLoader = ChoiceLoader([DictLoader(dict(communs)), FileSystemLoader(GABARITS)])
    env = Environment(
        loader=loader,
        autoescape=echappe,  # noqa: S701  # the plain-text part is no HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # The files are those of this release: each message would ask their dates again.
        auto_reload=False,
    )
    env.filters.update(FILTRES)
    return env


@cache
def environnements() -> tuple[Environment, Environment]:
    """For the text part and for the HTML part; every message is compiled, so that the first one does not wait."""

    def lire(nom: str) -> str:
        return (GABARITS / nom).read_text(encoding="utf-8")

    textes = {"courriel": lire("courriel.txt.j2"), "composants": lire("composants.txt.j2")}
    paire = _environnement(textes, False), _environnement(compiler(lire("courriel.mjml")), True)
    for env in paire:
        for nom in gabarits():
            env.get_template(f"{nom}.j2")
    return paire


def gabarits() -> list[str]:
    """The names of the messages: templates/<name>.j2."""
    return sorted(chemin.stem for chemin in GABARITS.glob("*.j2") if not chemin.stem.endswith(".txt"))


def source(nom: str) -> str:
    return (GABARITS / f"{nom}.j2").read_text(encoding="utf-8")
