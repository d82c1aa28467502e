"""Alphabets, parts, numbers, faults and the register of the local SMS operators."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.standins.sms_operators import alphabet, numeros, parties, reglages
from deploy.standins.sms_operators.pannes import PanneInconnue, Pannes, TokenBucket
from deploy.standins.sms_operators.parties import EnTeteFaux, PartPosition
from deploy.standins.sms_operators.registre import OperatorStore
from deploy.standins.sms_operators.reglages import ReglageFaux
from services.notifications.canaux.sms import gsm7

GSM = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡AZÄÖÑÜ§¿azäöñüà\f^{}\\[~]|€"
textes = st.text(st.characters(exclude_categories=["Cs"]), max_size=700)


@given(st.text(GSM, max_size=700) | textes)
def test_un_texte_revient_de_ses_parties_et_aucune_n_est_trop_longue(texte: str) -> None:
    codage, parts = alphabet.encoder(texte)
    assert alphabet.decoder(b"".join(parts), codage) == texte
    alone, part = (160, 153) if codage == alphabet.GSM else (140, 134)
    assert all(len(octets) <= (part if len(parts) > 1 else alone) for octets in parts)
    # Each can be read by itself: no character is cut.
    assert "".join(alphabet.decoder(octets, codage) for octets in parts) == texte


@pytest.mark.parametrize(
    ("texte", "codage", "number"),
    [
        ("", 0, 1),
        ("a" * 160, 0, 1),
        ("a" * 161, 0, 2),
        ("a" * 306, 0, 2),
        ("a" * 307, 0, 3),
        ("€" * 80, 0, 1),
        ("€" * 81, 0, 2),
        ("§", 0, 1),
        ("`", 8, 1),
        ("ê" * 70, 8, 1),
        ("ê" * 71, 8, 2),
        ("🙂" * 35, 8, 1),
    ],
)
def test_un_texte_coute_autant_de_parties(texte: str, codage: int, number: int) -> None:
    found, parts = alphabet.encoder(texte)
    assert (found, len(parts)) == (codage, number)


@pytest.mark.parametrize(
    ("codage", "octets"),
    [(0x10, b"Arr\x04t"), (0x11, b"Arr\x04t"), (0xF0, b"Arr\x04t"), (0x18, "Arrèt".encode("utf-16-be"))],
)
def test_un_message_avec_une_classe_est_aussi_un_texte(codage: int, octets: bytes) -> None:
    assert alphabet.decoder(octets, codage) == "Arrèt"


@pytest.mark.parametrize("codage", [0x04, 0x14, 0x24, 0xF4])
def test_des_octets_de_donnees_ne_sont_pas_un_texte(codage: int) -> None:
    with pytest.raises(alphabet.AlphabetInconnu):
        alphabet.decoder(b"x", codage)


@given(st.text(GSM, max_size=80))
def test_l_operateur_et_nous_ecrivons_chaque_caractere_avec_les_memes_octets(texte: str) -> None:
    """Two tables that nobody copied from one another: gsm0338's, and that of notifications."""
    assert alphabet.encoder(texte)[1] == [gsm7.encoder(texte, gsm7.Codage.GSM7)]


@pytest.mark.parametrize(
    ("octets", "texte"),
    [
        (b"a\x1bAb", "aAb"),
        (b"a\x1b\x1bb", "a\ufffdb"),
        (b"a\xe9b", "a\ufffdb"),
        (b"a\x1b\xe9", "a\ufffd"),
        (b"a\x1b", "a"),
    ],
)
def test_des_octets_hors_de_la_table_n_empechent_pas_de_lire_les_autres(octets: bytes, texte: str) -> None:
    assert alphabet.decoder(octets, alphabet.GSM) == texte


def test_l_annonce_d_une_extension_n_est_pas_un_caractere() -> None:
    assert alphabet.encoder("\x1b")[0] == alphabet.UCS_2


@given(st.lists(st.binary(min_size=1, max_size=130), min_size=1, max_size=20), st.integers(0, 70_000))
def test_un_en_tete_dit_quelle_partie_il_porte(parts: list[bytes], reference: int) -> None:
    read = [parties.lire(octets) for octets in parties.avec_en_tete(parts, reference)]
    assert [octets for _, octets in read] == parts
    assert [place for place, _ in read] == [
        PartPosition(reference % 256, len(parts), numero) for numero in range(1, len(parts) + 1)
    ]


@given(st.binary(max_size=40))
def test_des_octets_quelconques_sont_un_en_tete_ou_refuses(octets: bytes) -> None:
    try:
        place, rest = parties.lire(octets)
    except EnTeteFaux:
        return
    assert octets.endswith(rest)
    assert place is None or 1 <= place.numero <= place.total


def test_un_en_tete_peut_avoir_une_reference_de_16_bits_et_d_autres_elements() -> None:
    header = bytes([0x05, 4, 1, 2, 3, 4]) + bytes([0x08, 4, 0x12, 0x34, 3, 2])
    assert parties.lire(bytes([len(header)]) + header + b"suite") == (PartPosition(0x1234, 3, 2), b"suite")
    assert parties.de_sar(7, 2, 1) == PartPosition(7, 2, 1)
    assert parties.de_sar(7, None, 1) is None


