"""What the mail catcher keeps, finds and forgets."""

import asyncio
from datetime import UTC, datetime

from deploy.courrier.boite import Boite

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
