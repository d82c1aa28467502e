"""RNA, SIREN, SIRET: real numbers, their checks, and properties of the checks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.annonces import organisation_numbers
from services.annonces.organisation_numbers import IdentifiantInvalide

CHIFFRES = "0123456789"
LA_POSTE = "356000000"
SIEGE_DE_LA_POSTE = "35600000000048"


def luhn(chiffres: str) -> bool:
    """The check written out once more, so that the library is compared with something else than itself."""
    doubles = [int(chiffre) * (1 + rang % 2) for rang, chiffre in enumerate(reversed(chiffres))]
    return sum(valeur // 10 + valeur % 10 for valeur in doubles) % 10 == 0


def complet(debut: str) -> str:
    """`debut` with the digit that makes its Luhn check hold."""
    return next(debut + dernier for dernier in CHIFFRES if luhn(debut + dernier))


SIRENS = st.text(CHIFFRES, min_size=8, max_size=8).map(complet)
SIRETS = st.tuples(SIRENS, st.text(CHIFFRES, min_size=4, max_size=4)).map(lambda paire: complet("".join(paire)))


@given(SIRENS)
def test_un_siren_avec_son_chiffre_de_controle_est_valable(numero: str) -> None:
    assert organisation_numbers.siren(f"{numero[:3]} {numero[3:6]}\u00a0{numero[6:]}") == numero


@given(SIRENS, st.integers(0, 8), st.integers(1, 9))
def test_un_chiffre_faux_est_toujours_trouve(numero: str, rang: int, ecart: int) -> None:
    faux = numero[:rang] + str((int(numero[rang]) + ecart) % 10) + numero[rang + 1 :]
    with pytest.raises(IdentifiantInvalide):
        organisation_numbers.siren(faux)


@given(SIRETS)
def test_un_siret_est_valable_et_donne_son_siren(numero: str) -> None:
    assert organisation_numbers.siret(numero) == numero
    assert organisation_numbers.siren(numero) == numero[:9]


@given(SIRETS, st.integers(0, 13), st.integers(1, 9))
def test_un_chiffre_faux_d_un_siret_est_trouve(numero: str, rang: int, ecart: int) -> None:
    faux = numero[:rang] + str((int(numero[rang]) + ecart) % 10) + numero[rang + 1 :]
    if not faux.startswith(LA_POSTE):
        with pytest.raises(IdentifiantInvalide):
            organisation_numbers.siret(faux)


@given(st.text(CHIFFRES, min_size=5, max_size=5))
def test_la_poste_a_une_somme_multiple_de_cinq(etablissement: str) -> None:
    numero = LA_POSTE + etablissement
    if sum(map(int, numero)) % 5 == 0 or numero == SIEGE_DE_LA_POSTE:
        assert organisation_numbers.siret(numero) == numero
    else:
        with pytest.raises(IdentifiantInvalide):
            organisation_numbers.siret(numero)


@given(st.text(CHIFFRES + "ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=9, max_size=9))
def test_un_rna_est_un_w_et_neuf_caracteres(suite: str) -> None:
    assert organisation_numbers.rna(f" w{suite.lower()} ") == f"W{suite}"


@pytest.mark.parametrize("texte", ["", "W12345678", "W1234567890", "X595001234", "W59500123é", "595001234"])
def test_ce_qui_n_est_pas_un_rna_est_refuse(texte: str) -> None:
    with pytest.raises(IdentifiantInvalide):
        organisation_numbers.rna(texte)


@pytest.mark.parametrize("texte", ["", "12345678", "123456789", "12345678a", "٣٥٦٠٠٠٠٠٠", "12345678901234"])
def test_ce_qui_n_est_pas_un_siren_est_refuse(texte: str) -> None:
    with pytest.raises(IdentifiantInvalide):
        organisation_numbers.siren(texte)


def test_des_numeros_connus_sont_valables() -> None:
    assert organisation_numbers.siren("356 000 000") == LA_POSTE
    assert organisation_numbers.siret("356 000 000 00048") == SIEGE_DE_LA_POSTE
    assert organisation_numbers.siren("732 829 320") == "732829320"
    assert organisation_numbers.siret("73282932000074") == "73282932000074"


@pytest.mark.parametrize(
    ("texte", "phrase"),
    [
        ("", "Un numéro SIREN a neuf chiffres."),
        ("12345678", "Un numéro SIREN a neuf chiffres."),
        ("abcdefghijklmn", "Un numéro SIREN a neuf chiffres."),
        ("1234567890", "Un numéro SIREN a neuf chiffres."),
        ("732829321", "Ce numéro SIREN n’existe pas\u00a0: vérifiez ses neuf chiffres."),
        ("73282932000079", "Ce numéro SIRET n’existe pas\u00a0: vérifiez ses quatorze chiffres."),
    ],
)
def test_un_siren_refuse_dit_ce_qui_ne_va_pas(texte: str, phrase: str) -> None:
    with pytest.raises(IdentifiantInvalide) as refus:
        organisation_numbers.siren(texte)
    assert str(refus.value) == phrase


@pytest.mark.parametrize(
    ("texte", "phrase"),
    [
        ("732829320", "Un numéro SIRET a quatorze chiffres."),
        ("7328293200007x", "Un numéro SIRET a quatorze chiffres."),
        ("73282932000079", "Ce numéro SIRET n’existe pas\u00a0: vérifiez ses quatorze chiffres."),
    ],
)
def test_un_siret_refuse_dit_ce_qui_ne_va_pas(texte: str, phrase: str) -> None:
    with pytest.raises(IdentifiantInvalide) as refus:
        organisation_numbers.siret(texte)
    assert str(refus.value) == phrase
