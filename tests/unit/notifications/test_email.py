"""Which fate each answer of an SMTP server has, and each silence."""

import pytest

from services.notifications.canaux.base import (
    Colis,
    EchecRemise,
    Inconnu,
    Injoignable,
    Issue,
    Permanent,
    Recu,
    Temporaire,
)
from services.notifications.canaux.email.canal import CanalEmail, ConnexionSmtp
from services.notifications.canaux.email.relays import Serveur, lire_url, lire_urls
from tests.unit.notifications.email.relais_smtp import RACCROCHER, Relais, Reponse, Script, relais

AVEC, SANS = ("PIPELINING",), ("8BITMIME",)


def repondre(mot: str, *reponses: Reponse) -> Script:
    """Each answer once to `mot`, then the usual ones."""
    restantes = list(reponses)
    return lambda m, ligne: restantes.pop(0) if m == mot and restantes else None


def canal(faux: Relais) -> CanalEmail:
    return CanalEmail(faux.url, "nous@exemple.fr")


async def remettre_un(connexion: ConnexionSmtp) -> Issue:
    (issue,) = await connexion.remettre(
        [Colis("envoi", "a@exemple.fr", b"Subject: x\r\n\r\nbonjour\r\n")], lambda: True
    )
    return issue


async def test_une_connexion_et_un_salut_servent_beaucoup_de_courriels() -> None:
    async with relais() as faux:
        connexion = canal(faux).connexion()
        for _ in range(3):
            assert await remettre_un(connexion) == Recu(f"127.0.0.1:{faux.port}", "ABC123")
        await connexion.fermer()
    assert faux.mots == ["EHLO", *["MAIL", "RCPT", "DATA", "."] * 3, "QUIT"]


@pytest.mark.parametrize("extensions", [AVEC, SANS])
@pytest.mark.parametrize(
    ("mot", "reponse", "echec", "motif"),
    [
        ("MAIL", "451 4.3.0 plus tard", Temporaire, "smtp 451 4.3.0"),
        ("RCPT", "450 <a@exemple.fr> plus tard", Temporaire, "smtp 450"),
        ("RCPT", "550 5.1.1 <a@exemple.fr> inconnu", Permanent, "smtp 550 5.1.1"),
        ("DATA", "554 5.6.0 non", Permanent, "smtp 554 5.6.0"),
        (".", "452 4.2.2 plein", Temporaire, "smtp 452 4.2.2"),
        (".", "554-5.7.1 deux\r\n554 5.7.1 lignes", Permanent, "smtp 554 5.7.1"),
        ("MAIL", "421 4.3.2 fermeture", Injoignable, "smtp 421 4.3.2"),
        ("MAIL", RACCROCHER, Injoignable, "smtp coupé"),
        ("RCPT", RACCROCHER, Injoignable, "smtp coupé"),
        (".", RACCROCHER, Inconnu, "smtp sans réponse"),
    ],
)
async def test_chaque_reponse_a_son_sort(
    extensions: tuple[str, ...], mot: str, reponse: Reponse, echec: type[EchecRemise], motif: str
) -> None:
    async with relais(repondre(mot, reponse), extensions) as faux:
        connexion = canal(faux).connexion()
        issue = await remettre_un(connexion)
        await connexion.fermer()
    assert isinstance(issue, echec)
    assert (issue.motif, issue.fournisseur) == (motif, f"127.0.0.1:{faux.port}")


@pytest.mark.parametrize("extensions", [AVEC, SANS])
async def test_apres_un_refus_la_connexion_sert_le_courriel_suivant(extensions: tuple[str, ...]) -> None:
    async with relais(repondre("RCPT", "550 non"), extensions) as faux:
        connexion = canal(faux).connexion()
        assert isinstance(await remettre_un(connexion), Permanent)
        assert isinstance(await remettre_un(connexion), Recu)
        await connexion.fermer()
    assert faux.mots.count("EHLO") == 1
    assert "RSET" in faux.mots


@pytest.mark.parametrize("extensions", [AVEC, SANS])
async def test_un_serveur_qui_ne_peut_recommencer_est_quitte(extensions: tuple[str, ...]) -> None:
    refus = {"RCPT": ["550 non"], "RSET": ["502 connais pas"]}
    async with relais(lambda m, ligne: refus[m].pop() if refus.get(m) else None, extensions) as faux:
        connexion = canal(faux).connexion()
        assert isinstance(await remettre_un(connexion), Permanent)
        assert isinstance(await remettre_un(connexion), Injoignable)
        assert isinstance(await remettre_un(connexion), Recu)
        await connexion.fermer()
    assert faux.mots.count("EHLO") == 2


async def test_apres_une_coupure_le_courriel_suivant_ouvre_une_connexion() -> None:
    async with relais(repondre("MAIL", RACCROCHER)) as faux:
        connexion = canal(faux).connexion()
        assert isinstance(await remettre_un(connexion), Injoignable)
        assert isinstance(await remettre_un(connexion), Recu)
        await connexion.fermer()
    assert faux.mots.count("EHLO") == 2


async def test_un_serveur_absent_est_injoignable() -> None:
    async with relais() as faux:
        pass
    with pytest.raises(Injoignable):
        await canal(faux).connexion().preparer()
    assert isinstance(await remettre_un(canal(faux).connexion()), Injoignable)


@pytest.mark.parametrize(
    ("url", "attendu"),
    [
        ("smtp://courrier:1025", Serveur("courrier", 1025)),
        ("smtp://courrier", Serveur("courrier", 25)),
        ("smtp://courrier:587?starttls=1", Serveur("courrier", 587, starttls=True)),
        ("smtps://moi:m%40t@courrier", Serveur("courrier", 465, tls=True, utilisateur="moi", mot_de_passe="m@t")),
        ("smtp://courrier?poids=80", Serveur("courrier", 25, poids=80)),
    ],
)
def test_urls(url: str, attendu: Serveur) -> None:
    assert lire_url(url) == attendu


def test_plusieurs_relais_ont_chacun_leur_poids() -> None:
    serveurs = lire_urls("smtp://un:25?poids=80, smtps://moi:a%2Cb@deux?poids=20,")
    assert [(s.nom, s.poids, s.mot_de_passe) for s in serveurs] == [("un:25", 80, None), ("deux:465", 20, "a,b")]
    assert "a,b" not in repr(serveurs)


@pytest.mark.parametrize(
    "urls",
    [
        "http://courrier",
        "courrier:25",
        "smtp://",
        "",
        ",",
        "smtp://a,smtp://a:25",
        "smtp://a?poids=0",
        "smtp://a?poids=x",
    ],
)
def test_d_autres_adresses_sont_refusees(urls: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL"):
        lire_urls(urls)
