"""What the mail catcher keeps, finds and forgets."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from email import policy
from email.parser import BytesHeaderParser
from pathlib import Path

import pytest

from deploy.standins.mailbox.mail import subject_and_message_id
from deploy.standins.mailbox.mail_store import MailStore

AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
RAW = (
    "From: Place des assos <alertes@example.org>\r\n"
    "Subject: =?utf-8?q?Un_v=C3=A9hicule?=\r\n"
    "Message-ID: <envoi-1@example.org>\r\n"
    'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nà 1,2 km\r\n"
    "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>à 1,2 km</p>\r\n--b--\r\n"
).encode()


def add(boite: MailStore, *recipients: str, raw: bytes = RAW) -> int:
    return boite.add(AT, "alertes@example.org", list(recipients), raw).id


def test_un_courriel_est_analyse_a_la_lecture() -> None:
    boite = MailStore()
    mail = boite.get(add(boite, "a@example.org"))
    assert mail is not None
    assert (mail.subject, mail.message_id) == ("Un véhicule", "<envoi-1@example.org>")
    assert (mail.text() or "").strip() == "à 1,2 km"
    assert (mail.html() or "").strip() == "<p>à 1,2 km</p>"


def test_un_courriel_se_cherche_par_adresse_objet_rang_et_nombre() -> None:
    boite = MailStore()
    first = add(boite, "A@example.org")
    second = add(boite, "a@example.org", "b@example.org", raw=b"Subject: Autre\r\n\r\n.")
    third = add(boite, "b@example.org")
    assert [m.id for m in boite.find("a@EXAMPLE.org", None, 0, 10)] == [first, second]
    assert [m.id for m in boite.find("a@example.org", None, first, 10)] == [second]
    assert [m.id for m in boite.find(None, "véhic", 0, 10)] == [first, third]
    assert [m.id for m in boite.find(None, None, 0, 2)] == [first, second]
    assert boite.find("c@example.org", None, 0, 10) == []


def test_le_plus_vieux_part_au_dela_du_nombre_ou_des_octets() -> None:
    boite = MailStore(most_mails=2)
    ids = [add(boite, "a@example.org", "a@example.org") for _ in range(3)]
    assert [m.id for m in boite.find("a@example.org", None, 0, 10)] == ids[1:]
    assert (boite.total, len(boite)) == (3, 2)
    small = MailStore(most_bytes=250)
    ids = [add(small, f"{n}@example.org", raw=b"x" * 100) for n in range(3)]
    assert [m.id for m in small.find(None, None, 0, 10)] == ids[1:]
    assert small.find("0@example.org", None, 0, 10) == []


def test_la_page_montre_les_derniers_d_abord_et_cherche_dans_les_adresses() -> None:
    boite = MailStore()
    ids = [add(boite, f"benevole{n}@example.org") for n in range(5)]
    assert ([m.id for m in boite.newest("", 0, 2)[0]], boite.newest("", 0, 2)[1]) == (ids[:2:-1], 5)
    assert [m.id for m in boite.newest("BENEVOLE3", 0, 10)[0]] == [ids[3]]


def test_les_numeros_continuent_apres_une_remise_a_zero() -> None:
    boite = MailStore()
    last = add(boite, "a@example.org")
    boite.clear()
    assert (len(boite), boite.total) == (0, 0)
    assert add(boite, "a@example.org") == last + 1


async def test_qui_attend_n_est_reveille_que_par_son_courriel() -> None:
    boite = MailStore()
    waiting = asyncio.create_task(boite.wait("b@example.org", None, 0, 10, 30))
    await asyncio.sleep(0)
    add(boite, "a@example.org")
    await asyncio.sleep(0)
    assert not waiting.done()
    wanted = add(boite, "b@example.org")
    assert [m.id for m in await waiting] == [wanted]
    assert await boite.wait("c@example.org", None, 0, 10, 0) == []


def test_une_autre_ouverture_du_fichier_retrouve_tout_et_continue(tmp_path: Path) -> None:
    path = tmp_path / "mails.sqlite3"
    boite = MailStore(path, most_mails=3)
    for n in range(4):
        add(boite, f"B{n}@example.org", "é@example.org")
    kept, counts = boite.find(None, None, 0, 10), (boite.total, len(boite))
    boite.close()
    again = MailStore(path, most_mails=3)
    assert (again.find(None, None, 0, 10), (again.total, len(again))) == (kept, counts)
    whole = again.get(kept[0].id)
    assert whole is not None
    assert (whole.raw, whole.received_at) == (RAW, AT)
    # The bound holds for what an earlier process received.
    assert add(again, "b4@example.org") == 5
    assert [m.id for m in again.find("É@EXAMPLE.ORG", None, 0, 10)] == [3, 4]


def test_les_numeros_continuent_apres_une_remise_a_zero_et_une_reouverture(tmp_path: Path) -> None:
    boite = MailStore(tmp_path / "mails.sqlite3")
    last = [add(boite, "a@example.org") for _ in range(3)][-1]
    boite.clear()
    boite.close()
    again = MailStore(tmp_path / "mails.sqlite3")
    assert (again.total, len(again), again.last_id) == (0, 0, last)
    assert add(again, "a@example.org") == last + 1
    assert again.total == 1


def test_un_courriel_qui_ne_peut_etre_ecrit_ne_laisse_rien() -> None:
    boite = MailStore()
    boite._db.execute("PRAGMA max_page_count = 20")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        add(boite, "a@example.org", raw=RAW + b"x" * 100_000)
    assert (boite.last_id, len(boite), boite.find("a@example.org", None, 0, 10)) == (0, 0, [])
    assert add(boite, "a@example.org") == 1


def test_un_fichier_n_a_qu_une_boite(tmp_path: Path) -> None:
    first = MailStore(tmp_path / "mails.sqlite3")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        MailStore(tmp_path / "mails.sqlite3", seconds=0)
    first.close()


def test_ce_qui_n_est_pas_en_utf_8_est_garde_et_montre() -> None:
    boite = MailStore()
    mail = boite.get(add(boite, "h\udce9@example.org", raw=b"Subject: h\xe9\r\n\r\n\xe9"))
    assert mail is not None
    assert (mail.recipients, mail.subject, mail.raw[-1:]) == (("h\ufffd@example.org",), "h\ufffd", b"\xe9")


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: a\r\n b\r\n\tc\r\nMessage-ID: <x@y>\r\n\r\nSubject: body\r\n",
        b"X-Subject: n\nMessage-ID:\n <long@y>\nSUBJECT: =?utf-8?q?Un_v=C3=A9hicule?=\n =?utf-8?q?_vite?=\n",
        "Subject: été\r\nSubject: second\r\n\r\n".encode(),
        b"\r\nSubject: body\r\n",
        b"Subject:\r\n\r\n",
        b"",
    ],
)
def test_objet_et_identifiant_sont_ceux_de_tout_l_en_tete(raw: bytes) -> None:
    head = BytesHeaderParser(policy=policy.default).parsebytes(raw)
    assert subject_and_message_id(raw) == (str(head.get("Subject", "")), str(head.get("Message-ID", "")).strip())
