"""A number is somebody's once they have typed the code that it received."""

import orjson
import pytest

from kit.ids import new_id
from services.notifications.telephones import PAR_HEURE
from tests.integration.notifications.abonne import Abonne, abonner, lire_code, numero, verifier
from tests.integration.notifications.conftest import Poste


async def proposer(poste: Poste, compte_id: str, saisi: str) -> tuple[int, str]:
    """The status, and what is said about the number."""
    corps = {"compte_id": compte_id, "numero": saisi}
    reponse = await poste.api.post("/v1/interne/telephones", json=corps, headers=poste.systeme())
    erreurs = reponse.json()["erreurs"] if reponse.content else []
    return reponse.status_code, erreurs[0]["message"] if erreurs else ""


async def confirmer(poste: Poste, compte_id: str, code: str) -> int:
    chemin = f"/v1/interne/telephones/{compte_id}/confirmation"
    reponse = await poste.api.post(chemin, json={"code": code}, headers=poste.systeme())
    return reponse.status_code


async def telephone(poste: Poste, compte_id: str) -> str | None:
    vu = (await poste.api.get("/v1/mes/preferences", headers=poste.comme(compte_id))).json()
    masque: str | None = vu["telephone"]
    return masque


async def inscrit(poste: Poste) -> Abonne:
    compte_id, adresse = await poste.inscrire()
    return Abonne(poste, compte_id, adresse, numero(), new_id())


async def test_le_code_recu_prouve_le_numero_et_aucun_ne_reste_lisible(poste: Poste) -> None:
    qui = await inscrit(poste)
    assert await proposer(poste, qui.compte_id, qui.numero) == (202, "")
    code = lire_code(await qui.lit("est votre code"))
    assert await telephone(poste, qui.compte_id) is None
    # With a blank, as phones show it.
    assert await confirmer(poste, qui.compte_id, f"{code[:3]} {code[3:]}") == 204
    assert await telephone(poste, qui.compte_id) == f"06\u00a0••\u00a0••\u00a0••\u00a0{qui.numero[-2:]}"
    assert await confirmer(poste, qui.compte_id, code) == 422, "a code serves once"
    ligne = await poste.parti(compte_id=qui.compte_id, genre="code_telephone")
    contact = await poste.db.contacts.find_one({"_id": qui.compte_id})
    assert "secret" not in ligne
    garde = orjson.dumps([ligne, contact], default=repr).decode()
    assert qui.numero not in garde
    assert code not in garde


async def test_cinq_codes_faux_l_annulent_et_un_nouveau_recommence(poste: Poste) -> None:
    qui = await inscrit(poste)
    await proposer(poste, qui.compte_id, qui.numero)
    code = lire_code(await qui.lit("est votre code"))
    faux = f"{(int(code) + 1) % 10**6:06}"
    assert [await confirmer(poste, qui.compte_id, faux) for _ in range(5)] == [422] * 5
    assert await confirmer(poste, qui.compte_id, code) == 422
    await proposer(poste, qui.compte_id, qui.numero)
    nouveau = lire_code(await qui.lit("est votre code", combien=2))
    assert await confirmer(poste, qui.compte_id, nouveau) == 204


async def test_somebody_else_s_code_confirms_nothing(poste: Poste) -> None:
    qui, autre = await inscrit(poste), await inscrit(poste)
    await proposer(poste, qui.compte_id, qui.numero)
    code = lire_code(await qui.lit("est votre code"))
    assert await confirmer(poste, autre.compte_id, code) == 422
    assert await telephone(poste, autre.compte_id) is None


@pytest.mark.parametrize(
    ("saisi", "phrase"),
    [
        ("03 20 49 50 00", "C’est un numéro de ligne fixe, qui ne reçoit pas de SMS"),
        ("0899 70 00 00", "C’est un numéro spécial, qui ne reçoit pas de SMS"),
        ("36 17", "Les numéros courts ne reçoivent pas nos SMS"),
        ("06 12", "Les numéros courts ne reçoivent pas nos SMS"),
        ("06 12 34 56 78 90 12", "Ce numéro n’existe pas"),
        ("allô", "Ce n’est pas un numéro de téléphone"),
    ],
)
async def test_ce_qui_ne_recoit_pas_de_sms_est_refuse_avec_la_raison(poste: Poste, saisi: str, phrase: str) -> None:
    statut, message = await proposer(poste, new_id(), saisi)
    assert statut == 422
    assert message.startswith(phrase)


