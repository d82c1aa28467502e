import datetime as dt
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.canaux.callback_signature import Malforme
from services.notifications.canaux.feedback import Retour, SmsRecu, Verdict
from services.notifications.canaux.sms import webhook

NOW = dt.datetime(2026, 11, 25, 10, tzinfo=dt.UTC)


def lire(contenu: Any) -> list[Retour | SmsRecu]:
    return webhook.lire(contenu if isinstance(contenu, bytes) else orjson.dumps(contenu), "web", NOW)


@pytest.mark.parametrize(
    ("accuse", "verdict", "motif"),
    [
        ({"id": "h1", "reference": "e1", "status": "delivered"}, Verdict.LIVRE, "http delivered"),
        (
            {"id": "h1", "reference": "e1", "status": "undelivered", "code": 27},
            Verdict.NON_LIVRE,
            "http undelivered 27",
        ),
        ({"id": "h1", "reference": "e1", "status": "rejected", "code": "E.5"}, Verdict.REFUSE, "http rejected E.5"),
        # Free text of a provider may hold a number.
        (
            {"id": "h1", "reference": "e1", "status": "rejected", "code": "no +33612345678"},
            Verdict.REFUSE,
            "http rejected",
        ),
    ],
)
def test_un_accuse_dit_ce_qu_est_devenu_un_message(accuse: dict[str, Any], verdict: Verdict, motif: str) -> None:
    assert lire(accuse) == [Retour("web", verdict, motif, NOW, "h1", "e1")]


def test_un_sms_recu_est_lu_avec_les_autres() -> None:
    sms = {"id": "r1", "from": "+33612345678", "text": "OUI 😀", "at": "2026-11-25T10:59:00+01:00"}
    attendu = SmsRecu("web", "r1", "+33612345678", "OUI 😀", dt.datetime(2026, 11, 25, 9, 59, tzinfo=dt.UTC))
    accuse = {"id": "h1", "status": "delivered"}
    assert lire([sms, accuse, {**sms, "from": "INFO"}, {**accuse, "status": "queued"}]) == [
        attendu,
        Retour("web", Verdict.LIVRE, "http delivered", NOW, "h1"),
    ]
    assert lire({**sms, "text": ""}) == [SmsRecu("web", "r1", "+33612345678", "", attendu.at)]


def test_le_meme_rappel_deux_fois_dit_deux_fois_la_meme_chose() -> None:
    accuse = {"id": "h1", "status": "delivered"}
    assert lire(accuse) == lire(accuse)


@pytest.mark.parametrize(
    "contenu",
    [
        b"",
        b"pas du json",
        b"\xff",
        b"null",
        b"[" * 10_000,
        {},
        {"id": "h1", "status": "perdu"},
        {"status": "delivered"},
        {"id": "", "status": "delivered"},
        {"id": "h1", "status": "delivered", "reference": "r" * 500},
        {"id": "r1", "from": "+33612345678", "text": "OUI", "at": "2026-11-25T10:59:00"},
        {"id": "r1", "from": "+33612345678", "text": "a" * 20_000, "at": "2026-11-25T10:59:00Z"},
        [{"id": "h1", "status": "delivered"}] * 1_001,
    ],
)
def test_ce_qui_n_a_pas_le_format_est_refuse(contenu: Any) -> None:
    with pytest.raises(Malforme):
        lire(contenu)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_aucun_contenu_ne_fait_tomber_la_lecture(valeur: Any) -> None:
    for contenu in (
        valeur,
        {"id": valeur, "status": valeur},
        {"id": "r", "from": valeur, "text": valeur, "at": valeur},
    ):
        try:
            corps = orjson.dumps(contenu)
        except (TypeError, orjson.JSONEncodeError):
            continue
        try:
            lire(corps)
        except Malforme:
            continue
