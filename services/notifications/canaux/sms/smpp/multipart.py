"""Combines receipts of a message in several parts: it is delivered once all parts are, and has failed as soon as one
part has. Its reference is the id of its first part.

Kept in memory: after a restart, or when a receipt reaches another process, each part counts alone, and the receipt of
the first part decides.
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
class MultipartMessage:
    total: int
    references: list[str] = field(default_factory=list)
    livrees: set[str] = field(default_factory=set)
    issue: Retour | None = None
    abandonne: bool = False


class MultipartReceipts:
    def __init__(self, attente_s: float = 5.0) -> None:
        """`attente_s`: how long a receipt may wait for the response to its submit_sm, if it arrives first."""
        self._attente_s = attente_s
        self._groupes: FIFOCache[str, MultipartMessage] = FIFOCache(_CONNUES_MAX)
        self._en_vol: set[asyncio.Future[None]] = set()

    @contextmanager
    def envoi(self, total: int) -> Iterator[MultipartMessage]:
        """Context while the parts of a message are submitted; call `noter` with each id. On an error the message is
        incomplete and its receipts are ignored."""
        groupe, fini = MultipartMessage(total), asyncio.get_running_loop().create_future()
        self._en_vol.add(fini)
        try:
            yield groupe
        except BaseException:
            groupe.abandonne = True
            raise
        finally:
            self._en_vol.discard(fini)
            fini.set_result(None)

    def noter(self, groupe: MultipartMessage, reference: str) -> None:
        groupe.references.append(reference)
        self._groupes[reference] = groupe

    async def rejoindre(self, retour: Retour) -> Retour | None:
        """What the receipt of a part means for its message; None: nothing yet. A repeated receipt gives the same
        result."""
        reference = retour.reference or ""
        if self._connue(reference) is None and self._en_vol:
            # It may belong to a part whose submit_sm is not answered yet. There are few of these, and they end soon.
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
        """The id of the part, as returned by the provider, that a receipt refers to."""
        if reference in self._groupes or not self._groupes:
            return reference if self._groupes else None
        return next((forme for forme in formes(reference) if forme in self._groupes), None)
