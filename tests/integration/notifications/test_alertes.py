"""From a match to a mail: right headers, right reasons, once."""

import re

from kit.ids import new_id
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import annonce, correspondances, destinataire


async def test_une_correspondance_devient_un_courriel_avec_ses_raisons_et_son_desabonnement(poste: Poste) -> None:
    compte_id, adresse = await poste.inscrire()
    de = annonce(titre="Des costumes\r\nBcc: intrus@exemple.fr", urgent=True)
    await poste.publier(correspondances(de, destinataire(compte_id)))
    ligne = await poste.dans_l_etat("remis", compte_id=compte_id)

    [mail] = poste.boite.mails[adresse]
    assert mail["To"] == f"<{adresse}>" or mail["To"] == adresse
    assert mail["Subject"] == "Urgent\u00a0: Des costumes Bcc: intrus@exemple.fr"
    assert mail["Bcc"] is None
    assert mail["Message-ID"] == f"<{ligne['_id']}@place-des-assos.example>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<https://place\.exemple/desabonnement/[\w.-]+>", mail["List-Unsubscribe"])
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Id"]
    texte, page = (part.get_content() for part in mail.iter_parts())
    for rendu in (texte, page):
        assert "à 1,2\u00a0km de chez vous · samedi matin · véhicule" in rendu
        assert f"https://place.exemple/annonces/{de.annonce_id}" in rendu
        assert "samedi 28 novembre 2026" in rendu
    assert ligne["pourquoi"] == "à 1,2\u00a0km de chez vous · samedi matin · véhicule"
    assert "lot" not in ligne
    assert "reprise_at" not in ligne


async def test_le_meme_evenement_deux_fois_fait_un_courriel(poste: Poste) -> None:
    compte_id, adresse = await poste.inscrire()
    temoin, _ = await poste.inscrire()
    event = correspondances(annonce(), destinataire(compte_id))
    event_id = await poste.publier(event)
    await poste.publier(event, event_id)
    await poste.publier(correspondances(event.annonce, destinataire(temoin)))
    await poste.dans_l_etat("remis", compte_id=temoin)
    await poste.dans_l_etat("remis", compte_id=compte_id)
    assert len(poste.boite.mails[adresse]) == 1


async def test_la_meme_correspondance_sous_un_autre_evenement_fait_un_courriel_et_n_en_cache_aucun(
    poste: Poste,
) -> None:
    compte_id, adresse = await poste.inscrire()
    autre_id, autre = await poste.inscrire()
    de, qui = annonce(), destinataire(compte_id)
    await poste.publier(correspondances(de, qui))
    await poste.dans_l_etat("remis", compte_id=compte_id)
    await poste.publier(correspondances(de, qui, destinataire(autre_id)))
    await poste.dans_l_etat("remis", compte_id=autre_id)
    assert (len(poste.boite.mails[adresse]), len(poste.boite.mails[autre])) == (1, 1)


async def test_sans_consentement_une_ligne_dit_pourquoi_et_aucun_courriel_ne_part(poste: Poste) -> None:
    compte_id, adresse = await poste.inscrire(accord=False)
    inconnu = new_id()
    await poste.publier(correspondances(annonce(), destinataire(compte_id), destinataire(inconnu)))
    ligne = await poste.dans_l_etat("sans_consentement", compte_id=compte_id)
    assert ligne["motif"] == "consentement_absent"
    assert (await poste.dans_l_etat("sans_consentement", compte_id=inconnu))["motif"] == "sans_adresse"
    assert not poste.boite.mails[adresse]


async def test_des_centaines_de_destinataires_recoivent_chacun_un_courriel(poste: Poste) -> None:
    combien = 300
    comptes = [new_id() for _ in range(combien)]
    consentement = {"canal": "email", "accorde": True, "preuve": "essai", "at": "2026-11-01T10:00:00Z"}
    fiches = [
        {"compte_id": c, "email": f"{c}@foule.fr", "consentements": [consentement], "version": 1} for c in comptes
    ]
    reponse = await poste.api.post("/v1/interne/contacts", json=fiches, headers=poste.systeme())
    assert reponse.status_code == 204
    de = annonce()
    await poste.publier(correspondances(de, *[destinataire(c) for c in comptes]))

    async def all_handed_over() -> bool:
        return await poste.db.envois.count_documents({"annonce_id": de.annonce_id, "etat": "remis"}) == combien

    await poste.bientot(all_handed_over)
    assert [len(poste.boite.mails[f"{c}@foule.fr"]) for c in comptes] == [1] * combien
