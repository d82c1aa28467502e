"""The base of every event: a frozen pydantic model that knows its topic and its key."""

from abc import abstractmethod
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Valeur(BaseModel):
    """A value inside an event. Unknown fields are ignored, so that an older reader can read events of a newer
    writer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Evenement(Valeur):
    """One fact on one topic. Its CloudEvents type is the name of its class."""

    topic: ClassVar[str]

    @property
    @abstractmethod
    def key(self) -> str:
        """The Kafka key: id of the aggregate whose events must stay in one partition."""

    @classmethod
    def type_name(cls) -> str:
        return cls.__name__
