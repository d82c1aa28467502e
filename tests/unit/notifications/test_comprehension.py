"""What people write back by SMS, and what is understood: rather nothing than the wrong thing, except for STOP."""

import string
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.lecture import cas_de, lire_cas
from services.notifications.comprehension import codes, commands, read
from services.notifications.comprehension.codes import lire_reference, reference_code
from services.notifications.comprehension.commands import (
    Aide,
    Commande,
    Incompris,
    Non,
    Oui,
    Pause,
    Reprise,
    Stop,
)
from services.notifications.comprehension.phrases import Lexique, Sorte, ecraser
from services.notifications.comprehension.read import lire
from services.notifications.comprehension.vocabulary import LEXIQUE

REPONSES = Path(__file__).parent / "reponses_ecrites"
"""What people may write, by kinds, and what is expected; written before the vocabulary was."""


def dit(valeur: object) -> str | None:
    """Readable names for texts; pytest's own for the rest."""
    return repr(valeur[:40]) if isinstance(valeur, str) else None


def mots(texte: str) -> list[str]:
    return texte.split(" ")


@pytest.mark.parametrize(
    ("texte", "commande"),
    [
        ("oui", Oui()),
        ("OUI", Oui()),
        ("Ouiii !!!", Oui()),
        (" oui.", Oui()),
        ("OÜÏ", Oui()),
        ("« OUI »", Oui()),
        ("oui je viens", Oui()),
        ("Bonjour, oui je viens avec plaisir. Merci", Oui()),
        ("Pour moi c’est oui", Oui()),
        ("Suite à votre message : OUI", Oui()),
        ("Je suis partante", Oui()),
        ("d’accord", Oui()),
        ("D'ACCORD pour samedi", Oui()),
        ("ok", Oui()),
        ("O.K.", Oui()),
        ("Ok pas de souci", Oui()),
        ("oui sans problème", Oui()),
        ("👍", Oui()),
        ("👍🏽", Oui()),
        ("✅ ", Oui()),
        ("👍 je viens", Oui()),
        ("نعم", Oui()),
        ("oui 👍", Oui()),
    ],
    ids=dit,
)
def test_un_oui_est_compris(texte: str, commande: Commande) -> None:
    assert lire(texte) == commande


@pytest.mark.parametrize(
    ("texte", "quantite"),
    [
        ("OUI 3", 3),
        ("oui3", 3),
        ("oui, 3", 3),
        ("Oui (3)", 3),
        ("OUI: 3", 3),
        ("oui x2", 2),
        ("oui 2x", 2),
        ("2 oui", 2),
        ("👍 2", 2),
        ("ok pour 2 personnes", 2),
        ("ok pour deux", 2),
        ("oui, on sera trois", 3),
        ("oui on vient à 3", 3),
        ("je viens avec mon mari", 2),
        ("on sera là avec deux amis", 3),
        ("oui nous sommes 4", 4),
        ("oui 2pers", 2),
        ("oui samedi 2 personnes", 2),
        ("oui samedi 12 personnes", 12),
        ("oui 3 places le samedi 14 mai", 3),
        ("oui une personne", 1),
        ("OUI 100", 100),
        ("oui ٣", 3),
        ("oui à 18h30", 1),
        ("oui vers 18 h 30", 1),
        ("oui à 14:15", 1),
        ("oui samedi 14", 1),
        ("oui le 3", 1),
        ("oui, le 14/05", 1),
        ("oui dans 10 minutes", 1),
        ("oui appelez moi au 06 12 34 56 78", 1),
        ("oui 0612345678", 1),
    ],
    ids=dit,
)
def test_combien_on_vient_ne_se_confond_pas_avec_une_heure_ni_une_date(texte: str, quantite: int) -> None:
    assert lire(texte) == Oui(quantite)


@pytest.mark.parametrize(
    "texte",
    [
        "oui 0",
        "oui 101",
        "oui 99999999999999999999",
        "oui 2 ou 3",
        "oui 2/3",
        "oui 2-3 personnes",
        "oui j’ai 2 enfants",
        "oui samedi 2",
        "oui bâtiment B2",
    ],
    ids=dit,
)
def test_un_nombre_qui_n_est_pas_clair_ne_reserve_rien(texte: str) -> None:
    assert lire(texte) == Incompris()


