"""The description of the API and its answers agree: requests are generated from it, and each answer is compared."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.client import Client, jusqu_a
from deploy.seed import textes
from gateway.openapi import ABSENT
from tests.pile import Ville, annonce, profil

# What would end the session of the run or its account, or send real messages by the hundred.
_LEFT_OUT = (
    "effacer_v1_compte_delete",
    "fermer_session_v1_sessions_courante_delete",
    "demander_code_v1_comptes_code_post",
)
_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "ignored_auth",
    "unsupported_method",
)
_STAFF = "^/v1/(moderation|notifications)"
# By hand more, with other values each time: EXEMPLES_PAR_OPERATION=200 ./place test tests/e2e
_EXAMPLES = os.environ.get("EXEMPLES_PAR_OPERATION")
_HOW_MANY = ("--max-examples", _EXAMPLES) if _EXAMPLES else ("--max-examples", "3", "--generation-deterministic")


async def ce_qui_existe(ville: Ville, responsable: Client) -> dict[str, str]:
    """What lies at the addresses of the requests: parameter → value. With ids that are made up, all would be 404."""
    association_id = await ville.association(responsable, confiance=True)
    voisine = await ville.entrer("voisine")
    publiee = (await responsable.post("/v1/annonces", annonce(association_id, "Tables pliantes")))["annonce_id"]
    await ville.etat(responsable, f"/v1/annonces/{publiee}", "publiee")
    reponse = await voisine.post(f"/v1/annonces/{publiee}/reponses", {"message": "Je peux.", "quantite": 1})
    suivi = await responsable.post("/v1/profils", profil())
    autre = next(textes.associations(1, 2)) | {"rna": f"W59{secrets.randbelow(10**7):07d}"}
    attend = (await voisine.post("/v1/associations", autre))["association_id"]
    agent = await ville.moderer()

    async def dossier() -> str | None:
        found = await agent.get(f"/v1/moderation/dossiers?etat=a_traiter&cible_id={attend}")
        return next((str(row["dossier_id"]) for row in found["dossiers"]), None)

    return {
        "path.association_id": association_id,
        "path.annonce_id": publiee,
        "path.reponse_id": reponse["reponse_id"],
        "path.profil_id": suivi["profil_id"],
        "path.dossier_id": await jusqu_a(dossier, "dossier"),
        # The first version of each: what comes after the first edit is refused for its version, and so tried as well.
        "header.If-Match": '"1"',
    }


async def decrite_en_entier(ville: Ville) -> bool:
    """A service that answered too late is left out of the description, and asked again seconds later."""
    return ABSENT not in await ville.visiteur().get("/v1/openapi.json")


def schemathesis(
    base: str, jeton: str, folder: Path, choice: tuple[str, str], values: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Requests to the operations that `choice` names. `values`: parameter → its only value."""
    lines = ["[parameters]", *(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in values.items())]
    (folder / "schemathesis.toml").write_text("\n".join(lines) + "\n")
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{base}/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {jeton}"),
        *_HOW_MANY,
        *("--phases", "coverage,fuzzing", "--checks", ",".join(_CHECKS), "--continue-on-failure", "--no-color"),
        *(word for name in _LEFT_OUT for word in ("--exclude-operation-id", name)),
        *choice,
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("role", ["personne", "moderation"])
async def test_ce_que_l_api_promet_elle_le_tient(ville: Ville, tmp_path: Path, role: str) -> None:
    responsable = await ville.entrer("responsable")
    values = await ce_qui_existe(ville, responsable)
    client = await ville.moderer() if role == "moderation" else responsable
    await jusqu_a(lambda: decrite_en_entier(ville), "la description de tous les services")
    choice = ("--include-path-regex" if role == "moderation" else "--exclude-path-regex", _STAFF)
    done = await asyncio.to_thread(schemathesis, ville.base, client.jeton or "", tmp_path, choice, values)
    (tmp_path / "schemathesis.log").write_text(done.stdout)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
