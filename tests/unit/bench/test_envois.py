"""What the bench of hand-offs counts, and that all its sides do the same work."""

import asyncio
import datetime as dt
from pathlib import Path

import aiosmtplib
import pytest

from bench import besoin, certificat, envois
from bench.expediteurs import EXPEDITEURS, Redaction, personnes
from bench.mail_sink import MailSink
from deploy import layout
from deploy.verbs.bench import BENCHES
from services.matching.handlers import LOT

AT = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
NOMBRE = 40


def test_les_lots_mesures_sont_ceux_de_matching() -> None:
    assert besoin.LOT == LOT
    lots = list(besoin.lots(besoin.annonce("a1", AT), range(1200)))
    assert [(lot.lot, lot.lots, len(lot.destinataires)) for lot in lots] == [(0, 3, 500), (1, 3, 500), (2, 3, 200)]
    assert len({d.profil_id for lot in lots for d in lot.destinataires}) == 1200


def test_un_courriel_de_l_envoi_nu_est_l_alerte_de_sa_personne() -> None:
    annonce = besoin.annonce("a1", AT)
    une, autre = personnes(annonce, 3, 5)
    redaction = Redaction(annonce)
    message = redaction.rediger(une).contenu
    assert isinstance(message, bytes)
    assert b"List-Unsubscribe: <" in message
    assert une.adresse.encode() in message
    assert une.envoi_id.encode() in message
    assert autre.adresse.encode() not in message


@pytest.fixture
def puits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MailSink:
    pem = certificat.faire(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    return MailSink(certificat.contexte(pem))


@pytest.mark.parametrize("nom", sorted(EXPEDITEURS))
async def test_chaque_envoi_atteint_chacun_une_fois(nom: str, puits: MailSink) -> None:
    async with await puits.servir() as server:
        annonce = besoin.annonce("a1", AT)
        a = personnes(annonce, 0, NOMBRE)
        port = server.sockets[0].getsockname()[1]
        expediteur = EXPEDITEURS[nom](f"smtp://{certificat.HOTE}:{port}?starttls=1")
        await expediteur.preparer()
        await asyncio.gather(expediteur.envoyer(annonce, a), puits.attendre(NOMBRE, 30))
    assert sorted(puits.adresses) == sorted(personne.adresse.encode() for personne in a)
    assert puits.octets > NOMBRE * 1000


async def test_le_serveur_prend_un_courriel_vide_et_un_autre_en_morceaux(puits: MailSink) -> None:
    async with await puits.servir() as server:
        port = server.sockets[0].getsockname()[1]
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
            await smtp.sendmail("a@example.org", ["b@example.org"], b"")
            await smtp.sendmail("a@example.org", ["c@example.org"], b"x" * 300_000)
    assert puits.adresses == [b"b@example.org", b"c@example.org"]
    puits.vider()
    with pytest.raises(TimeoutError):
        await puits.attendre(1, 0.01)


@pytest.mark.parametrize(
    ("change", "manque"),
    [
        ({}, None),
        ({"rapport_nu": 2.01}, "nu"),
        ({"rapport_unitaire": 4.99}, "unitaire"),
        ({"memoire": {"croissance": 1.21}}, "memoire"),
    ],
)
def test_chaque_barre_compte(change: dict[str, object], manque: str | None) -> None:
    figures = {"rapport_nu": 2.0, "rapport_unitaire": 5.0, "memoire": {"croissance": 1.2}, **change}
    assert [nom for nom, tenu in envois.verdicts(figures).items() if not tenu] == ([manque] if manque else [])


def test_chaque_mesure_est_dite_dans_le_readme() -> None:
    readme = (layout.ROOT / "README.md").read_text()
    assert all(f"`./place bench {nom} " in readme for nom in BENCHES)
