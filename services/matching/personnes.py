"""From profils to people: who has several that an annonce concerns is told of it once, with all the reasons. Pure.

ADR 45 says why matching does it and not notifications.
"""

from collections.abc import Sequence

from contracts.matching import CodeRaison, Destinataire, Raison
from services.matching.scoring import RAISONS_PAR_LISTE

_DU_LIEU = frozenset({CodeRaison.DISTANCE, CodeRaison.A_DISTANCE})
_PLUS_PRECISES = frozenset({CodeRaison.CATEGORIE, CodeRaison.DOMAINE})


def une_fois_par_personne(trouves: Sequence[Destinataire]) -> list[Destinataire]:
    """One match per account, best first like `trouves`: the best of its profils, and the others in `autres_profils`."""
    par_compte: dict[str, list[Destinataire]] = {}
    for match in trouves:
        par_compte.setdefault(match.compte_id, []).append(match)
    return [siens[0] if len(siens) == 1 else _reunir(siens) for siens in par_compte.values()]


def _reunir(siens: Sequence[Destinataire]) -> Destinataire:
    meilleur, *autres = siens
    toutes = [*meilleur.raisons, *(raison for autre in autres for raison in autre.raisons)]
    return meilleur.model_copy(
        update={"raisons": _sans_repetition(toutes), "autres_profils": [autre.profil_id for autre in autres]}
    )


def _sans_repetition(raisons: Sequence[Raison]) -> list[Raison]:
    """Each once, the first place only (that of the best profil), in the order in which a person wants them."""
    lieu, uniques = raisons[0], list(dict.fromkeys(raison for raison in raisons if raison.code not in _DU_LIEU))
    gardees: list[Raison] = []
    for code in CodeRaison:
        siennes = [raison for raison in uniques if raison.code is code]
        if code is CodeRaison.NATURE and any(raison.code in _PLUS_PRECISES for raison in uniques):
            continue
        gardees += siennes if code is CodeRaison.CERTIFICATION else siennes[:RAISONS_PAR_LISTE]
    return [lieu, *gardees]
