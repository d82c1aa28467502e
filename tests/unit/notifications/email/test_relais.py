"""Several relays: weights, one that is away, TLS and passwords."""

import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.notifications.canaux.base import Colis, Injoignable, Recu, Retenu, Temporaire
from services.notifications.canaux.email import AuPoids, CanalEmail, lire_urls
from services.notifications.canaux.email.relays import Relais
from tests.unit.notifications.aiguillage import Notes
from tests.unit.notifications.email.relais_smtp import relais

MESSAGE = Colis("envoi", "a@exemple.fr", b"Subject: x\r\n\r\n.bonjour\r\n")


async def test_when_a_relay_is_away_the_next_one_is_taken_and_the_first_not_waited_for_again() -> None:
    async with relais() as parti:
        pass
    async with relais() as la:
        noms = [f"127.0.0.1:{faux.port}" for faux in (parti, la)]
        notes = Notes(*noms)
        connexion = CanalEmail(f"{parti.url},{la.url}", "nous@exemple.fr", notes).connexion()
        for _ in range(2):
            await connexion.preparer()
            assert await connexion.remettre([MESSAGE], lambda: True) == [Recu(noms[1], "ABC123")]
        await connexion.fermer()
    assert notes.notes == [(noms[0], False), (noms[1], True), (noms[1], True)]


async def test_when_all_are_away_it_is_said_and_the_credentials_are_not() -> None:
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
        notes = Notes(f"127.0.0.1:{refusant.port}", f"127.0.0.1:{autre.port}")
        connexion = CanalEmail(f"{refusant.url},{autre.url}", "nous@exemple.fr", notes).connexion()
        issues = await connexion.remettre([MESSAGE] * 5, lambda: True)
        assert {type(issue) for issue in issues} <= {Retenu, Injoignable}
        assert refusant.mots.count("MAIL") <= 4, "the others are not even offered"
        await connexion.preparer()
        assert await connexion.remettre([MESSAGE] * 2, lambda: True) == [Recu(notes.noms[1], "ABC123")] * 2
        await connexion.fermer()


async def test_un_relais_qui_nous_refuse_reprend_une_fois_repare() -> None:
    repare = False
    temps = [0.0]
    async with relais(lambda m, ligne: None if repare or m != "." else "554 5.7.0 sending limit exceeded") as faux:
        canal = CanalEmail(faux.url, "nous@exemple.fr", monotonic=lambda: temps[0])
        connexion = canal.connexion()
        for pause in (5.0, 10.0, 20.0, 40.0, 60.0, 60.0):
            assert isinstance((await connexion.remettre([MESSAGE], lambda: True))[0], Retenu)
            temps[0] += pause - 0.1
            with pytest.raises(Retenu):
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
    ("reponse", "attendu"), [("535 5.7.8 non", Retenu), ("454 4.7.0 Temporary authentication failure", Injoignable)]
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
        with pytest.raises(Retenu):
            await connexion.preparer()


async def test_each_lot_goes_where_it_is_sent_and_sessions_stay_open() -> None:
    async with relais() as un, relais() as deux:
        notes = Notes(f"127.0.0.1:{un.port}", f"127.0.0.1:{deux.port}")
        connexion = CanalEmail(f"{un.url},{deux.url}", "nous@exemple.fr", notes).connexion()
        for _ in range(4):
            await connexion.remettre([MESSAGE], lambda: True)
            notes.noms = notes.noms[::-1]
        await connexion.fermer()
    assert [len(faux.livres) for faux in (un, deux)] == [2, 2]
    assert [faux.mots.count("EHLO") for faux in (un, deux)] == [1, 1]


async def test_a_refused_mailbox_is_no_fault_of_the_relay_greylisting_is() -> None:
    for reponse, succes in (("550 5.1.1 non", True), ("451 4.7.1 plus tard", False), ("421 4.3.2 non", False)):
        async with relais(lambda mot, ligne, r=reponse: r if mot == "RCPT" else None) as faux, relais() as autre:
            notes = Notes(f"127.0.0.1:{faux.port}", f"127.0.0.1:{autre.port}")
            connexion = CanalEmail(f"{faux.url},{autre.url}", "nous@exemple.fr", notes).connexion()
            await connexion.remettre([MESSAGE], lambda: True)
            await connexion.fermer()
        assert notes.notes == [(f"127.0.0.1:{faux.port}", succes)]


def test_an_absence_is_forgotten_after_a_while() -> None:
    temps = [0.0]
    serveurs = lire_urls("smtp://un,smtp://deux")
    choix = Relais(serveurs, Notes("un:25", "deux:25"), lambda: temps[0])
    choix.absent("un:25", 0.1)
    assert choix.proposer(frozenset()) == serveurs[1]
    assert choix.proposer(frozenset({"deux:25"})) == serveurs[0]
    assert choix.proposer(frozenset({"un:25", "deux:25"})) is None
    temps[0] = 31.0
    assert choix.proposer(frozenset()) == serveurs[0]


def test_an_aiguillage_that_names_what_is_excluded_is_found_out() -> None:
    class Faux(Notes):
        def choisir(self, exclus: frozenset[str]) -> str:
            return "ailleurs:25"

    with pytest.raises(LookupError):
        Relais(lire_urls("smtp://un,smtp://deux"), Faux()).proposer(frozenset())


def test_fixed_weights_are_kept_to_and_exclusions_respected() -> None:
    poids = AuPoids({"un": 3, "deux": 1})
    tires = [poids.choisir(frozenset()) for _ in range(2000)]
    assert 1300 < tires.count("un") < 1700
    assert {poids.choisir(frozenset({"un"})) for _ in range(20)} == {"deux"}


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
async def test_pipelining_with_a_password_over_tls(tls: ssl.SSLContext, implicite: bool) -> None:
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


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    async with relais(tls=tls, implicite=True) as faux:
        with pytest.raises(Injoignable):
            await CanalEmail(f"smtps://localhost:{faux.port}", "nous@exemple.fr").connexion().preparer()


async def test_a_refused_password_is_a_relay_that_is_away() -> None:
    async with relais(lambda mot, ligne: "535 5.7.8 moi non" if mot == "AUTH" else None, ("AUTH PLAIN",)) as faux:
        with pytest.raises(Injoignable) as levee:
            await CanalEmail(f"smtp://moi:mot@127.0.0.1:{faux.port}", "nous@exemple.fr").connexion().preparer()
    assert levee.value.motif == "smtp injoignable"


async def test_a_content_that_is_no_mail_is_our_own_mistake() -> None:
    with pytest.raises(TypeError):
        await CanalEmail("smtp://127.0.0.1:9", "n@e.fr").connexion().remettre([Colis("e", "a@b.fr", "x")], lambda: True)
