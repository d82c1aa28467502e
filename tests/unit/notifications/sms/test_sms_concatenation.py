import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.clock import FixedClock
from services.notifications.canaux.sms.gsm7 import Codage, decouper, encoder
from services.notifications.canaux.sms.smpp.concatenation import (
    AVEC_ENTETE,
    DELAI,
    Assemblage,
    Assembleur,
    Cle,
    Partie,
    TooManyIncomplete,
    entete,
    lire_partie,
)
from services.notifications.canaux.sms.smpp.pdu import Adresse, Message, Tlv

CLE = Cle("+33612345678", "38600", 7, 3)


def message(contenu: bytes, esm_class: int = 0, data_coding: int = 0, tlv: dict[int, bytes] | None = None) -> Message:
    return Message(Adresse("33612345678", 1, 1), Adresse("38600", 3, 0), contenu, esm_class, data_coding, tlv or {})


def horloge() -> FixedClock:
    return FixedClock(dt.datetime(2026, 11, 25, 10, tzinfo=dt.UTC))


def ajouter(assembleur: Assembleur, *rangs: int) -> list[Assemblage | None]:
    return [assembleur.ajouter(CLE, Partie(b"%d" % rang, 0, 7, 3, rang)) for rang in rangs]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=200, max_size=900), st.randoms())
def test_un_long_sms_se_recompose_dans_n_importe_quel_ordre(texte: str, hasard: object) -> None:
    decoupe = decouper(texte)
    total = len(decoupe.parties)
    recues = [
        lire_partie(message(entete(9, total, rang) + encoder(partie, decoupe.codage), AVEC_ENTETE, decoupe.codage))
        for rang, partie in enumerate(decoupe.parties, start=1)
    ]
    if total == 1:
        return
    hasard.shuffle(recues)  # type: ignore[attr-defined]
    assembleur = Assembleur(horloge())
    rendus = [assembleur.ajouter(Cle("+33612345678", "38600", 9, total), partie) for partie in recues]
    assert rendus[:-1] == [None] * (total - 1)
    assert rendus[-1] is not None
    assert rendus[-1].texte() == texte


def test_un_caractere_coupe_entre_deux_parties_se_lit() -> None:
    octets = "ab😀".encode("utf-16-be")
    assembleur = Assembleur(horloge())
    cle = Cle("+33612345678", "38600", 1, 2)
    assembleur.ajouter(cle, Partie(octets[:6], Codage.UCS2, 1, 2, 1))
    entier = assembleur.ajouter(cle, Partie(octets[6:], Codage.UCS2, 1, 2, 2))
    assert entier is not None
    assert entier.texte() == "ab😀"


def test_une_partie_recue_deux_fois_ne_compte_qu_une_fois() -> None:
    assembleur = Assembleur(horloge())
    *debut, entier = ajouter(assembleur, 1, 1, 3, 2)
    assert debut == [None, None, None]
    assert entier is not None
    assert entier.texte() == "123"
    assembleur.finir(entier)
    assert ajouter(assembleur, 2) == [None]
    assert not assembleur.abandonnes()


def test_tant_que_le_message_n_est_pas_enregistre_sa_derniere_partie_le_redonne() -> None:
    assembleur = Assembleur(horloge())
    *_, premier, encore = ajouter(assembleur, 1, 2, 3, 3)
    assert premier is not None
    assert encore is premier


def test_ce_qui_reste_incomplet_est_rendu_avec_ses_trous_apres_le_delai() -> None:
    clock = horloge()
    assembleur = Assembleur(clock)
    ajouter(assembleur, 1, 3)
    assert not assembleur.abandonnes()
    clock.advance(seconds=DELAI.total_seconds())
    [abandonne] = assembleur.abandonnes()
    assert abandonne.texte() == "1[…]3"
    assembleur.finir(abandonne)
    assert not assembleur.abandonnes()


def test_des_milliers_de_messages_incomplets_ne_remplissent_pas_la_memoire() -> None:
    assembleur = Assembleur(horloge())
    for reference in range(1000):
        assembleur.ajouter(Cle("+33612345678", "38600", reference, 2), Partie(b"a", 0, reference, 2, 1))
    with pytest.raises(TooManyIncomplete):
        assembleur.ajouter(Cle("+33612345678", "38600", 1000, 2), Partie(b"a", 0, 1000, 2, 1))


@pytest.mark.parametrize(
    ("recu", "partie"),
    [
        (message(b"oui"), Partie(b"oui", 0)),
        (message(b""), Partie(b"", 0)),
        (message(b"\x05\x00\x03\x07\x02\x01oui", AVEC_ENTETE), Partie(b"oui", 0, 7, 2, 1)),
        (message(b"\x06\x08\x04\x01\x07\x02\x01oui", AVEC_ENTETE), Partie(b"oui", 0, 263, 2, 1)),
        (message(b"\x09\x24\x02ab\x00\x03\x07\x02\x02oui", AVEC_ENTETE), Partie(b"oui", 0, 7, 2, 2)),
        (
            message(
                b"oui",
                tlv={Tlv.SAR_REFERENCE: b"\x00\x07", Tlv.SAR_TOTAL: b"\x02", Tlv.SAR_RANG: b"\x01"},
            ),
            Partie(b"oui", 0, 7, 2, 1),
        ),
        # Nonsense stands for itself.
        (message(b"\x05\x00\x03\x07\x02\x00oui", AVEC_ENTETE), Partie(b"oui", 0)),
        (message(b"\x05\x00\x03\x07\x02\x03oui", AVEC_ENTETE), Partie(b"oui", 0)),
        (message(b"\x05\x00\x03\x07\x00\x00oui", AVEC_ENTETE), Partie(b"oui", 0)),
        (message(b"\x05\x00\x03\x07\x01\x01oui", AVEC_ENTETE), Partie(b"oui", 0)),
        (message(b"\xffoui", AVEC_ENTETE), Partie(b"\xffoui", 0)),
        (message(b"", AVEC_ENTETE), Partie(b"", 0)),
        (message(b"\x02\x00\xffoui", AVEC_ENTETE), Partie(b"oui", 0)),
    ],
)
def test_l_entete_d_une_partie(recu: Message, partie: Partie) -> None:
    assert lire_partie(recu) == partie


@given(st.binary(max_size=60), st.integers(0, 255), st.dictionaries(st.sampled_from(list(Tlv)), st.binary(max_size=6)))
def test_aucun_entete_ne_fait_tomber_la_lecture(contenu: bytes, esm_class: int, tlv: dict[int, bytes]) -> None:
    partie = lire_partie(message(contenu, esm_class, tlv=tlv))
    assert partie.reference is None or 1 <= partie.rang <= partie.total


def test_une_partie_redite_ne_refait_pas_le_message_et_dix_minutes_plus_tard_en_commence_un_autre() -> None:
    clock = horloge()
    assembleur = Assembleur(clock)
    *_, entier = ajouter(assembleur, 1, 2, 3)
    assert entier is not None
    assembleur.finir(entier)
    assert ajouter(assembleur, 1, 2, 3) == [None, None, None]
    clock.advance(minutes=10, seconds=1)
    *_, autre = ajouter(assembleur, 1, 2, 3)
    assert autre is not None
