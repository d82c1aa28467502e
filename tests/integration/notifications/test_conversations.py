"""What the other side of a conversation writes reaches people by mail, and what they answer comes back."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import pytest
import vobject

from contracts.annonces import (
    EtatReponse,
    RaisonCloture,
    Reponse,
    ReponseAcceptee,
    ReponseAnnulee,
    ReponseClose,
    ReponseDeposee,
    ReponseLiberee,
)
from contracts.comptes import CompteEfface, EtatCompte
from contracts.conversations import MessageEcrit
from contracts.notifications import Canal
from kit.http.health import Health
from kit.ids import new_id
from services.notifications import entrant
from services.notifications.conversations.fils import RECUS_PAR_HEURE, VALIDITE
from services.notifications.reponses_email.server import DESTINATAIRES_MAX, PERIMEE
from services.notifications.reponses_email.store import TAILLE_MAX
from tests.integration.notifications.abonne import abonner
from tests.integration.notifications.conftest import Poste
from tests.integration.notifications.faits import compte


@pytest.fixture(scope="session")
async def port_entrant(poste: Poste) -> AsyncIterator[int]:
    """The process that receives mail, on a port of its own."""
    stopping = asyncio.Event()
    async with entrant.start(poste.reglages.model_copy(update={"port": 0}), Health()) as loops:
        tasks = [asyncio.ensure_future(loop(stopping)) for loop in loops]
        serveur: Any = loops[0].__self__  # type: ignore[attr-defined]  # Serveur.run
        yield await serveur.ecoute
        stopping.set()
        await asyncio.gather(*tasks)


class Deux:
    """Who answered (`a`), who posted (`b`), and their conversation."""

    def __init__(self, poste: Poste, a: tuple[str, str], b: tuple[str, str]) -> None:
        self.poste = poste
        self.a, self.adresse_a = a
        self.b, self.adresse_b = b
        self.id = new_id()
        self.annonce_id = new_id()
        self._version = 0

    def reponse(self, etat: EtatReponse = EtatReponse.DEPOSEE, canal: Canal | None = None) -> Reponse:
        self._version += 1
        return Reponse(
            reponse_id=self.id,
            version=self._version,
            etat=etat,
            annonce_id=self.annonce_id,
            annonce_titre="Une camionnette",
            quantite=1,
            compte_id=self.a,
            destinataires=[self.b],
            deposee_at=dt.datetime.now(dt.UTC),
            canal=canal,
        )

    async def ecrire(self, texte: str, de: str | None = None, message_id: str | None = None) -> str:
        message_id, de = message_id or new_id(), de or self.b
        self.poste.annonces.messages[self.id, message_id] = {
            "texte": texte,
            "de_nom": "Le Vestiaire",
            "annonce_id": self.annonce_id,
            "annonce_titre": "Une camionnette",
            "ouverte": True,
            "ecrit_at": "2026-11-28T13:02:00Z",
        }
        pour = [self.a if de == self.b else self.b]
        await self.poste.publier(
            MessageEcrit(
                conversation_id=self.id,
                annonce_id=self.annonce_id,
                pour=pour,
                message_id=message_id,
                de=de,
                ecrit_at=dt.datetime.now(dt.UTC),
            )
        )
        return message_id

    def rencontre(self, **autres: Any) -> None:
        self.poste.annonces.rencontres[self.id, self.a] = {
            "annonce_id": self.annonce_id,
            "annonce_titre": "Une camionnette",
            "nom_autre": "Le Vestiaire",
            "date_debut": "2027-03-13",
            "date_fin": "2027-03-13",
            "creneaux": ["samedi-matin"],
            "quartier": "fives",
            "a_distance": False,
            "lieu_prive": "12 rue de Bavay, code 4B17",
            "a_apporter": "des gants",
            "sequence": 3,
            **autres,
        }

    async def mail(self, adresse: str, rang: int = 0, objet: str = "") -> EmailMessage:
        async def arrive() -> EmailMessage | None:
            recus = [mail for mail in self.poste.boite.mails[adresse] if objet in str(mail["Subject"])]
            return recus[rang] if len(recus) > rang else None

        mail: EmailMessage = await self.poste.bientot(arrive)
        return mail


@pytest.fixture
async def deux(poste: Poste) -> Deux:
    return Deux(poste, await poste.inscrire(), await poste.inscrire())


def texte(mail: EmailMessage) -> str:
    partie = mail.get_body(("plain",))
    assert partie is not None
    return str(partie.get_content()).replace("\r\n", "\n")


def reponse_a(mail: EmailMessage, mots: str, de: str, **entetes: str) -> EmailMessage:
    """As a mail program writes it."""
    reponse = EmailMessage()
    valeurs = {"From": de, "To": str(mail["Reply-To"]), "Message-ID": f"<{new_id()}@exemple.fr>"}
    for nom, valeur in {**valeurs, **entetes}.items():
        reponse[nom] = valeur
    cite = "\n".join(f"> {ligne}" for ligne in texte(mail).splitlines())
    reponse.set_content(f"{mots}\n\nLe sam. 28 nov. 2026 à 14:02, Place des assos <x@y>\na écrit :\n\n{cite}\n")
    return reponse


async def remettre(port: int, mail: EmailMessage | bytes, a: list[str] | None = None, de: str = "c@exemple.fr") -> Any:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
        if isinstance(mail, bytes):
            return await smtp.sendmail(de, a or [], mail)
        return await smtp.send_message(mail, sender=de, recipients=a)


async def issue(poste: Poste, mail: EmailMessage, attendue: str) -> None:
    """What was done about the mail to this address, once it is done."""
    jeton = str(mail["To"]).partition("@")[0].removeprefix("fil+")

    async def faite() -> bool:
        ligne = await poste.db.courriels_recus.find_one({"jetons": jeton, f"issues.{jeton}": attendue})
        return ligne is not None and "contenu" not in ligne

    await poste.bientot(faite)


async def test_un_message_arrive_par_courriel_et_la_reponse_revient(
    deux: Deux, poste: Poste, port_entrant: int
) -> None:
    await deux.ecrire("Pouvez-vous venir à 9 h ?")
    mail = await deux.mail(deux.adresse_a)
    assert "Le Vestiaire" in texte(mail)
    assert "Pouvez-vous venir à 9 h ?" in texte(mail)
    assert f"https://place.exemple/reponses/{deux.id}" in texte(mail)
    reponse = reponse_a(mail, "Oui, à 9 h.", deux.adresse_a)
    await remettre(port_entrant, reponse)
    await remettre(port_entrant, reponse)
    await issue(poste, reponse, "transmis")
    (recu,) = [r for r in poste.annonces.recus.values() if r["conversation_id"] == deux.id]
    assert (recu["texte"], recu["compte_id"], recu["canal"]) == ("Oui, à 9 h.", deux.a, "email")


async def test_ce_qui_suit_de_pres_est_un_seul_courriel_et_le_fil_reste_un_fil(deux: Deux, poste: Poste) -> None:
    await deux.ecrire("Premier")
    premier = await deux.mail(deux.adresse_a)
    await deux.ecrire("Deuxième")
    await deux.ecrire("Troisième")
    ligne = await poste.ligne(compte_id=deux.a, genre="message_recu", messages={"$size": 2})
    assert ligne["motif"] == "messages_groupes"
    # The two quiet minutes are over.
    await poste.db.envois.update_one({"_id": ligne["_id"]}, {"$set": {"reprise_at": dt.datetime.now(dt.UTC)}})
    second = await deux.mail(deux.adresse_a, 1)
    assert texte(second).index("Deuxième") < texte(second).index("Troisième")
    assert "Premier" not in texte(second)
    assert second["References"] == premier["References"]
    assert second["Subject"] == premier["Subject"]
    assert second["Reply-To"] == premier["Reply-To"]
    assert len(poste.boite.mails[deux.adresse_a]) == 2


async def test_un_message_efface_entre_temps_n_est_plus_ecrit(deux: Deux, poste: Poste) -> None:
    poste.annonces.absente = True
    try:
        message_id = await deux.ecrire("Un secret")
        await poste.dans_l_etat("echec_temporaire", compte_id=deux.a, motif="contenu_absent", tentatives=0)
        del poste.annonces.messages[deux.id, message_id]
    finally:
        poste.annonces.absente = False
    mail = await deux.mail(deux.adresse_a)
    assert "Ce message a été effacé" in texte(mail)
    assert "secret" not in str(mail)


async def test_le_texte_n_est_nulle_part_chez_nous(deux: Deux, poste: Poste) -> None:
    await deux.ecrire("Mon code est 4B17-confidentiel")
    await deux.mail(deux.adresse_a)
    for nom in await poste.db.list_collection_names():
        async for ligne in poste.db[nom].find({}):
            assert "4B17-confidentiel" not in str(ligne), nom


async def test_qui_repond_par_sms_n_apprend_par_sms_que_l_existence_du_message(poste: Poste) -> None:
    quelqu_un = await abonner(poste)
    deux = Deux(poste, (quelqu_un.compte_id, quelqu_un.adresse), await poste.inscrire())
    await poste.publier(ReponseDeposee(reponse=deux.reponse(canal=Canal.SMS)))
    await deux.mail(deux.adresse_b)
    await deux.ecrire("Un texte privé")
    sms = await quelqu_un.lit("vous avez un message")
    assert f"https://place.exemple/reponses/{deux.id}" in sms.texte
    assert "privé" not in sms.texte


async def test_qui_a_arrete_les_sms_est_prevenu_par_courriel(deux: Deux, poste: Poste) -> None:
    """This person answered by SMS, and has no number any more."""
    await poste.publier(ReponseDeposee(reponse=deux.reponse(canal=Canal.SMS)))
    await deux.mail(deux.adresse_b)
    await deux.ecrire("Un texte")
    assert "Un texte" in texte(await deux.mail(deux.adresse_a, objet="Conversation"))


async def test_l_acceptation_dit_qui_quand_ou_et_quoi_apporter(deux: Deux, poste: Poste) -> None:
    deux.rencontre()
    await poste.publier(ReponseAcceptee(reponse=deux.reponse(EtatReponse.ACCEPTEE)))
    mail = await deux.mail(deux.adresse_a)
    for dit in ("Le Vestiaire", "samedi 13 mars 2027", "12 rue de Bavay, code 4B17", "des gants", deux.id):
        assert dit in texte(mail)
    (fichier,) = [p for p in mail.walk() if p.get_content_type() == "text/calendar"]
    agenda = vobject.readOne(fichier.get_content())
    assert agenda.vevent.uid.value == f"{deux.id}.samedi-matin@place-des-assos.example"
    assert agenda.vevent.organizer.value.startswith("mailto:")
    assert agenda.vevent.sequence.value == "3"
    assert "12 rue de Bavay" in agenda.vevent.location.value
    # Nothing of it is kept.
    async for contenu in poste.db.contenus.find({"donnees.reponse_id": deux.id}):
        assert "Bavay" not in str(contenu)
    assert "Bavay" not in str(await poste.db.engagements.find_one({"_id": deux.id}))


@pytest.mark.parametrize("fin", ["close", "liberee"])
async def test_ce_qui_n_a_plus_lieu_est_retire_de_l_agenda(deux: Deux, poste: Poste, fin: str) -> None:
    deux.rencontre()
    await poste.publier(ReponseAcceptee(reponse=deux.reponse(EtatReponse.ACCEPTEE)))
    await deux.mail(deux.adresse_a)
    reponse = deux.reponse(EtatReponse.ACCEPTEE)
    if fin == "close":
        await poste.publier(ReponseClose(reponse=reponse, raison=RaisonCloture.RETIREE))
    else:
        await poste.publier(ReponseLiberee(reponse=reponse))
    mail = await deux.mail(deux.adresse_a, 1)
    (fichier,) = [p for p in mail.walk() if p.get_content_type() == "text/calendar"]
    assert fichier["Content-Type"].params["method"] == "CANCEL"
    agenda = vobject.readOne(fichier.get_content())
    assert agenda.vevent.uid.value == f"{deux.id}.samedi-matin@place-des-assos.example"
    assert (agenda.vevent.status.value, agenda.vevent.sequence.value) == ("CANCELLED", "4")


async def test_une_annonce_effacee_avant_le_courriel_le_dit(deux: Deux, poste: Poste) -> None:
    poste.annonces.effacees.add(deux.id)
    await poste.publier(ReponseAcceptee(reponse=deux.reponse(EtatReponse.ACCEPTEE)))
    assert "ne sont plus connus" in texte(await deux.mail(deux.adresse_a))


async def test_une_adresse_inventee_perimee_ou_effacee_est_refusee(deux: Deux, poste: Poste, port_entrant: int) -> None:
    await deux.ecrire("Bonjour")
    mail = await deux.mail(deux.adresse_a)
    inventee = reponse_a(mail, "Oui", deux.adresse_a, To=f"fil+{'a' * 24}@{poste.reglages.domaine_entrant}")
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused, match=r"5\.1\.1"):
        await remettre(port_entrant, inventee)
    jeton = str(mail["Reply-To"]).partition("@")[0].removeprefix("fil+")
    fil = await poste.db.fils.find_one({"_id": jeton})
    assert fil is not None
    assert dt.timedelta(0) <= VALIDITE - (fil["expire_at"] - dt.datetime.now(dt.UTC)) < dt.timedelta(hours=1)
    hier = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    await poste.db.fils.update_one({"_id": jeton}, {"$set": {"expire_at": hier}})
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused, match=PERIMEE.partition(" : ")[0].partition("1.1 ")[2]):
        await remettre(port_entrant, reponse_a(mail, "Oui", deux.adresse_a))
    efface = compte(deux.a, 9, etat=EtatCompte.EFFACE)
    await poste.publier(CompteEfface(compte=efface))

    async def oublie() -> bool:
        return await poste.db.fils.find_one({"_id": jeton}) is None

    await poste.bientot(oublie)


@pytest.mark.parametrize("de", ["quelqu-un-d-autre@exemple.fr", "un@exemple.fr, deux@exemple.fr"])
async def test_l_adresse_de_quelqu_un_d_autre_ne_parle_pas_en_son_nom(
    deux: Deux, poste: Poste, port_entrant: int, de: str
) -> None:
    await deux.ecrire("Bonjour")
    reponse = reponse_a(await deux.mail(deux.adresse_a), "Je suis Camille, envoyez-moi le code", de)
    await remettre(port_entrant, reponse)
    await issue(poste, reponse, "autre_adresse")
    assert not [r for r in poste.annonces.recus.values() if r["conversation_id"] == deux.id]
    averti = await deux.mail(deux.adresse_a, objet="pas été transmis")
    assert "d’une autre adresse" in texte(averti)
    assert "envoyez-moi" not in str(averti)
    assert not poste.boite.mails[de]


async def test_une_conversation_close_le_dit_a_qui_repond(deux: Deux, poste: Poste, port_entrant: int) -> None:
    await deux.ecrire("Bonjour")
    reponse = reponse_a(await deux.mail(deux.adresse_a), "Trop tard ?", deux.adresse_a)
    poste.annonces.closes.add(deux.id)
    await remettre(port_entrant, reponse)
    await issue(poste, reponse, "close")
    assert "conversation est close" in texte(await deux.mail(deux.adresse_a, objet="pas été transmis"))


async def test_une_reponse_vide_le_dit(deux: Deux, poste: Poste, port_entrant: int) -> None:
    await deux.ecrire("Bonjour")
    reponse = reponse_a(await deux.mail(deux.adresse_a), "", deux.adresse_a)
    await remettre(port_entrant, reponse)
    await issue(poste, reponse, "vide")
    assert "aucun texte" in texte(await deux.mail(deux.adresse_a, objet="pas été transmis"))


async def test_un_repondeur_n_entre_pas_et_ne_recoit_rien(deux: Deux, poste: Poste, port_entrant: int) -> None:
    await deux.ecrire("Bonjour")
    mail = await deux.mail(deux.adresse_a)
    absence = reponse_a(mail, "Je suis absent", deux.adresse_a, **{"Auto-Submitted": "auto-replied"})
    await remettre(port_entrant, absence, de="")
    await issue(poste, absence, "automatique")
    assert not [r for r in poste.annonces.recus.values() if r["conversation_id"] == deux.id]
    assert await poste.db.envois.count_documents({"compte_id": deux.a, "genre": "courriel_non_transmis"}) == 0


async def test_une_boucle_ne_garde_pas_plus_que_la_limite(deux: Deux, poste: Poste, port_entrant: int) -> None:
    await deux.ecrire("Bonjour")
    mail = await deux.mail(deux.adresse_a)
    codes = []
    for _ in range(RECUS_PAR_HEURE + 15):
        try:
            await remettre(port_entrant, reponse_a(mail, "Encore", "robot@exemple.fr"))
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes.append(error.recipients[0].code)
    assert codes == [450] * 15
    jeton = str(mail["Reply-To"]).partition("@")[0].removeprefix("fil+")
    assert await poste.db.courriels_recus.count_documents({"jetons": jeton}) == RECUS_PAR_HEURE
    # And its owner is told once.
    reponse = reponse_a(mail, "", "robot@exemple.fr")
    await issue(poste, reponse, "autre_adresse")
    assert await poste.db.envois.count_documents({"compte_id": deux.a, "genre": "courriel_non_transmis"}) <= 2


async def test_trente_megaoctets_sont_refuses_pour_de_bon(deux: Deux, port_entrant: int) -> None:
    await deux.ecrire("Bonjour")
    mail = await deux.mail(deux.adresse_a)
    gros = b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n" + (b"y" * 78 + b"\r\n") * (30 * 1024 * 1024 // 80)
    with pytest.raises(aiosmtplib.SMTPResponseException) as refus:
        await remettre(port_entrant, gros, [str(mail["Reply-To"])])
    assert refus.value.code == 552
    assert len(gros) > TAILLE_MAX


async def test_deux_cents_destinataires_sont_bornes(deux: Deux, poste: Poste, port_entrant: int) -> None:
    await deux.ecrire("Bonjour")
    mail = await deux.mail(deux.adresse_a)
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port_entrant, start_tls=False) as smtp:
        await smtp.ehlo()
        await smtp.mail("c@exemple.fr")
        codes = []
        for _ in range(200):
            try:
                codes.append((await smtp.rcpt(str(mail["Reply-To"]))).code)
            except aiosmtplib.SMTPRecipientRefused as error:
                codes.append(error.code)
    assert codes == [250] * DESTINATAIRES_MAX + [452] * (200 - DESTINATAIRES_MAX)


async def test_un_courriel_attend_que_le_service_des_annonces_revienne(
    deux: Deux, poste: Poste, port_entrant: int
) -> None:
    await deux.ecrire("Bonjour")
    reponse = reponse_a(await deux.mail(deux.adresse_a), "Oui", deux.adresse_a)
    poste.annonces.absente = True
    try:
        await remettre(port_entrant, reponse)
        jeton = str(reponse["To"]).partition("@")[0].removeprefix("fil+")

        async def tente() -> bool:
            filtre = {"jetons": jeton, "tentatives": {"$gte": 1}, "contenu": {"$exists": True}}
            return await poste.db.courriels_recus.find_one(filtre) is not None

        await poste.bientot(tente)
    finally:
        poste.annonces.absente = False
    await issue(poste, reponse, "transmis")


async def test_personne_ne_lit_l_adresse_de_retour_mais_un_rebond_y_est_note(
    deux: Deux, poste: Poste, port_entrant: int
) -> None:
    retour = poste.reglages.expediteur_adresse
    mot = EmailMessage()
    mot["From"], mot["To"] = "c@exemple.fr", retour
    mot.set_content("Bonjour ?")
    with pytest.raises(aiosmtplib.SMTPDataError, match="Personne ne lit"):
        await remettre(port_entrant, mot)
    await deux.ecrire("Bonjour")
    ligne = await poste.parti(compte_id=deux.a, genre="message_recu")
    rebond = (
        f"From: MAILER-DAEMON@exemple.fr\r\nTo: {retour}\r\nSubject: Undelivered\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.exemple.fr\r\n\r\n"
        "Final-Recipient: rfc822; a@exemple.fr\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{ligne['_id']}@{poste.reglages.domaine}>\r\n\r\nx\r\n"
        "--b--\r\n"
    )
    await remettre(port_entrant, rebond.encode(), [retour], de="")
    await poste.dans_l_etat("echec_permanent", _id=ligne["_id"])


async def test_une_annulation_par_la_personne_la_retire_de_son_calendrier(deux: Deux, poste: Poste) -> None:
    deux.rencontre()
    await poste.publier(ReponseAcceptee(reponse=deux.reponse(EtatReponse.ACCEPTEE)))
    await deux.mail(deux.adresse_a)
    reponse = await poste.api.get("/v1/mes/flux", headers=poste.comme(deux.a))
    chemin = reponse.json()["calendrier"].removeprefix("https://place.exemple/calendrier/").removesuffix(".ics")
    agenda = await poste.api.get(f"/v1/calendrier/{chemin}", headers=poste.comme())
    assert agenda.headers["content-type"].startswith("text/calendar")
    assert "12 rue de Bavay" in vobject.readOne(agenda.text).vevent.location.value
    await poste.publier(ReponseAnnulee(reponse=deux.reponse(EtatReponse.ANNULEE)))

    async def vide() -> bool:
        lu = await poste.api.get(f"/v1/calendrier/{chemin}", headers=poste.comme())
        return "VEVENT" not in lu.text

    await poste.bientot(vide)
    assert (await poste.api.get("/v1/calendrier/faux.faux.faux", headers=poste.comme())).status_code == 404
