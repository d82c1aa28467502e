"""Settings of a process: environment variables, and one file per secret in the folders named by SECRETS_DIR."""

import os
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings common to all processes; a service adds its own fields in its `settings.py`.

    `port` serves the routes of an API (a worker has none). `health_port` serves /sante and /metrics, apart from the
    routes so that they are not reachable from outside. `kafka_url` lists bootstrap servers (host:port, separated by
    commas).
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    mongo_url: str = "mongodb://127.0.0.1:27017/?replicaSet=rs0"
    redis_url: str = "redis://127.0.0.1:6379/0"
    kafka_url: str = "127.0.0.1:9092"
    host: str = "127.0.0.1"
    port: int = 8080
    health_port: int = 8081
    public_url: str = "http://localhost:8000"
    log_level: str = "INFO"

    def __init__(self, **values: Any) -> None:
        folders = [Path(folder) for folder in os.environ.get("SECRETS_DIR", "").split(",") if folder]
        super().__init__(_secrets_dir=folders or None, **values)