@pytest.mark.parametrize(
    ("texte", "commande"),
    [
        ("K7 oui", Oui(1, "K7")),
        ("oui k7 2", Oui(2, "K7")),
        ("OUI 2 K7", Oui(2, "K7")),
        ("oui-k7", Oui(1, "K7")),
        ("oui (réf. K7AF) pour 4", Oui(4, "K7AF")),
        ("oui k72", Oui(1, "K72")),
        ("oui K7O", Oui(1, "K70")),
        ("oui k7il", Oui(1, "K711")),
        ("K7 👍", Oui(1, "K7")),
        ("K7 👍 2", Oui(2, "K7")),
        ("non K7", Non("K7")),
        ("K7: non merci", Non("K7")),
        ("oui K7 oui K7", Oui(1, "K7")),
        ("oui K7 et non K8", Incompris()),
        ("oui K7 K8", Incompris()),
        ("K7", Incompris()),
    ],
    ids=dit,
)
def test_le_code_dit_de_quelle_annonce_on_parle(texte: str, commande: Commande) -> None:
    assert lire(texte) == commande


@pytest.mark.parametrize(
    "texte",
    [
        "non",
        "NON !",
        "Nooon",
        "nan",
        "non merci",
        "Non désolé mais une prochaine fois",
        "Bonjour, non désolée",
        "Désolé, non",
        "Non merci, bon courage 👍",
        "Désolée je ne suis pas disponible",
        "pas dispo samedi",
        "je ne peux pas",
        "Bonjour je ne peux pas venir",
        "impossible",
        "annuler",
        "j'annule",
        "👎",
        "❌",
        "لا",
        "لا شكرا",
    ],
    ids=dit,
)
def test_un_non_est_compris(texte: str) -> None:
    assert lire(texte) == Non()


@pytest.mark.parametrize(
    "texte",
    [
        "STOP",
        "stop",
        "Stop.",
        "Stoop",
        "S.T.O.P",
        "S T O P",
        "« STOP »",
        '"stop"',
        "Stop SMS",
        "STOPSMS",
        "STOP 36180",
        "ARRET",
        "arrêt",
        "ARRÊT !",
        "Arrêter",
        "Arrêtez de m’écrire",
        "désabonner",
        "DESABONNEMENT",
        "me désabonner svp",
        "Je veux me désinscrire",
        "unsubscribe",
        "Bonjour, STOP svp",
        "Bonjour stop",
        "Merci. STOP",
        "Non. STOP.",
        "non stop",
        "STOP oui",
        "oui stop",
        "OUI NON STOP",
        "stop, mais oui pour samedi",
        "Je ne veux plus recevoir de SMS",
        "je ne souhaite pas recevoir vos messages",
        "Ne m’envoyez plus rien",
        "> Répondez OUI ou NON\nSTOP",
        "STOP " + "a" * 5000,
    ],
    ids=dit,
)
def test_un_stop_arrete_tout(texte: str) -> None:
    assert lire(texte) == Stop()


@pytest.mark.parametrize(
    "texte",
    [
        "je ne peux pas m’arrêter samedi",
        "N’arrêtez pas !",
        "Je ne veux pas me désabonner",
        "Arrêt de bus Fives, c’est bien là ?",
        "Arrêt maladie, désolé",
        "Je travaille non stop samedi",
        "On se gare au panneau stop",
        "Stopover à Lille",
        "Répondez OUI K7, NON K7 ou STOP",
        "Rendez-vous à l’arrêt Fives",
        "je voudrais plus de SMS",
    ],
    ids=dit,
)
def test_le_mot_stop_dit_d_autre_chose_n_arrete_ni_ne_reserve_rien(texte: str) -> None:
    assert lire(texte) == Incompris()


