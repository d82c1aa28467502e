"""What a message can ask for. Pure."""

from dataclasses import dataclass

QUANTITE_MAX = 100
JOURS_PAUSE = 30
JOURS_PAUSE_MAX = 366


@dataclass(frozen=True)
class Oui:
    """`quantite`: people or objects, 1 to QUANTITE_MAX; `reference`: the code of the alert, if one was named."""

    quantite: int = 1
    reference: str | None = None


@dataclass(frozen=True)
class Non:
    reference: str | None = None


@dataclass(frozen=True)
class Stop:
    pass


@dataclass(frozen=True)
class Aide:
    pass


@dataclass(frozen=True)
class Pause:
    """For so many days, 1 to JOURS_PAUSE_MAX."""

    jours: int = JOURS_PAUSE


@dataclass(frozen=True)
class Reprise:
    pass


@dataclass(frozen=True)
class Incompris:
    """Not wholly understood: nothing happens, and the person is asked again."""


Commande = Oui | Non | Stop | Aide | Pause | Reprise | Incompris
