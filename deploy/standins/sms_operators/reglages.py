"""Variables of an operator. Secrets are variables, or files in the folders named by SECRETS_DIR.
- both: HOST, PORT (HTTP), CATCHER_URL, DOSSIER (folder, created if missing; without it nothing survives the process),
  DEBIT_PAR_S (messages per second before "too many"; 0, the default, means no limit), EXPEDITEUR (recipient of SMS that
  people send without naming one)
- smsc: SMPP_PORT, SMPP_UTILISATEUR, SMPP_MOT_DE_PASSE
- http: RAPPEL_URL, SMS_HTTP_CLE, SMS_HTTP_SECRET"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class ReglageFaux(Exception):
    """The text is a French sentence: which variable, and what it should be."""


@dataclass(frozen=True)
class Reglages:
    """`mot_de_passe`, `cle`, `secret`: only those of the requested kind are read."""

    host: str
    port: int
    smpp_port: int
    catcher_url: str
    dossier: Path | None
    debit_par_s: float
    expediteur: str
    rappel_url: str
    utilisateur: str
    mot_de_passe: str
    cle: str
    secret: str


def lire(genre: str, env: Mapping[str, str] = os.environ) -> Reglages:
    """Raises ReglageFaux."""
    smsc = genre == "smsc"
    dossier = env.get("DOSSIER")
    return Reglages(
        host=env.get("HOST", "127.0.0.1"),
        port=_nombre(env, "PORT", 8026 if smsc else 8027),
        smpp_port=_nombre(env, "SMPP_PORT", 2775),
        catcher_url=env.get("CATCHER_URL", "http://127.0.0.1:8025"),
        dossier=Path(dossier) if dossier else None,
        debit_par_s=float(_nombre(env, "DEBIT_PAR_S", 0)),
        expediteur=env.get("EXPEDITEUR", "PLACE"),
        rappel_url=env.get("RAPPEL_URL", ""),
        utilisateur=env.get("SMPP_UTILISATEUR", "place"),
        mot_de_passe=secret(env, "SMPP_MOT_DE_PASSE") if smsc else "",
        cle="" if smsc else secret(env, "SMS_HTTP_CLE"),
        secret="" if smsc else secret(env, "SMS_HTTP_SECRET"),
    )


def secret(env: Mapping[str, str], nom: str) -> str:
    """The variable `nom`, or else the file with this name in lower case. Raises ReglageFaux when both are missing."""
    if value := env.get(nom):
        return value
    for folder in env.get("SECRETS_DIR", "").split(","):
        path = Path(folder) / nom.lower()
        if folder and path.is_file():
            return path.read_text().strip()
    raise ReglageFaux(f"{nom} manque : donnez cette variable, ou un fichier {nom.lower()} dans SECRETS_DIR.")


def _nombre(env: Mapping[str, str], nom: str, default: int) -> int:
    text = env.get(nom) or str(default)
    if not text.isdecimal() or int(text) > 65535:
        raise ReglageFaux(f"{nom} vaut « {text[:20]} » : il faut un nombre de 0 à 65535.")
    return int(text)
