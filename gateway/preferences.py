"""What a choice of channels means for the consents: a ticked box gives one, an emptied box takes it back."""

from collections.abc import Mapping

from contracts.notifications import Canal
from gateway.consentements import Consentements
from gateway.domain import PREUVE_PREFERENCES


def canaux(preferences: Mapping[str, object]) -> Mapping[str, object]:
    """{channel: bool} of preferences, as notifications answers them or as somebody sent them."""
    found = preferences.get("canaux")
    return found if isinstance(found, Mapping) else {}


async def suivre(
    consentements: Consentements, compte_id: str, avant: Mapping[str, object], voulu: Mapping[str, object]
) -> None:
    """Makes the consents follow preferences that were saved: `avant` as read just before, `voulu` as sent.

    A number that no code has proved can be agreed to by nobody; a channel that was closed (STOP) is agreed to anew.
    """
    for canal in Canal:
        choice = canaux(voulu).get(canal.value)
        if choice is False:
            await consentements.retirer(compte_id, canal, PREUVE_PREFERENCES)
        elif choice is True and (canal is not Canal.SMS or avant.get("telephone")):
            closed = canaux(avant).get(canal.value) is not True
            await consentements.donner(compte_id, canal, PREUVE_PREFERENCES, renouveler=closed)
