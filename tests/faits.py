"""The smallest event there is, and its topic, for tests of kit/. A subclass names another topic, and adds fields."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel


class Fait(BaseModel):
    topic: ClassVar[str] = "kit.essai.v1"
    id: str

    @property
    def key(self) -> str:
        return self.id

    @classmethod
    def type_name(cls) -> str:
        return cls.__name__


@dataclass(frozen=True)
class Spec:
    """A topic as the table of contracts/ would describe it."""

    name: str
    partitions: int = 2
    cleanup_policy: str = "delete"
    retention_ms: int | None = None
