"""Reasons of a decision: which are allowed, what they require, and the sentence for the author. Pure."""

import re
from collections.abc import Sequence

from contracts import references
from contracts.moderation import Issue, Motif, TypeCible
from services.moderation.domain import ISSUES, Dossier

EXPLICATION_MAX = 2000


class DecisionInvalide(Exception):
    """`erreurs` are (field, French sentence)."""

    def __init__(self, erreurs: Sequence[tuple[str, str]]) -> None:
        super().__init__(erreurs[0][1])
        self.erreurs = list(erreurs)


def proposables(cible: TypeCible, *, revue: bool) -> list[references.Motif]:
    """The reasons that can be chosen for a dossier, in the order of the list."""
    return [m for m in references.motifs().values() if cible in m.cibles and set(m.issues) & set(ISSUES[revue])]


def motiver(dossier: Dossier, issue: Issue, motifs: Sequence[Motif]) -> list[Motif]:
    """The reasons as stored and sent, each with the complete sentence for the author. Raises DecisionInvalide."""
    erreurs: list[tuple[str, str]] = []
    if issue not in ISSUES[dossier.revue]:
        permises = " ou ".join(f"« {i} »" for i in ISSUES[dossier.revue])
        erreurs.append(("issue", f"Ce dossier n’admet que {permises}."))
    elif issue is Issue.APPROUVEE:
        if motifs:
            erreurs.append(("motifs", "Une approbation ne porte pas de motif."))
    elif not motifs:
        erreurs.append(("motifs", "Choisissez au moins un motif : l’auteur doit savoir pourquoi."))
    if erreurs:
        raise DecisionInvalide(erreurs)
    codes = [motif.code for motif in motifs]
    for rang, motif in enumerate(motifs):
        champ = f"motifs.{rang}"
        if codes.index(motif.code) < rang:
            erreurs.append((f"{champ}.code", "Ce motif est donné deux fois."))
        else:
            erreurs += [(f"{champ}.{nom}", phrase) for nom, phrase in _erreurs(dossier, issue, motif)]
    if erreurs:
        raise DecisionInvalide(erreurs)
    return [_complet(motif) for motif in motifs]


def _erreurs(dossier: Dossier, issue: Issue, motif: Motif) -> list[tuple[str, str]]:
    connu = references.motifs().get(motif.code)
    if connu is None:
        return [("code", f"Le motif « {motif.code[:64]} » n’existe pas.")]
    if issue not in connu.issues or dossier.cible_type not in connu.cibles:
        return [("code", f"Le motif « {connu.libelle} » ne convient pas à cette décision.")]
    erreurs = []
    if connu.explication_requise and not motif.explication.strip():
        erreurs.append(("explication", f"Le motif « {connu.libelle} » demande une explication écrite par vous."))
    if len(motif.explication) > EXPLICATION_MAX:
        erreurs.append(("explication", f"L’explication compte au plus {EXPLICATION_MAX} caractères."))
    if connu.engagement_requis:
        if motif.engagement is None:
            erreurs.append(("engagement", "Nommez l’engagement du contrat d’engagement républicain (de 1 à 7)."))
        if not (motif.passage or "").strip():
            erreurs.append(("passage", "Citez le passage du texte qui est contraire à cet engagement."))
        elif not cite(motif.passage or "", dossier):
            erreurs.append(("passage", "Ce passage ne figure pas dans le texte\u00a0: citez-le mot pour mot."))
    elif motif.engagement is not None or motif.passage:
        erreurs.append(("code", f"Le motif « {connu.libelle} » ne cite ni engagement ni passage."))
    return erreurs


def cite(passage: str, dossier: Dossier) -> bool:
    """True when `passage` occurs in the title or description, ignoring white space and the shape of quotes."""
    cherche = _plat(passage)
    return bool(cherche) and any(cherche in _plat(texte) for texte in (dossier.titre, dossier.description))


def _plat(texte: str) -> str:
    return re.sub(r"\s+", " ", texte.replace("’", "'")).strip(' «»"“”')


def _complet(motif: Motif) -> Motif:
    connu = references.motifs()[motif.code]
    ecrit = motif.explication.strip()
    # Where an explanation is required, the moderator's own sentence replaces that of the list.
    phrase = ecrit if connu.explication_requise else " ".join(p for p in (connu.explication, ecrit) if p)
    passage = motif.passage.strip() if motif.passage else None
    return motif.model_copy(update={"explication": phrase, "passage": passage})
