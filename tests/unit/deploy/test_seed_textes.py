"""What ./place seed writes is accepted, whatever the seed."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.seed import textes
from services.annonces import organisation_numbers


@given(st.integers(0, 10**9), st.integers(1, 3))
def test_toute_graine_donne_des_associations_aux_numeros_bien_faits(graine: int, nombre: int) -> None:
    numeros = [corps["rna"] for corps in textes.associations(nombre, graine)]
    assert [organisation_numbers.rna(numero) for numero in numeros] == numeros
    assert len(set(numeros)) == nombre
