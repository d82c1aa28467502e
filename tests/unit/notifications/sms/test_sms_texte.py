import pytest
from gsm0338 import Codec
from gsm0338.charset import BASIC_CHARACTER_SET_EXTENSION
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.canaux.sms.gsm7 import Codage, alleger, codage, compter, decoder, decouper, encoder, poids

GSM7 = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./09:;<=>?¡AZÄÖÑÜ§¿azäöñüà^{}\\[~]|€\f"
LIMITES = {Codage.GSM7: (160, 153), Codage.UCS2: (70, 67)}

textes = st.one_of(
    st.text(st.sampled_from(GSM7), max_size=700),
    st.text(st.sampled_from(GSM7 + "ê’« 😀مر"), max_size=400),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
)


@given(textes)
def test_les_parties_jointes_redonnent_le_texte(texte: str) -> None:
    assert "".join(decouper(texte).parties) == texte


@given(textes)
def test_aucune_partie_ne_depasse_sa_taille(texte: str) -> None:
    decoupe = decouper(texte)
    seule, jointe = LIMITES[decoupe.codage]
    taille = seule if len(decoupe.parties) == 1 else jointe
    assert all(poids(partie, decoupe.codage) <= taille for partie in decoupe.parties)
    octets = [encoder(partie, decoupe.codage) for partie in decoupe.parties]
    assert all(len(partie) <= (160 if len(octets) == 1 else 153) for partie in octets)


@given(textes)
def test_ce_qui_est_encode_se_relit(texte: str) -> None:
    decoupe = decouper(texte)
    assert "".join(decoder(encoder(partie, decoupe.codage), decoupe.codage) for partie in decoupe.parties) == texte


@given(textes)
def test_alleger_ne_coute_jamais_plus_et_se_repete_sans_effet(texte: str) -> None:
    leger = alleger(texte)
    assert alleger(leger) == leger
    if codage(texte) is Codage.GSM7:
        assert leger == texte


@given(st.binary(max_size=200), st.integers(0, 255))
def test_aucun_contenu_recu_ne_fait_tomber_la_lecture(contenu: bytes, data_coding: int) -> None:
    decoder(contenu, data_coding).encode()


@pytest.mark.parametrize(
    ("texte", "choix", "parties"),
    [
        ("", Codage.GSM7, 1),
        ("a" * 160, Codage.GSM7, 1),
        ("a" * 161, Codage.GSM7, 2),
        ("a" * 306, Codage.GSM7, 2),
        ("a" * 307, Codage.GSM7, 3),
        ("€" * 80, Codage.GSM7, 1),
        ("€" * 81, Codage.GSM7, 2),
        # 76 in each part: the 77th would be split.
        ("€" * 153, Codage.GSM7, 3),
        ("ê" * 70, Codage.UCS2, 1),
        ("ê" * 71, Codage.UCS2, 2),
        ("😀" * 35, Codage.UCS2, 1),
        ("😀" * 36, Codage.UCS2, 2),
        ("😀" * 67, Codage.UCS2, 3),
        ("مرحبا", Codage.UCS2, 1),
    ],
)
def test_le_nombre_de_sms_est_dit_avant_l_envoi(texte: str, choix: Codage, parties: int) -> None:
    assert (codage(texte), compter(texte)) == (choix, parties)


def test_au_dela_de_255_parties_il_n_y_a_pas_de_sms() -> None:
    assert compter("a" * 153 * 255) == 255
    with pytest.raises(ValueError, match="255"):
        compter("a" * (153 * 255 + 1))


@pytest.mark.parametrize("dans", "éèùìòàÉÇäöñü§€")
def test_ce_que_gsm_sait_ecrire(dans: str) -> None:
    assert codage(dans) is Codage.GSM7
    assert alleger(dans) == dans


@pytest.mark.parametrize("hors", "êâîôûëïçÀÈÊœ’«»`")
def test_ce_que_gsm_ne_sait_pas_ecrire(hors: str) -> None:
    assert codage(hors) is Codage.UCS2
    assert codage(alleger(hors)) is Codage.GSM7


@pytest.mark.parametrize(
    ("texte", "leger"),
    [
        ("À l’hôtel\u00a0: ça coûte 3\u202f€…", "A l'hotel : ca coute 3 €..."),
        ("Besoin de «\u00a0bras\u00a0» à Fives", 'Besoin de "bras" à Fives'),
        ("n°\u00a05, œuvre — 20\u00a0°C, 30\u00a0m²", "no 5, oeuvre - 20 C, 30 m2"),
        ("re\u0301ponse", "réponse"),
        ("zéro\u200blargeur", "zérolargeur"),
        # What would not become GSM-7 keeps its typography.
        ("L’été 😀", "L’été 😀"),
        ("مرحبا « ami »", "مرحبا « ami »"),
        ("Nguyễn", "Nguyễn"),
    ],
)
def test_un_sms_francais_reste_leger_et_lisible(texte: str, leger: str) -> None:
    assert alleger(texte) == leger


def test_la_moitie_d_un_caractere_ne_fait_pas_tomber_l_envoi() -> None:
    decoupe = decouper("a\ud800b")
    assert decoupe.parties == ("a�b",)
    encoder(*decoupe.parties, decoupe.codage)


@pytest.mark.parametrize(
    ("contenu", "data_coding", "texte"),
    [
        (b"\x1b\x65 \x05t\x05", 0, "€ été"),
        (b"\x1b", 0, " "),
        (b"\x1b\x41", 0, "A"),
        (b"\xff", 0, "�"),
        (b"oui", 0xF1, "oui"),
        ("مرحبا".encode("utf-16-be"), 8, "مرحبا"),
        (b"\x00a\x00", 8, "a�"),
        (b"\xe9t\xe9", 3, "été"),
        (b"oui", 4, "oui"),
    ],
)
def test_lire_ce_qui_arrive(contenu: bytes, data_coding: int, texte: str) -> None:
    assert decoder(contenu, data_coding) == texte


def test_notre_table_est_celle_de_la_norme() -> None:
    """Compared with a table that we did not write."""
    norme = Codec()
    codes = [bytes([code]) for code in range(0x80) if code != 0x1B]
    codes += [bytes([0x1B, code]) for code in BASIC_CHARACTER_SET_EXTENSION]
    for octets in codes:
        caractere = norme.decode(octets)[0]
        assert encoder(caractere, Codage.GSM7) == octets
        assert decoder(octets, Codage.GSM7) == caractere
        assert poids(caractere, Codage.GSM7) == len(octets)
