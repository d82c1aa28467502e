"""The money of SMS: a warning before the ceiling of the month, nothing beyond it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.planning.sms_rules import BudgetSms, decider


@pytest.mark.parametrize(
    ("depense", "decision"),
    [
        (0, BudgetSms.OK),
        (7_999.9, BudgetSms.OK),
        (8_000, BudgetSms.AVERTIR),
        (9_999.9, BudgetSms.AVERTIR),
        (10_000, BudgetSms.ARRET),
        (12_000, BudgetSms.ARRET),
    ],
)
def test_le_budget_des_sms_avertit_puis_arrete(depense: float, decision: BudgetSms) -> None:
    assert decider(depense, 10_000) is decision


DEPENSES = st.floats(0, 1e9)


@given(DEPENSES, DEPENSES, st.integers(1, 10**9))
def test_depenser_plus_ne_rend_jamais_le_budget_plus_large(a: float, b: float, plafond: int) -> None:
    ordre = list(BudgetSms)
    moins, plus = sorted((a, b))
    assert ordre.index(decider(moins, plafond)) <= ordre.index(decider(plus, plafond))
