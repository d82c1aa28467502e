"""What an SMS costs depends on where it goes; where nobody has said what it costs, none is sent."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.planning.sms_prices import METROPOLE, OUTRE_MER, Tarifs, lire

FRANCE = lire("", 4.5)


@pytest.mark.parametrize(
    ("numero", "centimes"),
    [
        ("+33639980001", 4.5),
        ("+262692123456", 9.0),
        ("+590690123456", 9.0),
        ("+687751234", 18.0),
        ("+68987123456", 18.0),
    ],
)
def test_la_france_et_l_outre_mer_ont_un_prix(numero: str, centimes: float) -> None:
    assert FRANCE.centimes(numero) == centimes


@given(st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)), st.integers(10**7, 10**9 - 1))
def test_tout_autre_pays_est_refuse_tant_qu_il_n_a_pas_de_prix(indicatif: int, suite: int) -> None:
    numero = f"+{indicatif}{suite}"
    francais = str(indicatif) in (METROPOLE, *OUTRE_MER)
    assert (FRANCE.centimes(numero) is not None) == francais
    assert lire(f"{indicatif}=12.5", 4.5).centimes(numero) == 12.5


def test_le_prefixe_le_plus_long_l_emporte() -> None:
    tarifs = lire("32=7.5, 32465=11 ,33=6,", 4.5)
    assert [tarifs.centimes(n) for n in ("+32470123456", "+32465123456", "+33612345678")] == [7.5, 11.0, 6.0]


@given(st.dictionaries(st.from_regex(r"[1-9][0-9]{0,5}", fullmatch=True), st.floats(0, 999)), st.integers(1, 10**14))
def test_un_prix_est_celui_d_un_prefixe_du_numero(prix: dict[str, float], numero: int) -> None:
    trouve = Tarifs(prix).centimes(f"+{numero}")
    candidats = [prefixe for prefixe in prix if str(numero).startswith(prefixe)]
    assert trouve == (prix[max(candidats, key=len)] if candidats else None)


@pytest.mark.parametrize("texte", ["32", "32=", "=7", "32=-1", "32=sept", "FR=4", "0033=4", "32=7;33=4"])
def test_une_table_mal_ecrite_est_refusee_au_demarrage(texte: str) -> None:
    with pytest.raises(ValueError, match="SMS_TARIFS"):
        lire(texte, 4.5)
