"""A handful of messages one by one, then one that counts the rest: nobody is flooded, nothing is lost."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain import CODES, Genre
from services.notifications.messages.catalogue import MESSAGES
from services.notifications.planning.limits import (
    FENETRE,
    LIBELLES,
    LIBRES,
    MONTREES,
    MessagesRecents,
    attente,
    compter,
)

NOW = dt.datetime(2026, 11, 25, 13, 2, tzinfo=dt.UTC)


@given(st.lists(st.integers(0, 600), min_size=1, max_size=300))
def test_quoi_qu_il_arrive_personne_ne_recoit_plus_d_une_poignee_de_messages_par_heure(ecarts: list[int]) -> None:
    """So many seconds between two messages: what arrives in any hour, and that all is either sent or counted."""
    now = NOW
    partis: list[dt.datetime] = []
    attendus: list[dt.datetime] = []
    comptes: list[dt.datetime] = []
    for ecart in ecarts:
        now += dt.timedelta(seconds=ecart)
        for at in sorted({at for at in attendus if at <= now}):
            comptes.append(at)
            attendus = [autre for autre in attendus if autre != at]
        recents = [at for at in partis if at > now - FENETRE]
        passe = MessagesRecents(len(recents), any(at > now - FENETRE for at in comptes), min(attendus, default=None))
        quand = attente(Genre.REPONSE_RECUE, passe, now)
        if quand is None:
            partis.append(now)
        else:
            assert now < quand <= now + FENETRE
            attendus.append(quand)
    for at in partis + comptes:
        recus = [autre for autre in partis + comptes if at <= autre < at + FENETRE]
        assert len(recus) <= LIBRES + 2


def ligne(genre: Genre, titre: str, minutes: int) -> dict[str, object]:
    return {"genre": genre.value, "titre": titre, "cree_at": NOW + dt.timedelta(minutes=minutes)}


def test_les_reponses_sont_comptees_par_annonce() -> None:
    lignes = [ligne(Genre.REPONSE_RECUE, "Une camionnette", n) for n in range(9)]
    lignes += [ligne(Genre.REPONSE_ANNULEE, "Une camionnette", 1), ligne(Genre.REPONSE_RECUE, "Des bras", 2)]
    assert compter(lignes) == {
        "titre": "11 réponses depuis 14\u00a0h\u00a002",
        "nouvelles": [
            {"quoi": "9 propositions d’aide", "titre": "Une camionnette"},
            {"quoi": "1 proposition annulée", "titre": "Une camionnette"},
            {"quoi": "1 proposition d’aide", "titre": "Des bras"},
        ],
        "autres": 0,
    }


@given(st.lists(st.tuples(st.sampled_from(list(LIBELLES)), st.text(max_size=3)), min_size=1, max_size=60))
def test_tout_ce_qui_est_regroupe_est_compte(messages: list[tuple[Genre, str]]) -> None:
    compte = compter([ligne(genre, titre, rang) for rang, (genre, titre) in enumerate(messages)])
    assert compte["titre"].startswith(f"{len(messages)} ")
    assert len(compte["nouvelles"]) + compte["autres"] == len(set(messages))
    assert len(compte["nouvelles"]) <= MONTREES


def test_chaque_message_a_une_limite_quelque_part() -> None:
    """Alerts and digests by their budget, codes where they are asked for, answers to SMS where these are received."""
    ailleurs = {Genre.ALERTE, Genre.RESUME, Genre.REGROUPEMENT, *CODES}
    par_sms = {genre for genre in Genre if not MESSAGES[genre].gabarit} - CODES
    assert set(Genre) == set(LIBELLES) | ailleurs | par_sms
    assert not set(LIBELLES) & (ailleurs | par_sms)
