"""./place demo: starts everything, plays the main scenario through the public API, and counts the results."""

import asyncio
import json
import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from deploy import client
from deploy.client import MailCatcher
from deploy.console import Steps
from deploy.demo.comptage import Alertes
from deploy.demo.scenario import Scenario
from deploy.errors import Impossible
from deploy.stack.embedded import Stack
from deploy.stack.external import hosts
from deploy.verbs import up


def run(profils: int, as_json: bool) -> bool:
    """Plays the demo with `profils` generated profils. Returns True when nothing is missing. Raises Impossible."""
    steps = Steps()
    stack = up.run(steps=steps)
    if stack.catcher_url is None or stack.phones_url is None:
        raise Impossible(
            "La démonstration lit le courrier et les téléphones de test : lancez-la sans SMTP_URL, SMPP_URL ni "
            "SMS_HTTP_URL."
        )
    try:
        scenario = asyncio.run(_play(stack, steps, profils))
    except client.RequestRefused as refus:
        raise Impossible(f"La plateforme a refusé une étape ({refus}) : « ./place logs ».") from refus
    summary = {**_figures(scenario.alertes), **_sms(scenario), "inexpliquees": scenario.inexpliquees}
    summary |= {
        "conversations": scenario.conversations,
        "profils": profils,
        **_versions(stack),
        "manques": scenario.manques,
    }
    summary |= {"site": stack.public_url, "moderation": f"{stack.public_url}/moderation"}
    summary |= {"courrier": stack.catcher_url, "telephones": stack.phones_url}
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        _show(summary)
    return summary["manquantes"] == 0 and summary["doublons"] == 0 and not scenario.manques


async def _play(stack: Stack, steps: Steps, profils: int) -> Scenario:
    async with client.session() as http:
        courrier = MailCatcher(http, stack.catcher_url or "")
        scenario = Scenario(http, stack, steps, stack.urls()["KAFKA_URL"], courrier)
        columns = TextColumn("         {task.description}"), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
            task = progress.add_task("profils et contacts générés", total=2 * profils)
            await scenario.jouer(profils, lambda done: progress.update(task, completed=done))
        return scenario


def _versions(stack: Stack) -> dict[str, str]:
    """Server → version; an external server is shown by its address."""
    others = {name: f"externe ({hosts(url)})" for name, url in stack.external.items()}
    return {**others, **{server.name: server.version() for server in stack.servers}}


def _figures(alertes: list[Alertes]) -> dict[str, Any]:
    """Totals over all annonces; times of the first one, which was approved right after it was posted."""
    totals = {
        "alertes_attendues": sum(a.attendues for a in alertes),
        "alertes_livrees": sum(a.livrees for a in alertes),
        "doublons": sum(a.doublons for a in alertes),
        "manquantes": sum(a.manquantes for a in alertes),
        "au_resume": sum(a.au_resume for a in alertes),
    }
    first = alertes[0]
    times = {
        "premier_ms": round((first.premier_at - first.posee_at) * 1000) if first.premier_at else None,
        "dernier_ms": round((first.dernier_at - first.posee_at) * 1000) if first.dernier_at else None,
    }
    return {**totals, **times}


def _sms(scenario: Scenario) -> dict[str, Any]:
    """Figures of the alerts by SMS, sent while one operator was down."""
    releve = scenario.releve
    assert releve is not None
    return {
        "sms_telephones": releve.atteints,
        "sms_par_l_autre_operateur": releve.autre,
        "sms_incertains": releve.incertains,
        "sms_doublons": releve.doublons,
    }


def _show(summary: dict[str, Any]) -> None:
    print("\n8. Bilan")
    rows = [
        ("alertes attendues (force brute)", summary["alertes_attendues"]),
        ("alertes livrées", summary["alertes_livrees"]),
        ("en double", summary["doublons"]),
        ("manquantes", summary["manquantes"]),
        ("remises à un prochain résumé", summary["au_resume"]),
        ("téléphones atteints par SMS", summary["sms_telephones"]),
        ("  par l’autre opérateur", summary["sms_par_l_autre_operateur"]),
        ("  d’issue inconnue, jamais renvoyés", summary["sms_incertains"]),
        ("  en double", summary["sms_doublons"]),
        ("alertes inexpliquées", summary["inexpliquees"]),
        ("conversations", summary["conversations"]),
        ("du dépôt au premier 250", f"{summary['premier_ms']} ms (modération comprise)"),
        ("du dépôt au dernier 250", f"{summary['dernier_ms']} ms"),
        ("serveurs", f"Kafka {summary['kafka']}, MongoDB {summary['mongo']}, Redis {summary['redis']}"),
        ("site public", summary["site"]),
        ("modération", summary["moderation"]),
        ("courrier reçu", summary["courrier"]),
        ("téléphones", summary["telephones"]),
    ]
    for title, value in rows:
        print(f"   {title:<34}{value}")
    print("   Tout tourne encore : « ./place status », « ./place down ».")
