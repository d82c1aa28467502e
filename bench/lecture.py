"""Compares how written answers are understood with what is expected: `./place bench lecture FOLDER`.

FOLDER contains tables (.tsv) with the columns kind, text, expected; other columns are ignored. `expected` is one or
several commands ("Non or Incompris"); a number after Oui is the number of people.

Target: no refusal or doubt read as a yes, no STOP missed, and 80 % of the plain answers (one expected command, Oui or
Non) understood.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import Impossible
from services.notifications.comprehension.commands import Oui
from services.notifications.comprehension.read import lire

COLONNES = ("kind", "text", "expected")
PART_COMPRISE = 0.8

_CHOIX = re.compile(r"\s+(?:or|ou)\s+|\s*[|,;]\s*", re.IGNORECASE)
_OUI_N = re.compile(r"oui\W*(\d+)\W*")


@dataclass(frozen=True)
class Cas:
    """`attendus`: lower-case names of the accepted commands; `quantite`: expected number of people, if given."""

    genre: str
    texte: str
    attendus: frozenset[str]
    quantite: int | None = None


@dataclass(frozen=True)
class Lecture:
    cas: Cas
    lue: str
    juste: bool

    @property
    def oui_a_tort(self) -> bool:
        return self.lue == "oui" and "oui" not in self.cas.attendus

    @property
    def stop_manque(self) -> bool:
        return self.cas.attendus == {"stop"} and self.lue != "stop"

    @property
    def reponse_simple(self) -> bool:
        return self.cas.attendus in ({"oui"}, {"non"})


def cas_de(dossier: Path) -> list[Cas]:
    """All rows of all tables in the folder. Raises Impossible when there are none, or when a column is missing."""
    tables = sorted(dossier.glob("*.tsv"))
    trouves = [cas for table in tables for cas in _lignes(table)]
    if not trouves:
        raise Impossible(f"Aucune réponse à lire dans {dossier} : il y faut des fichiers .tsv.")
    return trouves


def _lignes(table: Path) -> Iterator[Cas]:
    with table.open(encoding="utf-8", newline="") as fichier:
        lignes = csv.DictReader(fichier, delimiter="\t", quoting=csv.QUOTE_NONE)
        manquent = [nom for nom in COLONNES if nom not in (lignes.fieldnames or [])]
        if manquent:
            raise Impossible(f"{table} n’a pas de colonne « {manquent[0]} ».")
        for ligne in lignes:
            attendu = (ligne["expected"] or "").strip()
            noms = [nom.lower() for nom in _CHOIX.split(attendu) if nom]
            nombre = next((int(n[1]) for nom in noms if (n := _OUI_N.fullmatch(nom))), None)
            yield Cas(
                ligne["kind"] or "",
                (ligne["text"] or "").replace("\\n", "\n"),
                frozenset("oui" if _OUI_N.fullmatch(nom) else nom for nom in noms),
                nombre,
            )


def lire_cas(cas: Cas) -> Lecture:
    commande = lire(cas.texte)
    lue = type(commande).__name__.lower()
    combien = commande.quantite if isinstance(commande, Oui) else None
    juste = lue in cas.attendus and (cas.quantite is None or combien in (None, cas.quantite))
    return Lecture(cas, lue, juste)


def tableau(lectures: list[Lecture]) -> str:
    """Confusion table: expected commands in lines, commands read in columns."""
    lus = sorted({lecture.lue for lecture in lectures})
    lignes: dict[tuple[str, str], Counter[str]] = {}
    for lecture in lectures:
        cle = lecture.cas.genre, " ou ".join(sorted(lecture.cas.attendus))
        lignes.setdefault(cle, Counter()).update({lecture.lue: 1, "juste": lecture.juste})
    large = max(len(genre) for genre, _ in lignes)
    attendu_large = max(len(attendu) for _, attendu in lignes)
    entete = f"{'genre':{large}}  {'attendu':{attendu_large}}  " + "  ".join(f"{nom:>9}" for nom in [*lus, "justes"])
    corps = [
        f"{genre:{large}}  {attendu:{attendu_large}}  "
        + "  ".join(f"{comptes[nom] or '·':>9}" for nom in lus)
        + f"  {comptes['juste']:>4}/{sum(comptes[nom] for nom in lus)}"
        for (genre, attendu), comptes in lignes.items()
    ]
    return "\n".join([entete, *corps])


def run(as_json: bool, dossier: Path) -> bool:
    """Returns whether the target is met. Raises Impossible when the folder has nothing to read."""
    lectures = [lire_cas(cas) for cas in cas_de(dossier)]
    print(tableau(lectures))
    for lecture in lectures:
        if not lecture.juste:
            attendu = " ou ".join(sorted(lecture.cas.attendus))
            print(f"  « {lecture.cas.texte} » : {lecture.lue}, attendu {attendu}")
    simples = [lecture for lecture in lectures if lecture.reponse_simple]
    compris = sum(lecture.juste for lecture in simples)
    chiffres = {
        "total": len(lectures),
        "justes": sum(lecture.juste for lecture in lectures),
        "oui_a_tort": sum(lecture.oui_a_tort for lecture in lectures),
        "stop_manques": sum(lecture.stop_manque for lecture in lectures),
    }
    print(
        f"{chiffres['justes']} justes sur {chiffres['total']} ; {chiffres['oui_a_tort']} oui à tort ; "
        f"{chiffres['stop_manques']} STOP manqués ; réponses simples comprises : {compris} sur {len(simples)}"
    )
    if as_json:
        print(json.dumps({"sms": chiffres}, ensure_ascii=False))
    tenu = not simples or compris >= PART_COMPRISE * len(simples)
    return tenu and chiffres["oui_a_tort"] == chiffres["stop_manques"] == 0
