"""What a correction changes: the words that go and come, and the other fields from what to what. Pure."""

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from markupsafe import Markup

from services.moderation import presentation

_MOTS = re.compile(r"\s+|\w+|[^\w\s]")
_AJOUTE = Markup('<ins><span class="hors-vue">(ajouté\u00a0: </span>{}<span class="hors-vue">)</span></ins>')
_RETIRE = Markup('<del><span class="hors-vue">(retiré\u00a0: </span>{}<span class="hors-vue">)</span></del>')


def mots(avant: str, apres: str) -> Markup:
    """`apres` as HTML, with <ins> around words that came and <del> around those that went; each says so in words too,
    for who sees neither colours nor lines.
    """
    anciens, nouveaux = _MOTS.findall(avant), _MOTS.findall(apres)
    return Markup("").join(_morceaux(anciens, nouveaux))


def _morceaux(anciens: list[str], nouveaux: list[str]) -> Iterator[str | Markup]:
    # Without autojunk: the words that come often in a long text are compared as well.
    for quoi, i, j, k, m in SequenceMatcher(None, anciens, nouveaux, autojunk=False).get_opcodes():
        if quoi == "equal":
            yield Markup("{}").format("".join(nouveaux[k:m]))
            continue
        if i < j:
            yield _RETIRE.format("".join(anciens[i:j]))
        if k < m:
            yield _AJOUTE.format("".join(nouveaux[k:m]))


def champs(avant: Mapping[str, Any], apres: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(label, before, after) of the other fields that differ; "" where there was or is nothing."""
    anciens, nouveaux = dict(presentation.lignes(avant)), dict(presentation.lignes(apres))
    noms = [*nouveaux, *(nom for nom in anciens if nom not in nouveaux)]
    return [(nom, anciens.get(nom, ""), nouveaux.get(nom, "")) for nom in noms if anciens.get(nom) != nouveaux.get(nom)]
