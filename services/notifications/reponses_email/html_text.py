"""The words of a mail that is HTML only, without what it quotes. Pure.

The text is never shown as HTML, so tags need no parser but have to be read in linear time whatever a stranger sends:
200 kB of « <!-- » took html.parser of the standard library three minutes, as many nested elements lexbor one.
"""

import html
import re

# A « < » without its « > » is a word like another.
_BALISE = re.compile(r"(<[^<>]{0,4000}>)")
_NOM = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
_BLOCS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "ul", "ol", "table", "hr", "body"})
_MUETS = frozenset({"script", "style", "head", "title", "blockquote"})
# What Gmail, Thunderbird and Yahoo put around a quotation, besides blockquote.
_CITATION = re.compile(
    r"class\s*=\s*[\"']?[^\"'>]{0,200}\b(?:gmail_quote|moz-cite-prefix|yahoo_quoted)\b", re.IGNORECASE
)


def en_texte(page: str) -> str:
    morceaux: list[str] = []
    cache, profondeur = "", 0
    for morceau in _BALISE.split(_sans_commentaires(page)):
        balise = _NOM.match(morceau) if morceau.endswith(">") else None
        if balise is None:
            if not profondeur and not morceau.startswith("<!"):
                morceaux.append(re.sub(r"\s+", " ", html.unescape(morceau)))
            continue
        nom, ferme = balise[1].lower(), morceau.startswith("</")
        if profondeur:
            # Elements of the same name may be nested in the one that is left out.
            profondeur += (nom == cache) * (-1 if ferme else 1)
        elif not ferme and (nom in _MUETS or _CITATION.search(morceau)):
            cache, profondeur = nom, 1
        elif nom in _BLOCS:
            morceaux.append("\n")
    return "\n".join(ligne.strip() for ligne in "".join(morceaux).split("\n"))


def _sans_commentaires(page: str) -> str:
    morceaux, rang = [], 0
    while (debut := page.find("<!--", rang)) >= 0:
        morceaux.append(page[rang:debut])
        fin = page.find("-->", debut)
        if fin < 0:
            return "".join(morceaux)
        rang = fin + 3
    return "".join([*morceaux, page[rang:]])
