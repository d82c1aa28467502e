import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.canaux.sms.numeros import NumeroInvalide, lire, lire_expediteur, masquer


@pytest.mark.parametrize(
    ("saisie", "e164"),
    [
        ("06 12 34 56 78", "+33612345678"),
        ("06.12.34.56.78", "+33612345678"),
        ("07-45-12-34-56", "+33745123456"),
        ("0033 6 12 34 56 78", "+33612345678"),
        ("+33 (0)6 12 34 56 78", "+33612345678"),
        ("33612345678", "+33612345678"),
        ("tel:+33612345678", "+33612345678"),
        ("\u202a+33\u00a06\u00a012\u00a034\u00a056\u00a078\u202c", "+33612345678"),
        ("٠٦١٢٣٤٥٦٧٨", "+33612345678"),
        ("0692 12 34 56", "+262692123456"),
        ("0690 12 34 56", "+590690123456"),
        ("0696 12 34 56", "+596696123456"),
        ("0694 12 34 56", "+594694123456"),
        ("+33 692 12 34 56", "+262692123456"),
        ("+32 470 12 34 56", "+32470123456"),
        ("+44 7911 123456", "+447911123456"),
        # Numbers for fiction, of seeds and demonstrations.
        ("06 39 98 12 34", "+33639981234"),
        ("+33 (0)6 39 98 12 34", "+33639981234"),
    ],
)
def test_ce_que_les_gens_ecrivent(saisie: str, e164: str) -> None:
    assert lire(saisie) == e164
    assert lire(e164) == e164


@pytest.mark.parametrize(
    ("saisie", "raison"),
    [
        ("", "Indiquez"),
        ("   ", "Indiquez"),
        ("bonjour", "pas un numéro de téléphone"),
        ("06 12 34 56 78 poste 5", "pas un numéro de téléphone"),
        ("0" * 500, "pas un numéro de téléphone"),
        ("3615", "numéros courts"),
        ("15", "numéros courts"),
        ("38600", "numéros courts"),
        ("123456", "numéros courts"),
        ("1234567", "n’existe pas"),
        ("03 20 12 34 56", "ligne fixe"),
        ("0262 12 34 56", "ligne fixe"),
        ("09 12 34 56 78", "ligne fixe"),
        ("+32 2 555 12 12", "ligne fixe"),
        ("0899 12 34 56", "numéro spécial"),
        ("0806 12 34 56", "numéro spécial"),
        ("06 12 34 56", "n’existe pas"),
        ("06 12 34 56 78 06 12 34 56 78", "n’existe pas"),
        ("+999 123 456 789", "n’existe pas"),
    ],
)
def test_ce_qui_ne_recoit_pas_de_sms_est_refuse_avec_une_phrase(saisie: str, raison: str) -> None:
    with pytest.raises(NumeroInvalide, match=raison):
        lire(saisie)


@given(st.text(max_size=60) | st.text("0123456789+ ().-/", max_size=30))
def test_aucune_saisie_ne_fait_tomber_la_lecture(saisie: str) -> None:
    try:
        e164 = lire(saisie)
    except NumeroInvalide:
        return
    assert e164[0] == "+"
    assert e164[1:].isascii()
    assert e164[1:].isdigit()
    assert lire(e164) == e164


@pytest.mark.parametrize(
    ("adresse", "international", "e164"),
    [
        ("33612345678", True, "+33612345678"),
        ("+33612345678", False, "+33612345678"),
        ("33612345678", False, "+33612345678"),
        ("0033612345678", False, "+33612345678"),
        ("0612345678", False, "+33612345678"),
        ("0692123456", False, "+262692123456"),
        ("0320123456", False, "+33320123456"),
        ("MAIRIE", False, None),
        ("38600", False, None),
        ("", False, None),
        ("0000000000", True, None),
        ("٠٦١٢٣٤٥٦٧٨", False, None),
    ],
)
def test_qui_a_ecrit(adresse: str, international: bool, e164: str | None) -> None:
    assert lire_expediteur(adresse, international=international) == e164


@pytest.mark.parametrize(
    ("e164", "masque"),
    [
        ("+33612345678", "06 •• •• •• 78"),
        ("+262692123456", "06 •• •• •• 56"),
        ("+32470123456", "+32 •• •• •• 56"),
        ("rien", "••"),
    ],
)
def test_un_numero_masque_se_reconnait_sans_se_composer(e164: str, masque: str) -> None:
    assert masquer(e164).replace("\u00a0", " ") == masque


@pytest.mark.parametrize(
    ("adresse", "e164"),
    [
        ("+1234567", "+1234567"),
        ("+123456", None),
        ("+123456789012345", "+123456789012345"),
        ("+1234567890123456", None),
        ("00123456789012345", "+123456789012345"),
        ("001234567890123456", None),
        ("+0612345678", None),
        ("PLACE", None),
        ("36180", None),
    ],
)
def test_on_ne_repond_qu_a_un_numero_de_longueur_possible(adresse: str, e164: str | None) -> None:
    assert lire_expediteur(adresse, international=adresse.startswith("+")) == e164
