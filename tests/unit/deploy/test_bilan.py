"""What the account calls explained, on its way, unexplained."""

import datetime as dt

from contracts.envois import Etat, Motif
from contracts.notifications import Canal
from deploy.bilan.reconciliation import Bilan, Groupe, Lecture, Lot, reconcilier
from deploy.verbs.bilan import lignes, objet, periode

NOW = dt.datetime(2026, 3, 20, 12, tzinfo=dt.UTC)
HORIZON = NOW - dt.timedelta(days=7)


def lot(
    *envois: str, a_lire: bool = False, morte: bool = False, numero: int = 0, lots: int = 1, at: dt.datetime = NOW
) -> Lot:
    return Lot("a1", 2, numero, lots, "Une échelle", frozenset(envois), frozenset(), at, a_lire, morte)


def groupe(
    *envois: str, etat: Etat = Etat.REMIS, motif: str | None = None, en_route: bool = False, at: dt.datetime = NOW
) -> Groupe:
    return Groupe("a1", 2, etat.value, motif, en_route, at, frozenset(envois))


def bilan(lots: list[Lot], groupes: list[Groupe], plus_tard: set[str] | None = None) -> Bilan:
    lecture = Lecture({f"e{n}": lot for n, lot in enumerate(lots)})
    return reconcilier(lecture, groupes, {"a1"}, HORIZON, plus_tard or set())


def test_everybody_has_a_row_in_some_state() -> None:
    groupes = [groupe("x", "y"), groupe("z", etat=Etat.ANNULEE, motif=Motif.DESABONNE)]
    total = bilan([lot("x", "y", "z")], groupes).total
    assert (total.destinataires, total.envois, sum(total.etats.values())) == (3, 3, 3)
    assert total.etats == {"remis": 2, "annulee": 1}
    assert (total.en_route, total.inexpliquees) == (0, 0)


def test_as_many_rows_but_of_somebody_else_are_two_errors() -> None:
    total = bilan([lot("x", "y")], [groupe("x", "étranger")]).total
    assert total.destinataires == total.envois == 2
    assert (total.sans_envoi, total.sans_destinataire) == (["y"], ["étranger"])
    assert total.inexpliquees == 2


def test_a_chunk_that_is_still_to_be_consumed_is_on_its_way() -> None:
    total = bilan([lot("x", "y", a_lire=True)], [groupe("x")]).total
    assert (total.a_lire, total.en_route, total.inexpliquees) == (1, 1, 0)


def test_who_is_also_in_a_chunk_that_is_to_be_consumed_is_waited_for_once() -> None:
    total = bilan([lot("x"), lot("x", a_lire=True)], []).total
    assert (total.destinataires, total.a_lire, total.inexpliquees) == (1, 1, 0)


def test_a_dead_letter_is_unexplained_and_said_to_be_one() -> None:
    total = bilan([lot("x", "y", morte=True)], []).total
    assert (total.inexpliquees, total.lettres_mortes) == (2, 2)
    replayed = bilan([lot("x", "y", morte=True)], [groupe("x", "y")]).total
    assert (replayed.inexpliquees, replayed.lettres_mortes) == (0, 0)


def test_rows_that_are_not_done_are_on_their_way() -> None:
    groupes = [groupe("x", etat=Etat.EN_FILE, en_route=True), groupe("y", etat=Etat.INCERTAIN, motif="bail_echu")]
    total = bilan([lot("x", "y")], groupes).total
    assert (total.en_route, total.inexpliquees) == (1, 0)


def test_a_chunk_that_others_announce_is_waited_for() -> None:
    total = bilan([lot("x", numero=0, lots=3), lot("y", numero=2, lots=3)], [groupe("x", "y")]).total
    assert (total.lots_attendus, total.en_route) == (1, 1)


def test_what_the_topic_has_let_go_with_age_is_neither_missing_nor_in_excess() -> None:
    old = HORIZON - dt.timedelta(hours=1)
    total = bilan([lot("x", numero=1, lots=2, at=old)], [groupe("x", "parti", at=old)]).total
    assert (total.lots_attendus, total.inexpliquees, total.anterieurs) == (0, 0, 1)
    assert (total.destinataires, total.envois) == (1, 1)


def test_rows_of_chunks_that_were_published_while_we_read_are_left_out() -> None:
    total = bilan([lot("x")], [groupe("x", "y", "étranger")], plus_tard={"y"}).total
    assert (total.envois, total.sans_destinataire) == (2, ["étranger"])


def test_a_row_counts_once_whatever_pages_say() -> None:
    total = bilan([lot("x")], [groupe("x", etat=Etat.REMISE, en_route=True), groupe("x")]).total
    assert (total.envois, sum(total.etats.values())) == (1, 1)


def test_json_gives_the_reason_of_everything_that_was_not_handed_over() -> None:
    groupes = [
        groupe("x"),
        groupe("y", etat=Etat.ECHEC_PERMANENT, motif="smtp 550 5.1.1"),
        groupe("z", "t", etat=Etat.SANS_CONSENTEMENT, motif=Motif.CONSENTEMENT_ABSENT),
    ]
    found = objet(bilan([lot("x", "y", "z", "t")], groupes))
    assert found["motifs"] == [
        {"etat": "sans_consentement", "motif": "consentement_absent", "nombre": 2},
        {"etat": "echec_permanent", "motif": "smtp 550 5.1.1", "nombre": 1},
    ]
    assert found["par_annonce"][0]["annonce_id"] == "a1"
    assert found["inexpliquees"] == 0


def test_a_period_holds_whole_versions_by_the_day_in_paris_on_which_they_were_announced() -> None:
    minuit = dt.datetime(2026, 3, 19, 23, tzinfo=dt.UTC)
    veille, suite = lot("x", lots=2, at=minuit - dt.timedelta(seconds=1)), lot("y", numero=1, lots=2, at=minuit)
    lendemain = Lot("a2", 1, 0, 1, "Une échelle", frozenset({"z"}), frozenset(), minuit)
    lecture = Lecture({"e0": veille, "e1": suite, "e2": lendemain})
    le_19, le_20 = (periode(jour, jour) for jour in (dt.date(2026, 3, 19), dt.date(2026, 3, 20)))
    assert lecture.de(le_19).envois == {"x", "y"}
    assert lecture.de(le_20).envois == {"z"}
    assert lecture.de(periode(None, None)).envois == lecture.de(periode(dt.date(2026, 3, 19), None)).envois
    assert lecture.de(periode(None, dt.date(2026, 3, 18))).lots == {}


def test_who_was_sent_nothing_is_named_with_the_reason() -> None:
    groupes = [groupe("x"), groupe("y", etat=Etat.ANNULEE, motif=Motif.PAUSE)]
    noms = {"x": ("profil-x", Canal.EMAIL), "y": ("profil-y", Canal.SMS)}
    assert lignes(groupes, noms) == [
        {"profil_id": "profil-y", "canal": "sms", "etat": "annulee", "motif": "pause"},
    ]
