"""Receipts of a message in several parts: it is delivered once all are, and failed as soon as one is.

Its reference is the id of its first part. Kept in memory: after a restart, or in another process to which the provider
sends a receipt, a part stands for itself under its own id, so the first one's receipt then decides alone.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from cachetools import FIFOCache

from services.notifications.canaux.feedback import Retour, Verdict
from services.notifications.canaux.sms.references import formes

_CONNUES_MAX = 20_000


@dataclass
class Groupe:
    total: int
    references: list[str] = field(default_factory=list)
    livrees: set[str] = field(default_factory=set)
    issue: Retour | None = None
    abandonne: bool = False


class Parties:
    def __init__(self, attente_s: float = 5.0) -> None:
        """`attente_s`: how long a receipt may wait for the answer to the submit that it overtook."""
        self._attente_s = attente_s
        self._groupes: FIFOCache[str, Groupe] = FIFOCache(_CONNUES_MAX)
        self._en_vol: set[asyncio.Future[None]] = set()

    @contextmanager
    def envoi(self, total: int) -> Iterator[Groupe]:
        """While the parts of one message are submitted; `noter` gets each id. An error: it will not arrive whole."""
        groupe, fini = Groupe(total), asyncio.get_running_loop().create_future()
        self._en_vol.add(fini)
        try:
            yield groupe
        except BaseException:
            groupe.abandonne = True
            raise
        finally:
            self._en_vol.discard(fini)
            fini.set_result(None)

    def noter(self, groupe: Groupe, reference: str) -> None:
        groupe.references.append(reference)
        self._groupes[reference] = groupe

    async def rejoindre(self, retour: Retour) -> Retour | None:
        """What the receipt of a part says about its message; None: nothing yet. A receipt that comes twice says the
        same twice."""
        reference = retour.reference or ""
        if self._connue(reference) is None and self._en_vol:
            # It may be of a part whose submit is not answered yet. Those are few, and answered or given up soon.
            await asyncio.wait(list(self._en_vol), timeout=self._attente_s)
        partie = self._connue(reference)
        if partie is None:
            return retour
        groupe = self._groupes[partie]
        if groupe.abandonne:
            return None
        if retour.verdict is Verdict.LIVRE:
            groupe.livrees.add(partie)
        if groupe.issue is None and (retour.verdict is not Verdict.LIVRE or len(groupe.livrees) == groupe.total):
            groupe.issue = replace(retour, reference=groupe.references[0])
        return groupe.issue

    def _connue(self, reference: str) -> str | None:
        """The id of a part, as the provider answered it, that a receipt means."""
        if reference in self._groupes or not self._groupes:
            return reference if self._groupes else None
        return next((forme for forme in formes(reference) if forme in self._groupes), None)
