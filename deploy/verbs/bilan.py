"""./place bilan: no alert is unaccounted for, or which ones are."""

import asyncio
import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy import layout, stack
from deploy.bilan import Bilan, Compte, Injoignable, dresser
from deploy.client import Interne, jusqu_a, session
from deploy.console import Steps
from deploy.errors import Impossible
from services.notifications.domain import Etat, Motif

ETATS = {
    Etat.REMIS: "remises",
    Etat.EN_FILE: "en file",
    Etat.REMISE: "en cours de remise",
    Etat.ECHEC_TEMPORAIRE: "à réessayer",
    Etat.INCERTAIN: "incertaines",
    Etat.ECHEC_PERMANENT: "en échec permanent",
    Etat.ANNULEE: "annulées",
    Etat.SANS_CONSENTEMENT: "sans consentement",
}
MOTIFS = {
    Motif.DESABONNE: "désabonné",
    Motif.ANNONCE_CLOSE: "annonce close",
    Motif.COMPTE_EFFACE: "compte effacé",
    Motif.CODE_EXPIRE: "code expiré",
    Motif.SANS_ADRESSE: "sans adresse",
    Motif.CONSENTEMENT_ABSENT: "pas d’accord donné pour ce canal",
    Motif.INJOIGNABLE: "serveur de courrier injoignable",
    Motif.BAIL_ECHU: "le processus qui la remettait a disparu",
    Motif.ISSUE_INCONNUE: "issue inconnue",
    Motif.MESSAGE_IMPOSSIBLE: "message impossible à écrire",
}
# More lines than a screen holds say nothing more; those that matter come first.
_ANNONCES_MONTREES = 20
_IDS_MONTRES = 5


def run(annonce: str | None, as_json: bool, attendre: int) -> bool:
    """Prints the account, after at most `attendre` seconds of waiting for what is on its way.

    Returns whether nothing is unexplained and, when there was waiting, nothing is on its way. Raises Impossible.
    """
    current = stack.existing(layout.current())
    bilan = asyncio.run(_dresser(current, None if annonce is None else {annonce}, attendre))
    total = bilan.total
    if as_json:
        print(json.dumps(objet(bilan), ensure_ascii=False))
    else:
        _montrer(bilan)
    if attendre and total.en_route:
        Steps().say(f"toujours {total.en_route} en route après {attendre} s : « ./place status », « ./place logs »")
    return total.inexpliquees == 0 and not (attendre and total.en_route)


async def _dresser(current: stack.Stack, annonces: set[str] | None, attendre: int) -> Bilan:
    async with session() as http:
        interne, kafka = Interne(http, current), current.urls()["KAFKA_URL"]
        if not attendre:
            return await dresser(kafka, interne, annonces)
        dernier: Bilan | Injoignable | None = None

        async def calme() -> bool:
            nonlocal dernier
            try:
                dernier = await dresser(kafka, interne, annonces)
            except Injoignable as error:
                dernier = error
                return False
            return dernier.total.en_route == 0

        try:
            await jusqu_a(calme, "rien en route", attendre)
        except Impossible:
            if not isinstance(dernier, Bilan):
                raise dernier or Impossible("Le bilan n’a pas pu être dressé : « ./place status ».") from None
        if not isinstance(dernier, Bilan):
            raise Impossible("Le bilan n’a pas pu être dressé : « ./place status ».")
        return dernier


def objet(bilan: Bilan) -> dict[str, Any]:
    """What --json prints: the totals, and the same for each annonce."""
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
    }


def _sans_remise(compte: Compte) -> list[tuple[tuple[str, str | None], int]]:
    """Rows that were not handed over, by state and reason, most of them first."""
    autres = [(fin, nombre) for fin, nombre in compte.fins.items() if fin[0] != Etat.REMIS]
    return sorted(autres, key=lambda ligne: (-ligne[1], ligne[0][0], ligne[0][1] or ""))


def _montrer(bilan: Bilan) -> None:
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    total = bilan.total
    if not total.destinataires and not total.envois:
        console.print("Aucune alerte annoncée" + (" pour cette annonce." if bilan.comptes else "."))
    else:
        console.print(_table_des_etats(total))
        console.print(_table_des_annonces(bilan))
    if total.lots_attendus:
        console.print(f"En route aussi : {total.lots_attendus} lots annoncés, qui ne sont pas encore dans le topic.")
    if total.anterieurs:
        console.print(f"{total.anterieurs} envois sont plus anciens que ce que garde Kafka : hors du compte.")
    if bilan.illisibles:
        console.print(f"{bilan.illisibles} messages illisibles, qui ne nomment personne : « ./place dlq list ».")
    for quoi, ids in (
        ("sans envoi", total.sans_envoi),
        ("sans destinataire", total.sans_destinataire),
    ):
        if ids:
            suite = " …" if len(ids) > _IDS_MONTRES else ""
            console.print(f"{len(ids)} {quoi} : {' '.join(ids[:_IDS_MONTRES])}{suite}")
    if total.lettres_mortes:
        console.print(f"dont {total.lettres_mortes} en lettre morte : « ./place dlq list », puis « replay ».")
    console.print(f"inexpliquées : {total.inexpliquees}", style="bold red" if total.inexpliquees else "bold green")


def _table_des_etats(total: Compte) -> Table:
    """All alerts by state, and why when they were not handed over."""
    table = Table(header_style="bold")
    for titre in ("État", "Motif"):
        table.add_column(titre)
    table.add_column("Alertes", justify="right")
    remises = total.etats[Etat.REMIS]
    table.add_row(ETATS[Etat.REMIS], "", str(remises))
    for (etat, motif), nombre in _sans_remise(total):
        table.add_row(ETATS[Etat(etat)], _motif(motif), str(nombre))
    if total.a_lire:
        table.add_row("pas encore au registre", "événement pas encore lu", str(total.a_lire))
    table.add_section()
    table.add_row("destinataires annoncés", "", str(total.destinataires))
    table.add_row("lignes au registre", "", str(total.envois))
    table.add_row("en route", "", str(total.en_cours + total.a_lire))
    return table


def _motif(motif: str | None) -> str:
    """What is not one of ours is what the provider answered."""
    if motif is None:
        return ""
    return MOTIFS[Motif(motif)] if motif in set(Motif) else motif


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
    remises = somme.etats[Etat.REMIS]
    autres = somme.envois - remises - somme.en_cours
    chiffres = (somme.destinataires, somme.envois, remises, autres, somme.en_route, somme.inexpliquees)
    return [str(chiffre) for chiffre in chiffres]
