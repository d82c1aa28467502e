"""Whoever has several profils that an annonce concerns is told of it once."""

from hypothesis import given
from hypothesis import strategies as st

from contracts.matching import CodeRaison, Destinataire, Raison
from services.matching.personnes import une_fois_par_personne
from services.matching.scoring import ordre

CRENEAUX = st.sampled_from(["samedi-matin", "samedi-soir", "dimanche-soir", "lundi-matin"])


def raison(code: CodeRaison, valeur: str = "") -> Raison:
    return Raison(code=code, valeur=valeur)


@st.composite
def destinataires(draw: st.DrawFn) -> Destinataire:
    distance = draw(st.integers(0, 5000))
    precise = [raison(CodeRaison.CRENEAU, code) for code in draw(st.lists(CRENEAUX, unique=True, max_size=2))]
    precise += draw(
        st.sampled_from([[], [raison(CodeRaison.NATURE, "materiel")], [raison(CodeRaison.CATEGORIE, "livres")]])
    )
    return Destinataire(
        profil_id=f"p{draw(st.integers(0, 10**9))}",
        compte_id=draw(st.sampled_from(["c1", "c2", "c3"])),
        distance_m=distance,
        score=draw(st.integers(0, 90)),
        raisons=[raison(CodeRaison.DISTANCE, str(distance)), *precise],
    )


TROUVES = st.lists(destinataires(), unique_by=lambda d: d.profil_id).map(lambda found: sorted(found, key=ordre))


@given(TROUVES)
def test_chacun_une_fois_par_le_meilleur_de_ses_profils(trouves: list[Destinataire]) -> None:
    personnes = une_fois_par_personne(trouves)
    assert [p.compte_id for p in personnes] == list(dict.fromkeys(d.compte_id for d in trouves))
    for personne in personnes:
        siens = [d for d in trouves if d.compte_id == personne.compte_id]
        assert [personne.profil_id, *personne.autres_profils] == [d.profil_id for d in siens]
        assert (personne.score, personne.distance_m) == (siens[0].score, siens[0].distance_m)
        assert personne.raisons[0] == siens[0].raisons[0]


@given(TROUVES)
def test_chaque_raison_est_dite_une_fois_et_aucune_n_est_inventee(trouves: list[Destinataire]) -> None:
    for personne in une_fois_par_personne(trouves):
        toutes = [r for d in trouves if d.compte_id == personne.compte_id for r in d.raisons]
        assert len(set(personne.raisons)) == len(personne.raisons)
        assert set(personne.raisons) <= set(toutes)
        for code in (CodeRaison.CRENEAU, CodeRaison.CATEGORIE):
            distinctes = {r for r in toutes if r.code is code}
            assert sum(r.code is code for r in personne.raisons) == min(3, len(distinctes))


def test_la_nature_ne_se_dit_pas_a_cote_d_une_categorie() -> None:
    def match(profil_id: str, score: int, *raisons: Raison) -> Destinataire:
        lieu = raison(CodeRaison.DISTANCE, "100")
        return Destinataire(profil_id=profil_id, compte_id="c", distance_m=100, score=score, raisons=[lieu, *raisons])

    nature, livres = raison(CodeRaison.NATURE, "materiel"), raison(CodeRaison.CATEGORIE, "livres")
    [personne] = une_fois_par_personne([match("p1", 9, nature), match("p2", 5, livres)])
    assert [r.code for r in personne.raisons] == [CodeRaison.DISTANCE, CodeRaison.CATEGORIE]
