"""What relays post about our mails, once their signature was verified."""

import datetime as dt
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.canaux.callback_signature import Malforme
from services.notifications.canaux.email import webhook
from services.notifications.canaux.feedback import Retour, Verdict

NOW = dt.datetime(2026, 11, 25, 10, tzinfo=dt.UTC)
ENVOI = "0123456789abcdef0123456789abcdef"


def lire(corps: bytes) -> list[Retour]:
    return webhook.lire(corps, NOW, domaine="asso.exemple", fournisseur="relais:25")


def evenement(
    event: object = "bounce", code: object = "5.1.1", message_id: object = f"<{ENVOI}@asso.exemple>"
) -> bytes:
    return json.dumps([{"message_id": message_id, "event": event, "code": code}]).encode()


@pytest.mark.parametrize(
    ("event", "code", "verdict", "motif"),
    [
        ("delivered", None, Verdict.LIVRE, "webhook delivered"),
        ("bounce", "5.1.1", Verdict.REFUSE, "webhook bounce 5.1.1"),
        ("bounce", "550 5.1.1", Verdict.REFUSE, "webhook bounce 550 5.1.1"),
        ("bounce", 550, Verdict.REFUSE, "webhook bounce 550"),
        ("bounce", "4.4.7", Verdict.NON_LIVRE, "webhook bounce 4.4.7"),
        ("complaint", None, Verdict.PLAINTE, "webhook complaint"),
    ],
)
def test_chaque_evenement_d_un_relais_a_son_sens(event: str, code: object, verdict: Verdict, motif: str) -> None:
    assert lire(evenement(event, code)) == [Retour("relais:25", verdict, motif, NOW, envoi_id=ENVOI)]


def test_un_relais_qui_essaie_encore_ne_dit_rien() -> None:
    assert lire(evenement("deferred", "4.4.1")) == []
    assert lire(b"[]") == []


def test_les_identifiants_du_relais_sont_des_references() -> None:
    for identifiant in ("0102018f-000000", f"<{ENVOI}@relais.exemple>"):
        (retour,) = lire(evenement("delivered", None, identifiant))
        assert (retour.envoi_id, retour.reference) == (None, identifiant.strip("<>"))


@pytest.mark.parametrize(
    "corps",
    [
        b"",
        b"{",
        b"{}",
        b"[1]",
        b"[" + b",".join([b"{}"] * 1001) + b"]",
        b"\xff",
        b"[" * 100_000,
        evenement("opened"),
        evenement(None),
        evenement(["bounce"]),
        evenement(code="a@exemple.fr"),
        evenement(code="550 a@exemple.fr"),
        evenement(code=True),
        evenement(code=12345),
        evenement(message_id=""),
        evenement(message_id=None),
        evenement(message_id="a b"),
        evenement(message_id="a" * 300),
    ],
)
def test_un_corps_d_une_autre_forme_est_refuse_sans_etre_cite(corps: bytes) -> None:
    with pytest.raises(Malforme) as levee:
        lire(corps)
    assert "exemple.fr" not in str(levee.value)


VALEURS = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2)


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(("message_id", "event", "code"), VALEURS)) | VALEURS))
def test_tout_json_est_lu_ou_refuse(evenements: list[object]) -> None:
    with suppress(Malforme):
        assert len(lire(json.dumps(evenements).encode())) <= len(evenements)