@pytest.mark.parametrize(
    ("saisi", "attendu"),
    [
        ("0692 12 34 56", "+262692123456"),
        ("+32 470 12 34 56", "+32470123456"),
        # Of those that are kept for fiction, as in the demonstration.
        ("0033 6 39 98 12 34", "+33639981234"),
    ],
    ids=["la-reunion", "belgique", "fiction"],
)
async def test_les_mobiles_d_outre_mer_et_de_l_etranger_recoivent_leur_code(
    poste: Poste, saisi: str, attendu: str
) -> None:
    compte_id, adresse = await poste.inscrire()
    assert await proposer(poste, compte_id, saisi) == (202, "")
    lire_code(await Abonne(poste, compte_id, adresse, attendu, new_id()).lit("est votre code"))


async def test_un_numero_prouve_par_un_autre_quitte_le_premier_compte(poste: Poste) -> None:
    ancien = await abonner(poste)
    compte_id, adresse = await poste.inscrire()
    nouveau = Abonne(poste, compte_id, adresse, ancien.numero, new_id())
    corps = {"compte_id": compte_id, "numero": nouveau.numero}
    await poste.api.post("/v1/interne/telephones", json=corps, headers=poste.systeme())
    code = lire_code(await nouveau.lit("est votre code", combien=2))
    assert await confirmer(poste, compte_id, code) == 204
    assert await telephone(poste, ancien.compte_id) is None
    assert await telephone(poste, compte_id) is not None


async def test_un_numero_retire_ne_recoit_plus_rien(poste: Poste) -> None:
    qui = await abonner(poste)
    chemin = f"/v1/interne/telephones/{qui.compte_id}"
    assert (await poste.api.delete(chemin, headers=poste.systeme())).status_code == 204
    de = await qui.aurait_une_alerte()
    ligne = await poste.dans_l_etat("sans_consentement", annonce_id=de.annonce_id, canal="sms")
    assert ligne["motif"] == "sans_adresse"
    assert [sms.texte for sms in qui.recus if "Besoin" in sms.texte] == []
    # It may come back, and works as before.
    qui.recus.clear()
    await verifier(qui)
    await qui.est_alerte()


async def test_seule_la_porte_confie_des_numeros(poste: Poste) -> None:
    compte_id = new_id()
    corps = {"compte_id": compte_id, "numero": numero()}
    for qui, statut in ((poste.comme(compte_id), 403), ({}, 401)):
        assert (await poste.api.post("/v1/interne/telephones", json=corps, headers=qui)).status_code == statut


async def test_un_numero_ne_recoit_que_quelques_codes_quel_que_soit_le_nombre_de_comptes(poste: Poste) -> None:
    victime = numero()
    comptes, statuts = [new_id() for _ in range(3)], []
    for tour in range(15):
        demande = {"compte_id": comptes[tour % 3], "numero": victime if tour % 2 else f"0{victime[3:]}"}
        refus = await poste.api.post("/v1/interne/telephones", json=demande, headers=poste.systeme())
        statuts.append(refus.status_code)
    assert statuts == [202] * PAR_HEURE + [429] * (15 - PAR_HEURE)
    assert refus.headers["Retry-After"]
    assert (
        await poste.db.envois.count_documents({"compte_id": {"$in": comptes}, "genre": "code_telephone"}) == PAR_HEURE
    )
    assert victime not in repr([ligne async for ligne in poste.db.codes_telephone.find({})])


@pytest.mark.parametrize("etranger", ["+447400123456", "+12125550123", "+8801712345678"])
async def test_un_numero_d_un_pays_sans_prix_est_refuse_avec_une_phrase(poste: Poste, etranger: str) -> None:
    demande = {"compte_id": new_id(), "numero": etranger}
    refus = await poste.api.post("/v1/interne/telephones", json=demande, headers=poste.systeme())
    assert refus.status_code == 422
    assert "vers ce pays" in refus.json()["erreurs"][0]["message"]


async def test_le_sms_d_un_pays_sans_prix_n_a_pas_de_reponse(poste: Poste) -> None:
    etranger = Abonne(poste, "", "", "+447400123456", "")
    await etranger.ecrit("Hello?")
    ligne = await poste.ligne(genre="aide_sms", motif="pays_non_desservi")
    assert ligne["etat"] == "annulee"
    assert not etranger.recus
