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


def test_chacun_a_une_ligne_dans_un_etat() -> None:
    groupes = [groupe("x", "y"), groupe("z", etat=Etat.ANNULEE, motif=Motif.DESABONNE)]
    total = bilan([lot("x", "y", "z")], groupes).total
    assert (total.destinataires, total.envois, sum(total.etats.values())) == (3, 3, 3)
    assert total.etats == {"remis": 2, "annulee": 1}
    assert (total.en_route, total.inexpliquees) == (0, 0)


def test_autant_de_lignes_mais_d_un_autre_font_deux_erreurs() -> None:
    total = bilan([lot("x", "y")], [groupe("x", "étranger")]).total
    assert total.destinataires == total.envois == 2
    assert (total.sans_envoi, total.sans_destinataire) == (["y"], ["étranger"])
    assert total.inexpliquees == 2


def test_un_lot_encore_a_lire_est_en_route() -> None:
    total = bilan([lot("x", "y", a_lire=True)], [groupe("x")]).total
    assert (total.a_lire, total.en_route, total.inexpliquees) == (1, 1, 0)


def test_qui_est_aussi_dans_un_lot_a_lire_n_est_attendu_qu_une_fois() -> None:
    total = bilan([lot("x"), lot("x", a_lire=True)], []).total
    assert (total.destinataires, total.a_lire, total.inexpliquees) == (1, 1, 0)


def test_une_lettre_morte_est_inexpliquee_et_nommee() -> None:
    total = bilan([lot("x", "y", morte=True)], []).total
    assert (total.inexpliquees, total.lettres_mortes) == (2, 2)
    replayed = bilan([lot("x", "y", morte=True)], [groupe("x", "y")]).total
    assert (replayed.inexpliquees, replayed.lettres_mortes) == (0, 0)


def test_les_lignes_non_finies_sont_en_route() -> None:
    groupes = [groupe("x", etat=Etat.EN_FILE, en_route=True), groupe("y", etat=Etat.INCERTAIN, motif="bail_echu")]
    total = bilan([lot("x", "y")], groupes).total
    assert (total.en_route, total.inexpliquees) == (1, 0)


def test_un_lot_annonce_par_d_autres_est_attendu() -> None:
    total = bilan([lot("x", numero=0, lots=3), lot("y", numero=2, lots=3)], [groupe("x", "y")]).total
    assert (total.lots_attendus, total.en_route) == (1, 1)


def test_ce_que_le_topic_a_oublie_n_est_ni_manquant_ni_en_trop() -> None:
    old = HORIZON - dt.timedelta(hours=1)
    total = bilan([lot("x", numero=1, lots=2, at=old)], [groupe("x", "parti", at=old)]).total
    assert (total.lots_attendus, total.inexpliquees, total.anterieurs) == (0, 0, 1)
    assert (total.destinataires, total.envois) == (1, 1)


def test_les_lignes_de_lots_publies_pendant_la_lecture_sont_laissees() -> None:
    total = bilan([lot("x")], [groupe("x", "y", "étranger")], plus_tard={"y"}).total
    assert (total.envois, total.sans_destinataire) == (2, ["étranger"])


def test_une_ligne_compte_une_fois_quoi_que_disent_les_pages() -> None:
    total = bilan([lot("x")], [groupe("x", etat=Etat.REMISE, en_route=True), groupe("x")]).total
    assert (total.envois, sum(total.etats.values())) == (1, 1)


def test_le_json_donne_la_raison_de_tout_ce_qui_n_est_pas_parti() -> None:
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


def test_une_periode_tient_des_versions_entieres_au_jour_de_paris_de_leur_annonce() -> None:
    minuit = dt.datetime(2026, 3, 19, 23, tzinfo=dt.UTC)
    veille, suite = lot("x", lots=2, at=minuit - dt.timedelta(seconds=1)), lot("y", numero=1, lots=2, at=minuit)
    lendemain = Lot("a2", 1, 0, 1, "Une échelle", frozenset({"z"}), frozenset(), minuit)
    lecture = Lecture({"e0": veille, "e1": suite, "e2": lendemain})
    le_19, le_20 = (periode(jour, jour) for jour in (dt.date(2026, 3, 19), dt.date(2026, 3, 20)))
    assert lecture.de(le_19).envois == {"x", "y"}
    assert lecture.de(le_20).envois == {"z"}
    assert lecture.de(periode(None, None)).envois == lecture.de(periode(dt.date(2026, 3, 19), None)).envois
    assert lecture.de(periode(None, dt.date(2026, 3, 18))).lots == {}


def test_qui_n_a_rien_recu_est_nomme_avec_la_raison() -> None:
    groupes = [groupe("x"), groupe("y", etat=Etat.ANNULEE, motif=Motif.PAUSE)]
    noms = {"x": ("profil-x", Canal.EMAIL), "y": ("profil-y", Canal.SMS)}
    assert lignes(groupes, noms) == [
        {"profil_id": "profil-y", "canal": "sms", "etat": "annulee", "motif": "pause"},
    ]
