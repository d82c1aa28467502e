"""The breaker of dead letters: so many are buried in a time and no more, until somebody has looked."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from kit.messaging.breaker import LENIENT_FOR, LIMIT, OPEN_FOR, TRIALS, WINDOW, Phase, State, closed_by_hand, one_more

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@given(st.lists(st.floats(0, 2), min_size=150, max_size=200))
def test_jamais_plus_que_la_limite_en_une_minute(pauses: list[float]) -> None:
    state, now = State(), START
    buried: list[dt.datetime] = []
    for pause in pauses:
        now += dt.timedelta(seconds=pause)
        state, admitted = one_more(state, now, successes=0)
        if admitted:
            buried.append(now)
    for at in buried[:: LIMIT // 4]:
        # Of two windows that touch, at most.
        assert sum(at <= other < at + WINDOW for other in buried) <= 2 * LIMIT


@given(st.integers(1, 10))
def test_qui_a_toujours_des_messages_illisibles_n_en_enterre_que_quelques_uns_a_chaque_essai(rounds: int) -> None:
    state, now = State(), START
    total = 0
    for _ in range(rounds):
        for _ in range(LIMIT + 20):
            state, admitted = one_more(state, now, successes=0)
            total += admitted
        assert state.phase(now) is Phase.OPEN
        now += OPEN_FOR
        assert state.phase(now) is Phase.HALF_OPEN
    assert total == LIMIT + (rounds - 1) * TRIALS


def test_un_essai_sans_faute_referme() -> None:
    state, now = State(), START
    for _ in range(LIMIT + 1):
        state, _ = one_more(state, now, successes=0)
    now += OPEN_FOR + WINDOW
    assert state.phase(now) is Phase.CLOSED
    admitted = 0
    for _ in range(LIMIT):
        state, one = one_more(state, now, successes=0)
        admitted += one
    assert admitted == LIMIT


def test_qui_a_regarde_laisse_tout_passer_un_moment() -> None:
    state, now = State(), START
    for _ in range(LIMIT + 1):
        state, _ = one_more(state, now, successes=0)
    state = closed_by_hand(state, now)
    for _ in range(3 * LIMIT):
        state, admitted = one_more(state, now, successes=0)
        assert admitted
    now += LENIENT_FOR
    for _ in range(LIMIT + 1):
        state, admitted = one_more(state, now, successes=0)
    assert not admitted
