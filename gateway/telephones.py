"""The phone number of an account: notifications alone keeps it; a code by SMS proves that it is theirs, and is the
consent to alerts by SMS."""

from contracts.notifications import Canal
from gateway.consentements import Consentements
from gateway.domain import PREUVE_CODE_SMS, PREUVE_NUMERO_RETIRE, lire_code
from gateway.door_rules import Limit
from gateway.limits import Limits
from gateway.upstream import SYSTEM, Services, as_problem

_PATH = "/v1/interne/telephones"


class Telephones:
    """Every refusal of notifications (a landline, a wrong code) is raised as its own 4xx problem, in French."""

    def __init__(
        self,
        *,
        services: Services,
        consentements: Consentements,
        limits: Limits,
        per_account: Limit,
        per_ip: Limit,
    ) -> None:
        self._services = services
        self._consentements = consentements
        self._limits = limits
        self._per_account = per_account
        self._per_ip = per_ip

    async def demander(self, compte_id: str, numero: str, client: str) -> None:
        """Sends a code by SMS; it replaces the one before. Raises a 429 problem above the limits, tried or sent."""
        await self._limits.check(self._per_account, compte_id)
        await self._limits.check(self._per_ip, client)
        await self._ask("POST", _PATH, {"compte_id": compte_id, "numero": numero.strip()})

    async def confirmer(self, compte_id: str, code: str) -> None:
        await self._ask("POST", f"{_PATH}/{compte_id}/confirmation", {"code": lire_code(code)})
        # Dated anew whatever was said before: whoever types the code in now wants SMS now.
        await self._consentements.donner(compte_id, Canal.SMS, PREUVE_CODE_SMS, renouveler=True)

    async def retirer(self, compte_id: str) -> None:
        """Forgets the number. The consent ends first: should the rest fail, no SMS leaves all the same."""
        await self._consentements.retirer(compte_id, Canal.SMS, PREUVE_NUMERO_RETIRE)
        await self._ask("DELETE", f"{_PATH}/{compte_id}")

    async def _ask(self, method: str, path: str, content: object = None) -> None:
        answer = await self._services.ask("notifications", method, path, SYSTEM, content)
        if answer.status >= 400:
            raise as_problem(answer)
