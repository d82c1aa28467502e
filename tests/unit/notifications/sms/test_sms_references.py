"""An id of a message is known again however its provider writes it."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.canaux.feedback import Retour, Verdict
from services.notifications.canaux.sms.references import formes
from services.notifications.canaux.sms.smpp.multipart import MultipartReceipts

COUPLES = [
    ("1A2B", "6699"),
    ("6699", "1a2b"),
    ("1234", "0000001234"),
    ("0000001234", "1234"),
    ("abcdef12", "ABCDEF12"),
    ("00001a2b", "6699"),
    ("1A2B", "0000006699"),
    ("m-1x", "M-1X"),
    ("1234", "4d2"),
]


@pytest.mark.parametrize(("repondu", "accuse"), COUPLES)
def test_un_identifiant_se_reconnait_ecrit_autrement(repondu: str, accuse: str) -> None:
    assert repondu in formes(accuse)


@given(st.integers(0, 2**63), st.sampled_from(["d", "x", "X"]), st.sampled_from(["d", "x", "X"]), st.integers(1, 20))
def test_un_nombre_se_reconnait_dans_toutes_ses_ecritures(nombre: int, une: str, autre: str, largeur: int) -> None:
    repondu, accuse = format(nombre, une), format(nombre, autre).zfill(largeur)
    assert repondu == accuse or repondu in formes(accuse)


@given(st.text(max_size=64))
def test_les_formes_d_un_identifiant_sont_peu_nombreuses(reference: str) -> None:
    trouvees = formes(reference)
    assert reference not in trouvees
    assert len(trouvees) == len(set(trouvees)) <= 200


@pytest.mark.parametrize(("repondu", "accuse"), COUPLES)
async def test_un_long_sms_est_livre_quand_ses_parties_le_sont_ecrites_autrement(repondu: str, accuse: str) -> None:
    parties = MultipartReceipts()
    with parties.envoi(2) as groupe:
        parties.noter(groupe, repondu)
        parties.noter(groupe, "deuxieme")

    def livre(reference: str) -> Retour:
        return Retour("smpp", Verdict.LIVRE, "smpp DELIVRD", dt.datetime(2026, 11, 25, tzinfo=dt.UTC), reference)

    assert await parties.rejoindre(livre(accuse)) is None
    fini = await parties.rejoindre(livre("deuxieme"))
    assert fini is not None
    assert fini.reference == repondu
