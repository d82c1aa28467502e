"""Apache Kafka's jars, downloaded from Maven Central by jgo and pinned by SHA-256 in kafka.lock.

The lock lists exact coordinates, so an installation resolves nothing: it downloads these files and checks them.
``python -m deploy.stack.servers.jars`` writes the lock again after a change of ``ROOTS``.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.errors import Impossible

KAFKA = "4.1.1"
# Each root is resolved alone, because two coordinates in one call mix their managed versions. The version of
# log4j-slf4j-impl must be that of Kafka's own log4j.
ROOTS = (f"org.apache.kafka:kafka_2.13:{KAFKA}", "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3")
LOCK = Path(__file__).with_name("kafka.lock")


@dataclass(frozen=True)
class Jar:
    """One line of the lock: Maven coordinate and SHA-256 (hex)."""

    group: str
    name: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        return f"{self.name}-{self.version}.jar"


def read_lock(text: str) -> list[Jar]:
    """Parses lines ``group:name:version sha256``; ``#`` starts a comment. Raises ValueError on anything else."""
    jars = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            coordinate, digest = line.split()
            group, name, version = coordinate.split(":")
            jars.append(Jar(group, name, version, digest))
    return jars


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def install(cache: Path) -> Path:
    """Returns the folder with exactly the locked jars, after downloading those that are missing or altered.

    Several processes may call it at once for the same cache. Raises Impossible when a download fails or does not match.
    """
    text = LOCK.read_text()
    folder = cache / f"kafka-{KAFKA}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(cache / ".verrou"):
        missing = [jar for jar in read_lock(text) if not _matches(folder / jar.file, jar)]
        if missing:
            with tempfile.TemporaryDirectory(dir=cache, prefix=".telechargement-") as repository:
                # Six at a time: the files are small, so the round trips take most of the time.
                with ThreadPoolExecutor(6) as pool:
                    for _done in pool.map(lambda jar: _download(jar, folder, Path(repository)), missing):
                        pass
    return folder


def _matches(path: Path, jar: Jar) -> bool:
    return path.is_file() and digest(path) == jar.sha256


def _download(jar: Jar, folder: Path, repository: Path) -> None:
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    # A mirror, if one is configured in jgo's own settings.
    mirrors = GlobalSettings.load().repositories or None
    context = MavenContext(repo_cache=repository, remote_repos=mirrors, timeout=60)
    try:
        path = Path(context.project(jar.group, jar.name).at_version(jar.version).artifact().resolve())
    except (OSError, RuntimeError) as error:
        raise Impossible(
            f"Impossible de télécharger {jar.file}, dont Kafka a besoin ({error}) : vérifiez l’accès "
            "au dépôt Maven Central, ou donnez l’adresse d’un Kafka existant dans KAFKA_URL."
        ) from error
    if digest(path) != jar.sha256:
        raise Impossible(
            f"{jar.file} n’a pas l’empreinte attendue (deploy/stack/servers/kafka.lock) : le téléchargement "
            "est altéré, relancez, ou donnez l’adresse d’un Kafka existant dans KAFKA_URL."
        )
    os.replace(path, folder / jar.file)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def relock() -> str:
    """Resolves ROOTS again and returns the text of the lock."""
    from jgo.maven import MavenContext
    from jgo.parse import Endpoint

    found: dict[tuple[str, str], tuple[str, str]] = {}
    repository = Path(tempfile.mkdtemp())
    try:
        context = MavenContext(repo_cache=repository, timeout=60)
        for root in ROOTS:
            inputs = [context.create_dependency(replace(c, scope="compile")) for c in Endpoint.parse(root).coordinates]
            resolved, transitive = context.resolver.resolve(inputs)
            for dependency in [*resolved, *(d for d in transitive if d.scope in ("compile", "runtime"))]:
                artifact = dependency.artifact
                version, _ = found.setdefault(
                    (artifact.groupId, artifact.artifactId), (artifact.version, digest(Path(artifact.resolve())))
                )
                if version != artifact.version:
                    raise Impossible(f"{artifact.artifactId} est voulu en {version} et en {artifact.version}.")
    finally:
        shutil.rmtree(repository)
    lines = [f"{group}:{name}:{version} {sha}" for (group, name), (version, sha) in sorted(found.items())]
    return "# Made by `python -m deploy.stack.servers.jars`: Maven coordinate, SHA-256.\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    LOCK.write_text(relock())
