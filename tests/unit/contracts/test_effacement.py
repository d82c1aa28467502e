"""What events may still say of an erased account or annonce: every golden example, and every text that there is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts import generate
from contracts.effacement import COMPTE_EFFACE, TEXTE_EFFACE, sans_annonce, sans_compte
from contracts.evenements import EVENEMENTS

EXEMPLES = sorted((generate.RACINE / "exemples").glob("*.json"))
CLASSES = {event.type_name(): event for event in EVENEMENTS}
COMPTES = {"compte_id", "de", "destinataires", "membres", "par", "pour", "signe_par"}
ANNONCES = {"annonce_id", "cible_id"}
MOTS = {"titre", "description", "annonce_titre", "cible_titre", "explication", "passage"}
"""The fields of events in which somebody's own words are."""
AUTRES = {"code", "nom", "rna", "siren", "valeur", "preuve", "version"}
"""Text that says nothing of a citizen: what is public of an association, codes."""


def feuilles(valeur: Any, nom: str = "") -> Iterator[tuple[str, str]]:
    """(field, text) of all texts in the body of an event."""
    if isinstance(valeur, dict):
        for champ, une in valeur.items():
            yield from feuilles(une, champ)
    elif isinstance(valeur, list):
        for une in valeur:
            yield from feuilles(une, nom)
    elif isinstance(valeur, str):
        yield nom, valeur


def exemple(fichier: Path) -> tuple[Any, dict[str, Any]]:
    corps = json.loads(fichier.read_text())
    return CLASSES[fichier.name.partition(".")[0]], corps


@pytest.mark.parametrize("fichier", EXEMPLES, ids=lambda fichier: fichier.stem)
def test_un_compte_efface_n_est_plus_nomme_par_aucun_evenement(fichier: Path) -> None:
    classe, corps = exemple(fichier)
    for compte_id in {texte for nom, texte in feuilles(corps) if nom in COMPTES} - {COMPTE_EFFACE}:
        reste = sans_compte(corps, compte_id)
        if reste is None or classe.type_name() == "CompteEfface":
            continue
        assert compte_id not in json.dumps(reste)
        classe.model_validate(reste)


@pytest.mark.parametrize("fichier", EXEMPLES, ids=lambda fichier: fichier.stem)
def test_les_mots_d_une_annonce_effacee_ne_sont_plus_dans_aucun_evenement(fichier: Path) -> None:
    classe, corps = exemple(fichier)
    for annonce_id in {texte for nom, texte in feuilles(corps) if nom in ANNONCES}:
        reste = sans_annonce(corps, annonce_id)
        if reste is None:
            continue
        assert {texte for nom, texte in feuilles(reste) if nom in MOTS} <= {TEXTE_EFFACE}
        classe.model_validate(reste)


def test_ce_que_la_personne_demandait_n_est_plus_dit_mais_son_effacement_l_est() -> None:
    def reste(nom: str) -> Any:
        _, corps = exemple(generate.RACINE / "exemples" / f"{nom}.v1.json")
        (compte_id, *_) = [texte for champ, texte in feuilles(corps) if champ == "compte_id"]
        return sans_compte(corps, compte_id)

    for nom in ("CompteEnregistre", "ProfilEnregistre", "ReponseParMessage", "ReponseSansEffet"):
        assert reste(nom) is None, nom
    for nom in ("CompteEfface", "ReponseAnnulee", "CorrespondancesTrouvees"):
        assert reste(nom) is not None, nom


def test_une_alerte_a_plusieurs_personnes_est_encore_dite_aux_autres() -> None:
    autres = [{"compte_id": "b", "profil_id": "2"}]
    corps = {"annonce": {"titre": "x"}, "destinataires": [{"compte_id": "a", "profil_id": "1"}, *autres]}
    assert sans_compte(corps, "a") == {"annonce": {"titre": "x"}, "destinataires": autres}


@pytest.mark.parametrize("event", EVENEMENTS, ids=lambda event: event.type_name())
def test_tout_texte_d_un_evenement_est_connu(event: Any) -> None:
    """Who adds a field with words of people decides here whether an erasure takes them out."""
    schema = event.model_json_schema()
    for modele in [schema, *schema.get("$defs", {}).values()]:
        for nom, champ in modele.get("properties", {}).items():
            for forme in [champ, *champ.get("anyOf", []), champ.get("items", {})]:
                if forme.get("type") == "string" and not {"pattern", "format", "enum", "const"} & set(forme):
                    assert nom in MOTS | AUTRES, f"{event.type_name()}.{nom}"