@pytest.mark.parametrize(
    "texte",
    [
        "oui mais non",
        "oui et non",
        "non oui",
        "oui 👎",
        "👍👎",
        "oui ?",
        "C’est ok ?",
        "ok pour quelle heure ?",
        "peut-être oui",
        "oui peut-être",
        "oui si possible",
        "oui sauf samedi",
        "oui, mais je ne peux pas samedi",
        "pas d’accord",
        "Je ne suis pas ok",
        "Oui, c’est où ?",
        "Oui, rendez-vous à l’arrêt Fives",
        "Bonjour Madame Dupont, oui avec plaisir",
        "oui avec mon fils de 12 ans",
        "oui <3 mais",
        "oui :(",
        "oui…",
        "oui 🤔",
        "ok merci",
        "oui « peut-être »",
        "ma mère m’a dit que oui elle viendrait",
        "j’aimerais dire oui",
        "Je ne peux pas venir, mais Paul oui",
        "Non mais je peux dimanche",
        "je ne comprends pas",
        "Est-ce un besoin non urgent ?",
        "si ce n’est plus possible dites-le moi",
        "Merci pour tout 👍",
        "👍?",
        "Je viens de voir votre message",
        "لا أفهم",
        "A aimé « Besoin de 5 bénévoles. Répondez OUI K7 ou NON »",
        "Liked “Répondez OUI K7, NON ou STOP”",
        "> Répondez OUI K7",
        "",
        "   ",
        "\n",
        "…",
        "🙂",
        "你好",
        "مرحبا كيف الحال",
        "3",
    ],
    ids=dit,
)
def test_dans_le_doute_on_redemande(texte: str) -> None:
    assert lire(texte) == Incompris()


@pytest.mark.parametrize(
    "texte",
    [
        "Oui 2\n> Besoin de bénévoles. Répondez OUI, NON ou STOP",
        "Oui 2\n\nLe 3 mai à 12:00, Place des assos a écrit :\nRépondez NON K7 ou STOP",
        "Oui 2\n-----Message d’origine-----\nSTOP",
        "Oui 2 « Répondez NON ou STOP »",
    ],
    ids=dit,
)
def test_ce_qui_est_cite_ne_repond_pas(texte: str) -> None:
    assert lire(texte) == Oui(2)


@pytest.mark.parametrize(
    "texte", ["AIDE", "aide ?", "aidez-moi svp", "help", "?", "???", "info", "Comment ça marche ?"]
)
def test_qui_demande_de_l_aide_en_recoit(texte: str) -> None:
    assert lire(texte) == Aide()


@pytest.mark.parametrize(
    ("texte", "commande"),
    [
        ("PAUSE 30", Pause(30)),
        ("pause", Pause(commands.JOURS_PAUSE)),
        ("Pause.", Pause(commands.JOURS_PAUSE)),
        ("pause30", Pause(30)),
        ("PAUSE 15 jours", Pause(15)),
        ("pause 15j", Pause(15)),
        ("pause de deux semaines svp", Pause(14)),
        ("Bonjour, pause d’une semaine", Pause(7)),
        ("mettre en pause 1 mois", Pause(30)),
        ("pause 366", Pause(366)),
        ("pause 0", Incompris()),
        ("pause 367", Incompris()),
        ("pause 99 mois", Incompris()),
        ("pause 99999999999", Incompris()),
        ("pause jusqu’au 15 août", Incompris()),
        ("pause déjeuner", Incompris()),
        ("reprendre", Reprise()),
        ("REPRISE", Reprise()),
        ("Reprendre les alertes svp", Reprise()),
    ],
    ids=dit,
)
def test_une_pause_a_un_nombre_de_jours_possible(texte: str, commande: Commande) -> None:
    assert lire(texte) == commande


def test_un_long_texte_ne_reserve_que_si_tout_en_est_compris() -> None:
    recit = "Je raconte ma semaine. " * 65
    assert 1400 < len(recit) < read.LONGUEUR_MAX
    assert lire("Oui. " + recit) == Incompris()
    assert lire("Oui. " + "Merci beaucoup. " * 90) == Oui()
    assert lire("Oui. " + "Merci beaucoup. " * 180) == Incompris()
    assert lire(recit * 2 + " STOP") == Stop()


MOTS = st.sampled_from(
    mots(
        "oui non OUI NON ok stop STOP arrêt pause aide reprendre K7 k72 3 200 le à pour mais si pas ne je viens samedi "
        "18h personnes 👍 👎 ? ! . , \n > « » “ ” désabonner نعم لا merci bonjour pourquoi 06 12 34 56 78 0 ٣ ² №"
    )
)
PHRASES = st.lists(MOTS, max_size=12).map(" ".join)


@given(st.one_of(st.text(), PHRASES, st.binary().map(lambda octets: octets.decode("utf-8", "replace"))))
def test_rien_ne_fait_echouer_la_lecture(texte: str) -> None:
    commande = lire(texte)
    if isinstance(commande, Oui):
        assert 1 <= commande.quantite <= commands.QUANTITE_MAX
    if isinstance(commande, Pause):
        assert 1 <= commande.jours <= commands.JOURS_PAUSE_MAX


