"""Alerts by SMS, and what people answer: each word is acted upon once, and answered."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from contracts.notifications import Canal, Intention, ReponseParMessage
from kit.ids import new_id
from services.notifications.alertes import reference
from services.notifications.canaux.callback_signature import signer
from services.notifications.reponses_sms.act import AIDES_MAX
from tests.integration.notifications.abonne import Abonne, abonner, consentir, numero
from tests.integration.notifications.conftest import Lire, Poste
from tests.integration.notifications.operateurs import SECRET


def de_sa_part(qui: Abonne) -> Any:
    return lambda e: isinstance(e, ReponseParMessage) and e.compte_id == qui.compte_id


async def test_qui_a_accepte_les_sms_recoit_l_alerte_par_deux_canaux_avec_son_code(poste: Poste) -> None:
    qui = await abonner(poste)
    de = await qui.est_alerte(titre="Trois costumes à retoucher", urgent=True)
    await poste.parti(annonce_id=de.annonce_id, canal="email")
    sms = await qui.lit("Besoin urgent : Trois costumes à retoucher")
    code = reference(de.annonce_id)
    assert sms.texte.endswith(f"Réf. {code}. Répondez OUI {code}, NON {code} ou STOP")
    assert "Pour vous : à 1,2 km" in sms.texte
    assert sms.de == "PLACE"
    assert sms.parties <= 2
    assert len(poste.boite.mails[qui.adresse]) == 1
    ligne = await poste.ligne(annonce_id=de.annonce_id, canal="sms")
    assert (ligne["ref"], ligne["fournisseur"] in ("smpp", "http"), ligne["parties"]) == (code, True, sms.parties)
    assert ligne["reference"] == sms.reference or sms.parties > 1
    await poste.dans_l_etat("livre", _id=ligne["_id"])


async def test_un_numero_sans_consentement_ne_recoit_pas_d_alerte(poste: Poste) -> None:
    qui = await abonner(poste, sms=False)
    de = await qui.aurait_une_alerte()
    await poste.parti(annonce_id=de.annonce_id, canal="email")
    assert await poste.db.envois.count_documents({"annonce_id": de.annonce_id, "canal": "sms"}) == 0


@pytest.mark.parametrize("par_http", [False, True])
async def test_oui_avec_le_code_repond_a_cette_annonce(poste: Poste, lire: Lire, par_http: bool) -> None:
    qui = await abonner(poste)
    premiere, _ = await qui.est_alerte(), await qui.est_alerte()
    await qui.ecrit(f"oui {reference(premiere.annonce_id).lower()} 3 personnes", par_http=par_http)
    [event] = await lire(de_sa_part(qui))
    assert (event.annonce_id, event.intention, event.quantite) == (premiere.annonce_id, Intention.REPONDRE, 3)
    assert event.canal is Canal.SMS


async def test_oui_seul_repond_a_la_seule_alerte(poste: Poste, lire: Lire) -> None:
    qui = await abonner(poste)
    de = await qui.est_alerte()
    await qui.ecrit("نعم")
    [event] = await lire(de_sa_part(qui))
    assert (event.annonce_id, event.quantite) == (de.annonce_id, 1)


async def test_oui_seul_apres_deux_alertes_fait_demander_laquelle(poste: Poste, lire: Lire) -> None:
    qui = await abonner(poste)
    premiere, seconde = await qui.est_alerte(titre="Une salle"), await qui.est_alerte(titre="Un vélo")
    await qui.ecrit("OUI")
    question = await qui.lit("Pour quelle annonce ?")
    codes = [reference(de.annonce_id) for de in (seconde, premiere)]
    assert question.texte == (
        f"Pour quelle annonce ?\n{codes[0]} : Un vélo\n{codes[1]} : Une salle\nRépondez par exemple OUI {codes[0]}."
    )
    await qui.ecrit(f"OUI {codes[1]}")
    [event] = await lire(de_sa_part(qui))
    assert event.annonce_id == premiere.annonce_id


async def test_non_decline_cette_annonce_pour_de_bon(poste: Poste, lire: Lire) -> None:
    qui = await abonner(poste)
    de = await qui.est_alerte(titre="Un piano à porter")
    await qui.ecrit("Non merci", par_http=True)
    await qui.lit('C\'est noté : plus de message pour "Un piano à porter"')
    [event] = await lire(de_sa_part(qui))
    assert (event.annonce_id, event.intention) == (de.annonce_id, Intention.ANNULER)
    await qui.aurait_une_alerte(annonce_id=de.annonce_id, version=3)
    for canal in ("email", "sms"):
        ligne = await poste.dans_l_etat("annulee", annonce_id=de.annonce_id, version=3, canal=canal)
        assert ligne["motif"] == "annonce_declinee"


async def test_un_sms_apporte_deux_fois_repond_une_fois(
    poste: Poste, lire: Lire, monkeypatch: pytest.MonkeyPatch
) -> None:
    qui = await abonner(poste)
    de = await qui.est_alerte()
    owed = poste.operateurs.smsc.registre.devoir
    monkeypatch.setattr(
        poste.operateurs.smsc.registre, "devoir", lambda genre, sorties: owed(genre, [*sorties, *sorties])
    )
    await qui.ecrit(f"OUI {reference(de.annonce_id)}")
    await lire(de_sa_part(qui))
    monkeypatch.undo()
    await qui.ecrit(f"NON {reference(de.annonce_id)}")
    await qui.lit("C'est noté : plus de message")
    # Of one annonce, events come in their order: what was before the last one is all there is.
    dits = await lire(lambda e: de_sa_part(qui)(e) and e.intention is Intention.ANNULER)
    assert [e.intention for e in await lire(de_sa_part(qui))] == [Intention.REPONDRE, Intention.ANNULER]
    assert len(dits) == 1


async def rappeler(poste: Poste, corps: dict[str, Any]) -> int:
    octets, at = json.dumps(corps).encode(), str(int(time.time()))
    entetes = {"X-Horodatage": at, "X-Signature": signer(octets, at, SECRET)}
    return (await poste.api.post("/v1/rappels/sms/http", content=octets, headers=entetes)).status_code


async def test_stop_dit_et_apporte_deux_fois_est_confirme_une_fois_et_finit_ce_qui_attend(poste: Poste) -> None:
    qui = await abonner(poste)
    attend = await en_attente(qui)
    stop = {"type": "inbound", "id": new_id(), "from": qui.numero, "text": "STOP", "at": "2026-11-20T12:00:00Z"}
    # The same callback twice at once, then the person once more.
    assert set(await asyncio.gather(rappeler(poste, stop), rappeler(poste, stop))) == {204}
    ligne = await poste.dans_l_etat("annulee", annonce_id=attend, canal="sms")
    assert ligne["motif"] == "desabonne"
    await qui.ecrit("stop svp")
    await qui.ecrit("AIDE")
    await qui.lit("répondez aux alertes par OUI")
    await qui.lit("c'est noté, vous ne recevrez plus de SMS")
    vu = (await poste.api.get("/v1/mes/preferences", headers=poste.comme(qui.compte_id))).json()
    assert vu["canaux"] == {"email": True, "sms": False, "push": False}
    de = await qui.aurait_une_alerte()
    await poste.parti(annonce_id=de.annonce_id, canal="email")
    assert await poste.db.envois.count_documents({"annonce_id": de.annonce_id, "canal": "sms"}) == 0
    genres = [ligne["genre"] async for ligne in poste.db.envois.find({"compte_id": qui.compte_id, "canal": "sms"})]
    assert genres.count("stop_confirme") == 1


async def en_attente(qui: Abonne) -> str:
    """The annonce of an SMS that waits for the hours that its person chose, which are far from now."""
    poste = qui.poste
    debut = (time.gmtime().tm_hour + 8) % 22
    entetes = {**poste.comme(qui.compte_id), "If-Match": '"0"'}
    corps = {"heures": {"debut": debut, "fin": debut + 1}}
    assert (await poste.api.put("/v1/mes/preferences", json=corps, headers=entetes)).status_code == 200
    de = await qui.aurait_une_alerte()
    await poste.dans_l_etat("en_file", annonce_id=de.annonce_id, canal="sms", motif="heures_calmes")
    return de.annonce_id


async def test_qui_accepte_de_nouveau_apres_stop_est_alerte_et_peut_redire_stop(poste: Poste) -> None:
    qui = await abonner(poste)
    await qui.ecrit("STOP")
    await qui.lit("vous ne recevrez plus de SMS")
    await consentir(poste, qui.compte_id, version=3)
    await qui.est_alerte()
    await qui.ecrit("STOP")
    await qui.lit("vous ne recevrez plus de SMS", combien=2)
    de = await qui.aurait_une_alerte()
    await poste.parti(annonce_id=de.annonce_id, canal="email")
    assert await poste.db.envois.count_documents({"annonce_id": de.annonce_id, "canal": "sms"}) == 0


async def test_pause_et_reprendre_retiennent_et_relachent(poste: Poste) -> None:
    qui = await abonner(poste)
    await qui.ecrit("PAUSE 30")
    await qui.lit("pas d'alerte jusqu'au")
    de = await qui.aurait_une_alerte(urgent=True)
    for canal in ("email", "sms"):
        assert (await poste.dans_l_etat("annulee", annonce_id=de.annonce_id, canal=canal))["motif"] == "pause"
    await qui.ecrit("REPRENDRE", par_http=True)
    await qui.lit("les alertes reprennent")
    await qui.est_alerte()


@pytest.mark.parametrize(
    "texte",
    ["AIDE", "", "مرحبا، كيف حالك؟", "Bonjour, je voudrais bien savoir si c’est loin. " * 16, "OUI non peut-être"],
    ids=["aide", "vide", "arabe", "dix-parties", "oui-et-non"],
)
async def test_quoi_qu_on_ecrive_la_reponse_dit_ce_qu_on_peut_ecrire(poste: Poste, texte: str) -> None:
    qui = await abonner(poste)
    await qui.est_alerte()
    await qui.ecrit(texte)
    aide = await qui.lit("répondez aux alertes par OUI et leur référence")
    assert "STOP" in aide.texte
    assert "PAUSE 30" in aide.texte


async def test_un_numero_inconnu_l_apprend_et_son_stop_est_confirme(poste: Poste) -> None:
    inconnu = Abonne(poste, "", "", numero(), "")
    await inconnu.ecrit("Bonjour, qui êtes-vous ?")
    await inconnu.lit("ne connait pas ce numéro")
    await inconnu.ecrit("STOP", par_http=True)
    await inconnu.lit("vous ne recevrez plus de SMS")
    garde = [ligne async for ligne in poste.db.sms_recus.find({"compte_id": ""})]
    assert garde
    assert inconnu.numero not in repr(garde)


async def test_une_machine_qui_repond_a_nos_reponses_n_en_recoit_pas_sans_fin(poste: Poste) -> None:
    machine = Abonne(poste, "", "", numero(), "")
    for n in range(AIDES_MAX + 3):
        # One after the other, as each of its texts answers one of ours.
        avant = await poste.db.sms_recus.count_documents({})
        await machine.ecrit(f"Absent du bureau ({n}).")

        async def lu(avant: int = avant) -> bool:
            return await poste.db.sms_recus.count_documents({}) > avant

        await poste.bientot(lu)
    await machine.lit("ne connait pas ce numéro", AIDES_MAX)
    ouverts = {"genre": "aide_sms", "reprise_at": {"$exists": True}}
    await poste.bientot(lambda: aucun(poste, ouverts))
    assert len(machine.recus) == AIDES_MAX


async def aucun(poste: Poste, filtre: Mapping[str, object]) -> bool:
    return await poste.db.envois.count_documents(filtre) == 0
