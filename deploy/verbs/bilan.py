"""./place bilan: checks that every alert is accounted for, and lists those that are not."""

import asyncio
import datetime as dt
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from contracts.commun import PARIS
from contracts.envois import ETATS, MOTIFS, Etat
from contracts.notifications import Canal
from deploy import layout
from deploy.bilan.alerts import calme, dresser, personnes
from deploy.bilan.reconciliation import Bilan, Compte, Groupe, Periode
from deploy.client import InternalApis, session
from deploy.console import Steps
from deploy.errors import Impossible
from deploy.stack import embedded

REMISES = (Etat.REMIS, Etat.LIVRE)
"""States of a message that was handed over."""

Noms = Mapping[str, tuple[str, Canal]]
"""Id of a row → profil and channel."""

console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)

# More lines do not fit on a screen; the most important ones come first.
_ANNONCES_MONTREES = 20
_IDS_MONTRES = 5


def run(
    annonce: str | None,
    as_json: bool,
    attendre: int,
    depuis: dt.date | None = None,
    jusqua: dt.date | None = None,
    detail: bool = False,
) -> bool:
    """Prints the report, after waiting at most `attendre` seconds until nothing is in progress.

    `depuis`, `jusqua`: days in Paris, both included. `detail`: also lists each message that was not handed over, and
    why. Returns True when nothing is unexplained and, after a wait, nothing is in progress. Raises Impossible.
    """
    if detail and annonce is None:
        raise Impossible("« --detail » va avec « --annonce » : il nomme chaque destinataire.")
    current = embedded.existing(layout.current())
    bilan, noms = asyncio.run(_dresser(current, annonce, periode(depuis, jusqua), attendre, detail=detail))
    total = bilan.total
    if as_json:
        par_personne = {"detail": lignes(bilan.groupes, noms)} if detail else {}
        print(json.dumps(objet(bilan) | par_personne, ensure_ascii=False))
    else:
        _montrer(bilan)
        if detail:
            _montrer_les_personnes(lignes(bilan.groupes, noms))
    if attendre and total.en_route:
        Steps().say(f"toujours {total.en_route} en route après {attendre} s : « ./place status », « ./place logs »")
    return total.inexpliquees == 0 and not (attendre and total.en_route)


def periode(depuis: dt.date | None, jusqua: dt.date | None) -> Periode:
    """The period of these days in Paris, both included."""

    def minuit(jour: dt.date) -> dt.datetime:
        return dt.datetime.combine(jour, dt.time(), PARIS)

    return Periode(minuit(depuis) if depuis else None, minuit(jusqua + dt.timedelta(days=1)) if jusqua else None)


async def _dresser(
    current: embedded.Stack, annonce: str | None, de: Periode, attendre: int, *, detail: bool
) -> tuple[Bilan, Noms]:
    annonces = None if annonce is None else {annonce}
    async with session() as http:
        interne, kafka = InternalApis(http, current), current.urls()["KAFKA_URL"]
        if attendre:
            bilan = await calme(kafka, interne, annonces, de, secondes=attendre)
        else:
            bilan = await dresser(kafka, interne, annonces, de)
        return bilan, await personnes(kafka, annonce or "") if detail else {}


def lignes(groupes: Iterable[Groupe], noms: Noms) -> list[dict[str, Any]]:
    """Messages that were not handed over: profil, channel, state and motive."""
    trouvees = [
        {"profil_id": noms[id_][0], "canal": noms[id_][1].value, "etat": groupe.etat, "motif": groupe.motif}
        for groupe in groupes
        if groupe.etat not in REMISES
        for id_ in groupe.envois
        if id_ in noms
    ]
    return sorted(trouvees, key=lambda ligne: (ligne["profil_id"], ligne["canal"]))


def objet(bilan: Bilan) -> dict[str, Any]:
    """The object that --json prints: totals, and the same figures for each annonce."""
    total = bilan.total
    return {
        "annonces": len(bilan.comptes),
        **_chiffres(total),
        "illisibles": bilan.illisibles,
        "par_annonce": [{"annonce_id": c.annonce_id, "titre": c.titre, **_chiffres(c)} for c in bilan.comptes.values()],
    }


def _chiffres(compte: Compte) -> dict[str, Any]:
    return {
        "destinataires": compte.destinataires,
        "envois": compte.envois,
        "etats": dict(sorted(compte.etats.items())),
        "motifs": [{"etat": etat, "motif": motif, "nombre": nombre} for (etat, motif), nombre in _sans_remise(compte)],
        "en_route": compte.en_route,
        "a_lire": compte.a_lire,
        "lots_attendus": compte.lots_attendus,
        "anterieurs": compte.anterieurs,
        "inexpliquees": compte.inexpliquees,
        "sans_envoi": compte.sans_envoi,
        "sans_destinataire": compte.sans_destinataire,
        "lettres_mortes": compte.lettres_mortes,
        "a_apparier": compte.a_apparier,
        "sans_appariement": compte.sans_appariement,
    }