COMPRIS = [ligne.texte for ligne in cas_de(REPONSES) if isinstance(lire(ligne.texte), Oui)]
SOUS_ENTENDU = mots("mais si sauf demande jamais sans quand comment viendrais serais pense crois peut-être hier Paul")


@given(st.sampled_from(COMPRIS), st.text(string.ascii_lowercase, min_size=2) | st.sampled_from(SOUS_ENTENDU), st.data())
def test_un_oui_ou_s_ajoute_un_mot_inconnu_n_est_plus_un_oui(oui: str, mot: str, data: st.DataObject) -> None:
    assume(ecraser(mot) not in LEXIQUE.mots)
    mots = oui.split()
    place = data.draw(st.integers(min_value=0, max_value=len(mots)))
    assert not isinstance(lire(" ".join([*mots[:place], mot, *mots[place:]])), Oui)


@given(st.lists(st.sampled_from([*sorted(LEXIQUE.mots), "?", "pas", ".", "…"]), max_size=8).map(" ".join))
def test_sans_une_phrase_qui_dit_oui_rien_n_est_reserve(texte: str) -> None:
    disent_oui = {Sorte.OUI, Sorte.ACCORD, Sorte.CONFIRMATION, Sorte.POUCE}
    accords = [" ".join(phrase) for phrase, sorte in LEXIQUE if sorte in disent_oui and "#" not in "".join(phrase)]
    if isinstance(lire(texte), Oui):
        assert any(accord in ecraser(texte) for accord in accords)


@given(PHRASES.filter(lambda suite: ">" not in suite))
def test_un_non_dans_le_texte_ne_reserve_jamais(suite: str) -> None:
    assert not isinstance(lire(f"{suite}. non"), Oui)


@given(st.text(string.ascii_letters + " éàç’,.!?") | PHRASES.filter(lambda suite: ">" not in suite))
def test_un_stop_apres_n_importe_quoi_arrete(debut: str) -> None:
    route = {"panneau", "auto", "en", "du", "feu"}
    assume(not route & set(debut.casefold().split()[-1:]))
    assert lire(f"{debut} STOP") == Stop()
    assert lire(f"{debut}. Ne me contactez plus") == Stop()


def test_les_listes_ne_se_contredisent_pas() -> None:
    with pytest.raises(ValueError, match="oui volontiers"):
        Lexique({Sorte.OUI: "oui volontiers", Sorte.NON: "oui [volontiers]"}, {}, {})


def test_la_barre_est_tenue_sur_les_reponses_gardees() -> None:
    lectures = [lire_cas(cas) for cas in cas_de(REPONSES)]
    assert len(lectures) > 500
    assert [lecture.cas.texte for lecture in lectures if lecture.oui_a_tort or lecture.stop_manque] == []
    simples = [lecture for lecture in lectures if lecture.reponse_simple]
    assert sum(lecture.juste for lecture in simples) >= 0.8 * len(simples)


@given(st.one_of(st.text(), PHRASES), st.sampled_from(["STOP", "Stop", "arrêt !", "désabonner,", "stop sms"]))
def test_un_stop_au_debut_l_emporte_sur_toute_suite(suite: str, stop: str) -> None:
    assert lire(f"{stop}\n{suite}") == Stop()


@given(st.integers(min_value=0, max_value=codes.CODES - 1), st.sampled_from([str.upper, str.lower]))
def test_un_code_se_relit_comme_il_a_ete_ecrit(n: int, casse: Callable[[str], str]) -> None:
    code = reference_code(n)
    assert lire_reference(casse(code)) == code
    assert lire(f"oui {casse(code)} 2") == Oui(2, code)


def test_les_codes_sont_tous_differents_et_courts() -> None:
    tous = [reference_code(n) for n in range(codes.CODES)]
    assert len(set(tous)) == codes.CODES > 50_000
    assert {len(code) for code in tous} == {2, 3, 4}
    assert reference_code(codes.CODES) == tous[0]
    assert not set("".join(tous)) & set("OILSBZU")
    with pytest.raises(ValueError, match="from 0"):
        reference_code(-1)


def test_aucun_mot_n_est_un_code() -> None:
    for mot in mots("oui non stop aide je ko pas rdv 18h h30 a25 l5 t3 m2 x3 2 k k1 k0 k7abc"):
        assert lire_reference(mot) is None, mot
