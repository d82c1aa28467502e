"""Several relays: weights, one that is away, TLS and passwords."""

import datetime as dt
import itertools
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.notifications.canaux.base import Colis, Injoignable, NousRefuse, Recu, Temporaire
from services.notifications.canaux.email.canal import CanalEmail
from services.notifications.canaux.email.relays import Relais, Serveur, au_poids, lire_urls
from tests.unit.notifications.email.relais_smtp import relais


def premier(candidats: Sequence[Serveur]) -> Serveur:
    """Chooses the first of SMTP_URL."""
    return candidats[0]


MESSAGE = Colis("envoi", "a@exemple.fr", b"Subject: x\r\n\r\n.bonjour\r\n")


async def test_quand_un_relais_manque_le_suivant_sert_sans_attendre_le_premier() -> None:
    async with relais() as parti:
        pass
    async with relais() as la:
        noms = [f"127.0.0.1:{faux.port}" for faux in (parti, la)]
        connexion = CanalEmail(f"{parti.url},{la.url}", "nous@exemple.fr", premier).connexion()
        for _ in range(2):
            await connexion.preparer()
            assert await connexion.remettre([MESSAGE], lambda: True) == [Recu(noms[1], "ABC123")]
        await connexion.fermer()


async def test_quand_tous_manquent_c_est_dit_sans_les_identifiants() -> None:
    async with relais() as un, relais() as deux:
        pass
    canal = CanalEmail(f"smtp://moi:secret@127.0.0.1:{un.port},{deux.url}", "nous@exemple.fr")
    connexion = canal.connexion()
    with pytest.raises(Injoignable) as levee:
        await connexion.preparer()
    assert levee.value.motif == "smtp injoignable"
    issues = await connexion.remettre([MESSAGE, MESSAGE], lambda: True)
    assert [type(issue) for issue in issues] == [Injoignable, Injoignable]


@pytest.mark.parametrize(
    ("mot", "reponse"),
    [
        ("MAIL", "530 5.7.0 Must issue a STARTTLS command first"),
        ("MAIL", "550 5.7.1 Sender address rejected: SPF"),
        ("RCPT", "554 5.7.1 <a@exemple.fr>: Relay access denied"),
        (".", "550 5.4.5 Daily user sending quota exceeded"),
        (".", "552 Message would take you over your relay quota of 500"),
    ],
)
async def test_un_relais_qui_nous_refuse_ne_finit_aucun_message_et_le_suivant_prend_la_suite(
    mot: str, reponse: str
) -> None:
    async with relais(lambda m, ligne: reponse if m == mot else None) as refusant, relais() as autre:
        connexion = CanalEmail(f"{refusant.url},{autre.url}", "nous@exemple.fr", premier).connexion()
        issues = await connexion.remettre([MESSAGE] * 5, lambda: True)
        assert {type(issue) for issue in issues} <= {NousRefuse, Injoignable}
        assert refusant.mots.count("MAIL") <= 4, "the others are not even offered"
        await connexion.preparer()
        assert await connexion.remettre([MESSAGE] * 2, lambda: True) == [Recu(f"127.0.0.1:{autre.port}", "ABC123")] * 2
        await connexion.fermer()


async def test_un_relais_qui_nous_refuse_reprend_une_fois_repare() -> None:
    repare = False
    temps = [0.0]
    async with relais(lambda m, ligne: None if repare or m != "." else "554 5.7.0 sending limit exceeded") as faux:
        canal = CanalEmail(faux.url, "nous@exemple.fr", monotonic=lambda: temps[0])
        connexion = canal.connexion()
        for pause in (5.0, 10.0, 20.0, 40.0, 60.0, 60.0):
            assert isinstance((await connexion.remettre([MESSAGE], lambda: True))[0], NousRefuse)
            temps[0] += pause - 0.1
            with pytest.raises(NousRefuse):
                await connexion.preparer()
            temps[0] += 0.2
            await connexion.preparer()
        repare = True
        assert isinstance((await connexion.remettre([MESSAGE], lambda: True))[0], Recu)
        await connexion.fermer()


async def test_un_message_toujours_mal_juge_ne_retient_pas_les_autres() -> None:
    juge = Colis("envoi", "juge@exemple.fr", MESSAGE.contenu)

    def script(mot: str, ligne: str) -> str | None:
        return "550 5.7.1 Sender address rejected" if mot == "RCPT" and ligne == juge.adresse else None

    async with relais(script) as faux:
        connexion = CanalEmail(faux.url, "nous@exemple.fr").connexion()
        issues = await connexion.remettre([juge, MESSAGE], lambda: True)
        await connexion.preparer()
        await connexion.fermer()
    assert [type(issue) for issue in issues] == [Temporaire, Recu]