@pytest.mark.parametrize(
    ("numero", "ton", "e164"),
    [
        ("33612345678", 1, "+33612345678"),
        ("+33612345678", 0, "+33612345678"),
        ("0612345678", 2, "+33612345678"),
        ("0033612345678", 0, "+33612345678"),
        ("PLACE", 5, None),
        ("", 1, None),
        ("336", 1, None),
        ("0612345678", 1, None),
    ],
)
def test_un_destinataire_est_un_numero_international(numero: str, ton: int, e164: str | None) -> None:
    assert numeros.e164(numero, ton) == e164


def test_les_pannes_finissent_avec_un_objet_vide_et_les_reglages_initiaux_restent() -> None:
    pannes = Pannes(debit_par_s=50)
    pannes.remplacer({"limiter": 1, "recus": "refuse", "debit_par_s": 0.5})
    assert (pannes.prendre("limiter"), pannes.prendre("limiter"), pannes.recus) == (True, False, "refuse")
    pannes.remplacer({})
    assert pannes == Pannes(debit_par_s=50)


@pytest.mark.parametrize(
    "voulues",
    [
        [],
        None,
        {"autre": 1},
        {"limiter": -1},
        {"limiter": True},
        {"delai_ms": "1"},
        {"recus": "perdu"},
        {"couper": 1.5},
        {"recus_doubles": 1},
        {"debit_par_s": -1},
        {"initiales": {}},
        {"limiter": 3, "refuser": "x"},
    ],
)
def test_une_panne_inconnue_est_refusee_avec_la_liste_et_ne_change_rien(voulues: object) -> None:
    pannes = Pannes()
    with pytest.raises(PanneInconnue, match="recus_desordre"):
        pannes.remplacer(voulues)
    assert pannes == Pannes()


def test_un_seau_laisse_passer_ce_que_permet_le_debit() -> None:
    now = 0.0
    seau = TokenBucket(lambda: now)
    assert [seau.prendre(2) for _ in range(3)] == [True, False, False]
    now = 10.0
    assert [seau.prendre(2) for _ in range(3)] == [True, True, False]
    assert all(seau.prendre(0) for _ in range(1000))


def test_ce_qui_est_du_survit_a_l_operateur(tmp_path: Path) -> None:
    registre = OperatorStore(tmp_path / "x.sqlite3")
    registre.devoir("recu", [(1.0, {"n": 1}), (2.0, {"n": 2})])
    registre.devoir("entrant", [(3.0, {"n": 3})])
    registre.ajouter_partie("cle", 2, "m2", b"b", 100.0)
    registre.close()
    registre = OperatorStore(tmp_path / "x.sqlite3")
    assert [sortie.contenu["n"] for sortie in registre.dues(2.5, 10)] == [1, 2]
    assert [sortie.contenu["n"] for sortie in registre.dues(9, 10, recentes=True)] == [3, 2, 1]
    assert [sortie.contenu["n"] for sortie in registre.dues(9, 10, sans_recus=True)] == [3]
    assert registre.prochaine(2.0) == 3.0
    assert registre.ajouter_partie("cle", 1, "m1", b"a", 100.0) == ("m2", [b"a", b"b"])
    assert registre.compte() == {"recus": 2, "entrants": 1}
    registre.close()


def test_ce_qui_a_ete_refuse_est_du_de_nouveau_au_retour_de_quelqu_un() -> None:
    registre = OperatorStore()
    registre.devoir("recu", [(1.0, {}), (500.0, {})])
    (first,) = registre.dues(2.0, 10)
    registre.remettre_a(first.id, 1000.0)
    registre.redevoir(10.0)
    # The second one has not been tried yet: it is not due before its time.
    assert [(sortie.id, sortie.essais) for sortie in registre.dues(10.0, 10)] == [(first.id, 1)]
    registre.rendue(first.id)
    assert registre.compte()["recus"] == 1
    registre.close()


def test_un_secret_est_une_variable_ou_un_fichier_et_son_absence_est_dite(tmp_path: Path) -> None:
    (tmp_path / "smpp_mot_de_passe").write_text("secret12\n")
    assert reglages.lire("smsc", {"SECRETS_DIR": str(tmp_path)}).mot_de_passe == "secret12"
    given = {"SECRETS_DIR": str(tmp_path), "SMPP_MOT_DE_PASSE": "autre"}
    assert reglages.lire("smsc", given).mot_de_passe == "autre"
    with pytest.raises(ReglageFaux, match="SMS_HTTP_CLE manque"):
        reglages.lire("http", {"SECRETS_DIR": str(tmp_path)})
    with pytest.raises(ReglageFaux, match="PORT vaut « x »"):
        reglages.lire("smsc", {**given, "PORT": "x"})
