"""Hints: what they find, where, and that they are blind to who is meant."""

from itertools import combinations

import pytest

from contracts import references
from services.moderation.hints import indices, normaliser

LONG = "Nous cherchons deux personnes pour tenir un stand pendant la fête du quartier, le samedi après-midi, à Fives."


def codes(texte: str, titre: str = "Tenir un stand", recents: tuple[str, ...] = ()) -> list[str]:
    return [indice.code for indice in indices(titre, texte, recents)]


def test_un_texte_ordinaire_ne_donne_aucun_indice() -> None:
    assert codes(LONG) == []


@pytest.mark.parametrize(
    ("ecrit", "code"),
    [
        ("contact@exemple.fr", "adresse-electronique"),
        ("jean.dupont (at) exemple.org", "adresse-electronique"),
        ("06 12 34 56 78", "telephone"),
        ("0612345678", "telephone"),
        ("06.12.34.56.78", "telephone"),
        ("+33 6 12 34 56 78", "telephone"),
        ("+33 (0)6 12 34 56 78", "telephone"),
        ("0033612345678", "telephone"),
        ("https://exemple.fr/page", "lien"),
        ("www.exemple.fr", "lien"),
        ("50 €", "argent"),
        ("1 200 euros", "argent"),
        ("virement", "argent"),
        ("!!!!", "insistance"),
    ],
)
def test_ce_qui_merite_un_second_regard_est_trouve_a_sa_place(ecrit: str, code: str) -> None:
    texte = f"{LONG} {ecrit} merci"
    [indice] = indices("Tenir un stand", texte)
    assert (indice.code, indice.champ, texte[indice.debut : indice.fin]) == (code, "description", ecrit)


@pytest.mark.parametrize(
    "texte",
    ["du 12/05/2026 au 14/05/2026", "SIRET 356 000 000 00048", "de 14 h à 18 h 30", "59000 Lille", "30 costumes"],
)
def test_dates_heures_et_nombres_ne_sont_pas_des_coordonnees(texte: str) -> None:
    assert codes(f"{LONG} {texte}") == []


def test_un_texte_court_des_majuscules_et_un_titre_deja_vu_sont_signales() -> None:
    assert codes("Besoin d’aide.") == ["texte-court"]
    assert codes(LONG.upper()) == ["majuscules"]
    assert codes(LONG, "URGENT", ()) == []
    assert codes(LONG, "Tenir un Stand !", ("TENIR UN STAND",)) == ["titre-deja-vu"]


@pytest.mark.parametrize(
    ("texte", "crie"),
    [
        (" ".join(["GRANDE"] * 4 + ["petite"] * 4), False),
        (" ".join(["GRANDE"] * 5 + ["petite"] * 4), True),
        (f"{LONG} SNCF CAF AIDE", False),
    ],
)
def test_un_texte_crie_quand_plus_de_la_moitie_de_ses_mots_sont_en_majuscules(texte: str, crie: bool) -> None:
    assert ("majuscules" in codes(texte)) is crie


def test_les_titres_se_comparent_sans_accents_casse_ni_ponctuation() -> None:
    assert normaliser("  Été : « fête »\u00a0de l’été !") == "ete fete de l ete"
    assert normaliser("Été") != normaliser("hiver")


def test_chaque_indice_nomme_un_motif_qui_existe() -> None:
    textes = [LONG.upper() + " 06 12 34 56 78 a@b.fr 3 € !!! www.a.fr", "x"]
    motifs = {indice.motif for texte in textes for indice in indices("T", texte, ["T"])}
    assert motifs <= set(references.motifs())


PHRASES = (
    "L’association {} du quartier cherche des bénévoles pour distribuer des repas, samedi matin, à Wazemmes.",
    "Aide {} demandée.",
    "Nous aidons les familles {} : appelez le 06 12 34 56 78, participation de 5 €, merci à vous tous et toutes !",
)
GROUPES = (
    "catholiques",
    "musulmanes",
    "juives",
    "protestantes",
    "athées",
    "roms",
    "maliennes",
    "bretonnes",
    "lesbiennes",
    "handicapées",
    "syndicales",
    "femmes",
    "hommes",
)


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize(("un", "autre"), list(combinations(GROUPES, 2)))
def test_la_meme_phrase_sur_un_groupe_ou_un_autre_donne_les_memes_indices(phrase: str, un: str, autre: str) -> None:
    assert codes(phrase.format(un), un) == codes(phrase.format(autre), autre)
    assert codes(phrase.format(un).upper(), un.upper()) == codes(phrase.format(autre).upper(), autre.upper())


@pytest.mark.parametrize("motif", ["x", "1 ", "a.", "x@", "0", "é-", "0 1.", "+33 6 "])
def test_un_texte_de_toute_longueur_se_lit_d_une_traite(motif: str) -> None:
    """Whoever posts could otherwise hold up the moderators' pages."""
    texte = motif * 100_000
    assert "argent" not in {indice.code for indice in indices("Titre", texte)}