@pytest.mark.parametrize(
    ("reponse", "attendu"), [("535 5.7.8 non", NousRefuse), ("454 4.7.0 Temporary authentication failure", Injoignable)]
)
async def test_un_mot_de_passe_refuse_est_notre_faute(reponse: str, attendu: type) -> None:
    async with relais(lambda mot, ligne: reponse if mot == "AUTH" else None, ("AUTH PLAIN",)) as faux:
        connexion = CanalEmail(f"smtp://moi:mot@127.0.0.1:{faux.port}", "nous@exemple.fr").connexion()
        for _ in range(2):
            with pytest.raises(Injoignable) as levee:
                await connexion.preparer()
        assert type(levee.value) is attendu


async def test_un_relais_sans_le_chiffrement_demande_est_notre_reglage() -> None:
    async with relais() as faux:
        connexion = CanalEmail(f"{faux.url}?starttls=1", "nous@exemple.fr").connexion()
        with pytest.raises(NousRefuse):
            await connexion.preparer()


async def test_chaque_lot_va_a_son_relais_et_les_sessions_restent_ouvertes() -> None:
    async with relais() as un, relais() as deux:
        tour = itertools.count()
        connexion = CanalEmail(
            f"{un.url},{deux.url}", "nous@exemple.fr", lambda candidats: candidats[next(tour) % 2]
        ).connexion()
        for _ in range(4):
            await connexion.remettre([MESSAGE], lambda: True)
        await connexion.fermer()
    assert [len(faux.livres) for faux in (un, deux)] == [2, 2]
    assert [faux.mots.count("EHLO") for faux in (un, deux)] == [1, 1]


def test_une_absence_s_oublie_apres_un_moment() -> None:
    temps = [0.0]
    serveurs = lire_urls("smtp://un,smtp://deux")
    choix = Relais(serveurs, premier, lambda: temps[0])
    choix.absent("un:25")
    assert choix.proposer(frozenset()) == serveurs[1]
    assert choix.proposer(frozenset({"deux:25"})) == serveurs[0]
    assert choix.proposer(frozenset({"un:25", "deux:25"})) is None
    temps[0] = 31.0
    assert choix.proposer(frozenset()) == serveurs[0]


def test_les_poids_disent_combien_de_lots_chacun_recoit() -> None:
    serveurs = lire_urls("smtp://un?poids=3,smtp://deux")
    tires = [au_poids(serveurs).hote for _ in range(2000)]
    assert 1300 < tires.count("un") < 1700
    assert au_poids(serveurs[1:]) == serveurs[1]


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for localhost, which this process trusts during the test."""
    cle = ec.generate_private_key(ec.SECP256R1())
    nom = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificat = (
        x509.CertificateBuilder(nom, nom, cle.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(cle, hashes.SHA256())
    )
    fichier = tmp_path / "localhost.pem"
    fichier.write_bytes(
        cle.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificat.public_bytes(Encoding.PEM)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(fichier))
    contexte = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    contexte.load_cert_chain(fichier)
    return contexte


@pytest.mark.parametrize("implicite", [True, False])
async def test_le_pipelining_passe_par_tls_avec_un_mot_de_passe(tls: ssl.SSLContext, implicite: bool) -> None:
    extensions = ("PIPELINING", "AUTH PLAIN", *([] if implicite else ["STARTTLS"]))
    async with relais(extensions=extensions, retient=3, tls=tls, implicite=implicite) as faux:
        url = (
            f"smtps://moi:m%40t@localhost:{faux.port}"
            if implicite
            else f"smtp://moi:m%40t@localhost:{faux.port}?starttls=1"
        )
        connexion = CanalEmail(url, "nous@exemple.fr").connexion()
        issues = await connexion.remettre([MESSAGE] * 3, lambda: True)
        await connexion.fermer()
    assert issues == [Recu(f"localhost:{faux.port}", "ABC123")] * 3
    assert [contenu for _, contenu in faux.livres] == [MESSAGE.contenu] * 3
    assert ("STARTTLS" in faux.mots) is not implicite
    assert "AUTH" in faux.mots


async def test_un_certificat_dont_personne_ne_repond_est_refuse(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    async with relais(tls=tls, implicite=True) as faux:
        with pytest.raises(Injoignable):
            await CanalEmail(f"smtps://localhost:{faux.port}", "nous@exemple.fr").connexion().preparer()


async def test_un_mot_de_passe_refuse_est_un_relais_absent() -> None:
    async with relais(lambda mot, ligne: "535 5.7.8 moi non" if mot == "AUTH" else None, ("AUTH PLAIN",)) as faux:
        with pytest.raises(Injoignable) as levee:
            await CanalEmail(f"smtp://moi:mot@127.0.0.1:{faux.port}", "nous@exemple.fr").connexion().preparer()
    assert levee.value.motif == "smtp injoignable"


async def test_un_contenu_qui_n_est_pas_un_courriel_est_notre_faute() -> None:
    with pytest.raises(TypeError):
        await CanalEmail("smtp://127.0.0.1:9", "n@e.fr").connexion().remettre([Colis("e", "a@b.fr", "x")], lambda: True)
