"""The conversation after an answer was accepted: both sides write, and the accepted person learns the meeting point."""

from deploy.client import Client, RequestRefused
from deploy.console import Steps

LIEU_PRIVE = "14 rue d’Arcole, 2e étage, code 1717"
A_APPORTER = "Des sangles, si vous en avez"
_QUESTION = "Bonjour ! À quelle heure samedi ?"
_REPONSE = "À 9 h. Merci d’avance !"


async def converser(auteur: Client, repondant: Client, etranger: Client, reponse_id: str, steps: Steps) -> list[str]:
    """Plays the conversation through the public API. Returns one sentence per failed check."""
    fil = f"/v1/reponses/{reponse_id}/messages"
    await repondant.post(fil, {"texte": _QUESTION, "prenom": "Camille"})
    await auteur.post(fil, {"texte": _REPONSE})
    lus = (await repondant.get(fil))["messages"]
    manques = []
    if [message["texte"] for message in lus][-2:] != [_QUESTION, _REPONSE]:
        manques.append("la conversation n’a pas les deux messages")
    rencontre = await repondant.get(f"/v1/reponses/{reponse_id}/rencontre")
    if rencontre["lieu_prive"] != LIEU_PRIVE:
        manques.append("la personne acceptée ne lit pas où venir")
    try:
        await etranger.get(fil)
        manques.append("la conversation des autres se lit")
    except RequestRefused as refus:
        if refus.status != 404:
            raise
    steps.say(
        f"6. {lus[-2]['de_nom']} demande l’heure, « {lus[-1]['de_nom']} » répond ; le rendez-vous n’est que pour elle"
    )
    return manques