def _sans_remise(compte: Compte) -> list[tuple[tuple[str, str | None], int]]:
    """Rows that were not handed over, by state and motive, most frequent first."""
    autres = [(fin, nombre) for fin, nombre in compte.fins.items() if fin[0] not in REMISES]
    return sorted(autres, key=lambda ligne: (-ligne[1], ligne[0][0], ligne[0][1] or ""))


def _montrer(bilan: Bilan) -> None:
    total = bilan.total
    if not total.destinataires and not total.envois and not total.sans_appariement:
        console.print("Aucune alerte annoncée" + (" pour cette annonce." if bilan.comptes else "."))
    else:
        console.print(_table_des_etats(total))
        console.print(_table_des_annonces(bilan))
    if total.lots_attendus:
        console.print(f"En route aussi : {total.lots_attendus} lots annoncés, qui ne sont pas encore dans le topic.")
    if total.a_apparier:
        console.print(f"En route aussi : {total.a_apparier} annonces publiées, que matching n’a pas encore lues.")
    if total.anterieurs:
        console.print(f"{total.anterieurs} envois sont plus anciens que ce que garde Kafka : hors du compte.")
    if bilan.illisibles:
        console.print(f"{bilan.illisibles} messages illisibles, qui ne nomment personne : « ./place dlq list ».")
    for quoi, ids in (
        ("sans envoi", total.sans_envoi),
        ("sans destinataire", total.sans_destinataire),
        ("publiées, que matching n’a pas vues", total.sans_appariement),
    ):
        if ids:
            suite = " …" if len(ids) > _IDS_MONTRES else ""
            console.print(f"{len(ids)} {quoi} : {' '.join(ids[:_IDS_MONTRES])}{suite}")
    if total.lettres_mortes:
        console.print(f"dont {total.lettres_mortes} en lettre morte : « ./place dlq list », puis « replay ».")
    console.print(f"inexpliquées : {total.inexpliquees}", style="bold red" if total.inexpliquees else "bold green")


def _table_des_etats(total: Compte) -> Table:
    """All alerts by state, with the motive of those that were not handed over."""
    table = Table(header_style="bold")
    for titre in ("État", "Motif"):
        table.add_column(titre)
    table.add_column("Alertes", justify="right")
    for remise in REMISES:
        table.add_row(ETATS[remise], "", str(total.etats[remise]))
    for (etat, motif), nombre in _sans_remise(total):
        table.add_row(ETATS[etat], _motif(motif), str(nombre))
    if total.a_lire:
        table.add_row("pas encore au registre", "événement pas encore lu", str(total.a_lire))
    table.add_section()
    table.add_row("destinataires annoncés", "", str(total.destinataires))
    table.add_row("lignes au registre", "", str(total.envois))
    table.add_row("en route", "", str(total.en_cours + total.a_lire))
    return table


def _motif(motif: str | None) -> str:
    """The French words of a motive. A motive that is not ours is the provider's answer, shown unchanged."""
    if motif is None:
        return ""
    return MOTIFS.get(motif, motif)


def _montrer_les_personnes(detail: list[dict[str, Any]]) -> None:
    if not detail:
        return console.print("Chaque message de cette annonce a été remis.")
    table = Table(header_style="bold")
    for titre in ("Profil", "Canal", "État", "Motif"):
        table.add_column(titre)
    for ligne in detail:
        table.add_row(ligne["profil_id"], ligne["canal"], ETATS[ligne["etat"]], _motif(ligne["motif"]))
    console.print(table)


def _table_des_annonces(bilan: Bilan) -> Table:
    ordre = sorted(bilan.comptes.values(), key=lambda c: (-c.inexpliquees, -c.en_route, -c.destinataires, c.annonce_id))
    montrees, reste = ordre[:_ANNONCES_MONTREES], ordre[_ANNONCES_MONTREES:]
    table = Table(header_style="bold")
    table.add_column("Annonce", no_wrap=True)
    table.add_column("Titre", max_width=28, no_wrap=True, overflow="ellipsis")
    for titre in ("Annoncées", "Registre", "Remises", "Autres", "En route", "Inexpliquées"):
        table.add_column(titre, justify="right")
    for compte in montrees:
        table.add_row(compte.annonce_id, compte.titre, *_ligne([compte]))
    if reste:
        table.add_row(f"{len(reste)} autres", "(toutes avec --json)", *_ligne(reste))
    return table


def _ligne(comptes: Iterable[Compte]) -> list[str]:
    somme = Bilan({compte.annonce_id: compte for compte in comptes}).total
    remises = sum(somme.etats[etat] for etat in REMISES)
    autres = somme.envois - remises - somme.en_cours
    chiffres = (somme.destinataires, somme.envois, remises, autres, somme.en_route, somme.inexpliquees)
    return [str(chiffre) for chiffre in chiffres]
