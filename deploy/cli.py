"""Command line ./place. This module only wires; each verb is a module, imported when it is called."""

import os
import sys
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.errors import Impossible

app = typer.Typer(
    name="place",
    help="Place des assos : tout démarrer, regarder, essayer, arrêter.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# The remaining arguments are passed to another program unchanged.
_PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True}


def _verb(name: str) -> Any:
    return import_module(f"deploy.verbs.{name}")


@app.command()
def up(
    only: Annotated[str | None, typer.Option(help="« servers » : les serveurs et le courrier seulement.")] = None,
    port_gateway: Annotated[int | None, typer.Option(envvar="PORT_GATEWAY", help="Port du site public.")] = None,
    port_courrier: Annotated[
        int | None, typer.Option(envvar="PORT_COURRIER", help="Port de la page du courrier.")
    ] = None,
) -> None:
    """Démarre tout et le laisse tourner ; si tout tourne déjà, redonne les adresses."""
    if only not in (None, "servers"):
        raise Impossible("--only n’accepte que « servers ».")
    wishes = {"gateway": port_gateway, "courrier": port_courrier}
    stack = _verb("up").run(
        only_servers=only == "servers", wished={name: port for name, port in wishes.items() if port}
    )
    _verb("urls").run(stack, only_servers=only == "servers")


@app.command()
def down(wipe: Annotated[bool, typer.Option("--wipe", help="Efface aussi les données.")] = False) -> None:
    """Arrête tout ; les données restent, sauf avec --wipe."""
    _verb("down").run(wipe=wipe)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON sur une ligne.")] = False) -> None:
    """Chaque programme : son état, sa santé, son retard. Sort avec 1 si l’un n’est pas prêt, ou sans serveur."""
    if not _verb("status").run(as_json=as_json):
        raise typer.Exit(1)


@app.command()
def logs(
    service: Annotated[str | None, typer.Argument(help="Un service (annonces) ou un programme (annonces-api).")] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Suit les journaux jusqu’à Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", help="Lignes déjà écrites à montrer, par programme.")] = 40,
) -> None:
    """Montre les journaux."""
    _verb("logs").run(service, follows=follow, lines=lines)


@app.command()
def scale(
    wishes: Annotated[
        list[str], typer.Argument(metavar="NOM=NOMBRE…", help="Par exemple matching=3 ou annonces-api=2.")
    ],
) -> None:
    """Change le nombre de workers d’un service, ou de processus de son API, tout de suite et pour la suite."""
    _verb("scale").run(wishes)


@app.command()
def stop(
    name: Annotated[str, typer.Argument(metavar="NOM", help="Un programme ou un serveur : redis, annonces-api…")],
) -> None:
    """Arrête un seul programme ou serveur, pour un exercice de panne."""
    _verb("drill").stop(name)


@app.command()
def start(name: Annotated[str, typer.Argument(metavar="NOM", help="Le programme ou serveur arrêté.")]) -> None:
    """Relance un programme ou serveur arrêté."""
    _verb("drill").start(name)


@app.command("test", context_settings=_PASS_ON)
def run_tests(
    context: typer.Context,
    longtemps: Annotated[
        bool, typer.Option("--longtemps", help="Les propriétés seules, dix minutes, avec des valeurs neuves.")
    ] = False,
) -> None:
    """Vérifie le code (ruff, mypy, import-linter), puis lance les tests ; les arguments vont à pytest."""
    raise typer.Exit(_verb("test").run(context.args, hasard=longtemps))


@app.command()
def moderateur(
    address: Annotated[str, typer.Argument(metavar="ADRESSE", help="Adresse électronique du compte.")],
    retirer: Annotated[bool, typer.Option("--retirer", help="Retire le rôle, aussitôt, au lieu de le donner.")] = False,
) -> None:
    """Donne le rôle de modérateur à un compte, ou le retire."""
    raise typer.Exit(_verb("moderateur").run(address, retirer=retirer))


@app.command()
def demo(
    profils: Annotated[int, typer.Option(min=0, max=1_000_000, help="Profils d’alerte générés en plus.")] = 10_000,
    as_json: Annotated[bool, typer.Option("--json", help="Le bilan en un objet JSON, sur la dernière ligne.")] = False,
) -> None:
    """Démarre tout et joue l’essentiel par la porte publique, du besoin déposé aux alertes reçues et comptées."""
    if not _verb("demo").run(profils, as_json):
        raise typer.Exit(1)


