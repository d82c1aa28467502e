"""What the mail catcher keeps, finds and forgets."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from email import policy
from email.parser import BytesHeaderParser
from pathlib import Path

import pytest

from deploy.standins.mailbox.boite import Boite
from deploy.standins.mailbox.mail import subject_and_message_id

AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
RAW = (
    "From: Place des assos <alertes@example.org>\r\n"
    "Subject: =?utf-8?q?Un_v=C3=A9hicule?=\r\n"
    "Message-ID: <envoi-1@example.org>\r\n"
    'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nà 1,2 km\r\n"
    "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>à 1,2 km</p>\r\n--b--\r\n"
).encode()


def add(boite: Boite, *recipients: str, raw: bytes = RAW) -> int:
    return boite.add(AT, "alertes@example.org", list(recipients), raw).id


def test_a_mail_is_parsed_when_it_is_read() -> None:
    boite = Boite()
    mail = boite.get(add(boite, "a@example.org"))
    assert mail is not None
    assert (mail.subject, mail.message_id) == ("Un véhicule", "<envoi-1@example.org>")
    assert (mail.text() or "").strip() == "à 1,2 km"
    assert (mail.html() or "").strip() == "<p>à 1,2 km</p>"


def test_find_by_address_in_any_case_after_an_id_by_subject_and_up_to_a_limit() -> None:
    boite = Boite()
    first = add(boite, "A@example.org")
    second = add(boite, "a@example.org", "b@example.org", raw=b"Subject: Autre\r\n\r\n.")
    third = add(boite, "b@example.org")
    assert [m.id for m in boite.find("a@EXAMPLE.org", None, 0, 10)] == [first, second]
    assert [m.id for m in boite.find("a@example.org", None, first, 10)] == [second]
    assert [m.id for m in boite.find(None, "véhic", 0, 10)] == [first, third]
    assert [m.id for m in boite.find(None, None, 0, 2)] == [first, second]
    assert boite.find("c@example.org", None, 0, 10) == []


def test_the_oldest_goes_past_the_number_and_past_the_bytes() -> None:
    boite = Boite(most_mails=2)
    ids = [add(boite, "a@example.org", "a@example.org") for _ in range(3)]
    assert [m.id for m in boite.find("a@example.org", None, 0, 10)] == ids[1:]
    assert (boite.total, len(boite)) == (3, 2)
    small = Boite(most_bytes=250)
    ids = [add(small, f"{n}@example.org", raw=b"x" * 100) for n in range(3)]
    assert [m.id for m in small.find(None, None, 0, 10)] == ids[1:]
    assert small.find("0@example.org", None, 0, 10) == []


def test_the_page_is_newest_first_and_searches_inside_addresses() -> None:
    boite = Boite()
    ids = [add(boite, f"benevole{n}@example.org") for n in range(5)]
    assert ([m.id for m in boite.newest("", 0, 2)[0]], boite.newest("", 0, 2)[1]) == (ids[:2:-1], 5)
    assert [m.id for m in boite.newest("BENEVOLE3", 0, 10)[0]] == [ids[3]]


def test_ids_go_on_after_a_clear() -> None:
    boite = Boite()
    last = add(boite, "a@example.org")
    boite.clear()
    assert (len(boite), boite.total) == (0, 0)
    assert add(boite, "a@example.org") == last + 1


async def test_who_waits_is_woken_by_his_mail_only() -> None:
    boite = Boite()
    waiting = asyncio.create_task(boite.wait("b@example.org", None, 0, 10, 30))
    await asyncio.sleep(0)
    add(boite, "a@example.org")
    await asyncio.sleep(0)
    assert not waiting.done()
    wanted = add(boite, "b@example.org")
    assert [m.id for m in await waiting] == [wanted]
    assert await boite.wait("c@example.org", None, 0, 10, 0) == []


def test_another_opening_of_the_file_finds_the_same_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "mails.sqlite3"
    boite = Boite(path, most_mails=3)
    for n in range(4):
        add(boite, f"B{n}@example.org", "é@example.org")
    kept, counts = boite.find(None, None, 0, 10), (boite.total, len(boite))
    boite.close()
    again = Boite(path, most_mails=3)
    assert (again.find(None, None, 0, 10), (again.total, len(again))) == (kept, counts)
    whole = again.get(kept[0].id)
    assert whole is not None
    assert (whole.raw, whole.received_at) == (RAW, AT)
    # The bound holds for what an earlier process received.
    assert add(again, "b4@example.org") == 5
    assert [m.id for m in again.find("É@EXAMPLE.ORG", None, 0, 10)] == [3, 4]


def test_ids_go_on_after_a_clear_and_another_opening(tmp_path: Path) -> None:
    boite = Boite(tmp_path / "mails.sqlite3")
    last = [add(boite, "a@example.org") for _ in range(3)][-1]
    boite.clear()
    boite.close()
    again = Boite(tmp_path / "mails.sqlite3")
    assert (again.total, len(again), again.last_id) == (0, 0, last)
    assert add(again, "a@example.org") == last + 1
    assert again.total == 1


def test_a_mail_that_cannot_be_written_leaves_nothing() -> None:
    boite = Boite()
    boite._db.execute("PRAGMA max_page_count = 20")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        add(boite, "a@example.org", raw=RAW + b"x" * 100_000)
    assert (boite.last_id, len(boite), boite.find("a@example.org", None, 0, 10)) == (0, 0, [])
    assert add(boite, "a@example.org") == 1


def test_a_file_has_one_catcher(tmp_path: Path) -> None:
    first = Boite(tmp_path / "mails.sqlite3")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        Boite(tmp_path / "mails.sqlite3", seconds=0)
    first.close()


def test_what_is_not_utf_8_is_kept_and_shown() -> None:
    boite = Boite()
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
def test_subject_and_message_id_are_those_of_the_whole_head(raw: bytes) -> None:
    head = BytesHeaderParser(policy=policy.default).parsebytes(raw)
    assert subject_and_message_id(raw) == (str(head.get("Subject", "")), str(head.get("Message-ID", "")).strip())
