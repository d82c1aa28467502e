"""Settings of a process: environment variables, and one file per secret in the folders of SECRETS_DIR."""

import os
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What every process needs; a service adds its own fields in its `settings.py`.

    `port` is where an api serves its routes (a worker has none). `health_port` is where every process shows /sante and
    /metrics: apart from the routes, so that no door of the routes leads there.
    `kafka_url` holds bootstrap servers (host:port, comma-separated).
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