@app.command()
def seed(
    associations: Annotated[int, typer.Option(min=0, max=100_000)] = 3000,
    annonces: Annotated[int, typer.Option(min=0, max=1_000_000)] = 5000,
    profils: Annotated[int, typer.Option(min=0, max=10_000_000)] = 100_000,
    graine: Annotated[int, typer.Option(min=0, max=60, help="La même graine donne les mêmes données.")] = 1,
) -> None:
    """Remplit la plateforme de données plausibles (associations, annonces publiées, puis profils)."""
    _verb("seed").run(associations, annonces, profils, graine)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(metavar="MESURE", help="envois, pipeline ou lecture.")],
    dossier: Annotated[
        Path | None, typer.Argument(metavar="DOSSIER", help="Pour « lecture » : les tables .tsv de réponses.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Les chiffres en un objet JSON, sur la dernière ligne.")
    ] = False,
) -> None:
    """Mesure la plateforme à côté de ses pairs, dans une pile à part ; sort avec 1 si la barre n’est pas tenue."""
    if not _verb("bench").run(name, as_json, dossier):
        raise typer.Exit(1)


@app.command()
def bilan(
    annonce: Annotated[str | None, typer.Option(metavar="ID", help="Une seule annonce ; toutes par défaut.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON sur une ligne.")] = False,
    attendre: Annotated[
        int, typer.Option(min=0, max=3600, metavar="SECONDES", help="Attend d’abord que plus rien ne soit en route.")
    ] = 0,
    depuis: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Premier jour, à Paris.", show_default=False)
    ] = None,
    jusqua: Annotated[
        datetime | None,
        typer.Option("--jusqu-a", formats=["%Y-%m-%d"], help="Dernier jour, compris.", show_default=False),
    ] = None,
    detail: Annotated[
        bool, typer.Option("--detail", help="Avec --annonce : chaque destinataire non servi, et pourquoi.")
    ] = False,
) -> None:
    """Compare chaque alerte annoncée au registre des envois ; sort avec 1 si une seule est inexpliquée."""
    du, au = depuis and depuis.date(), jusqua and jusqua.date()
    if not _verb("bilan").run(annonce, as_json, attendre, du, au, detail):
        raise typer.Exit(1)


@app.command()
def rotation() -> None:
    """Rechiffre toutes les coordonnées sous une clé neuve, puis retire l’ancienne ; sort avec 1 s’il faut relancer."""
    if not _verb("rotation").run():
        raise typer.Exit(1)


@app.command()
def reparer() -> None:
    """Republie les topics depuis les bases, quand Kafka a perdu ses données ; personne n’est alerté deux fois."""
    if not _verb("reparer").run():
        raise typer.Exit(1)


dlq = typer.Typer(help="Lettres mortes : les messages qu’aucun essai n’a pu traiter.", no_args_is_help=True)
app.add_typer(dlq, name="dlq")
_TOPIC = Annotated[str, typer.Argument(metavar="TOPIC", help="Un nom que donne « dlq list ».")]
_UPTO = Annotated[int | None, typer.Option("--jusqu-a", min=0, help="Dernier offset compris ; tous par défaut.")]


@dlq.command("list")
def dlq_list() -> None:
    """Combien de lettres mortes par topic, et pourquoi ; les disjoncteurs ouverts."""
    _verb("dlq").show_all()


@dlq.command("show")
def dlq_show(topic: _TOPIC) -> None:
    """Chaque message d’un topic : offset, raison, origine, octets bruts."""
    _verb("dlq").show(topic)


@dlq.command("replay")
def dlq_replay(topic: _TOPIC, upto: _UPTO = None) -> None:
    """Renvoie les messages à leur topic d’origine, puis les retire d’ici."""
    _verb("dlq").replay(topic, upto)


@dlq.command("drop")
def dlq_drop(topic: _TOPIC, upto: _UPTO = None) -> None:
    """Retire les messages sans les renvoyer."""
    _verb("dlq").drop(topic, upto)


@dlq.command("close")
def dlq_close(topic: _TOPIC) -> None:
    """Ferme le disjoncteur d’un topic : ce qui est illisible va aux lettres mortes, sans limite pour un moment."""
    _verb("dlq").close(topic)


def main() -> None:
    """Run the command line; an Impossible ends with its one sentence and exit code 1."""
    try:
        app(prog_name="place")
    except Impossible as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # As in "./place logs | head": the reader is gone. Without this, Python would report an error when it flushes
        # stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
