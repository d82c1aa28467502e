"""The index finds exactly what the oracle finds one by one, whatever happened to the profils before."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import references
from contracts.annonces import Annonce, EtatAnnonce
from contracts.commun import Auteur, Lieu, Nature, Sens, TypeAuteur
from contracts.matching import Destinataire, Profil
from services.matching import scoring
from services.matching.index import Index
from services.matching.vocabulary import VocabularyFull

AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def few(*codes: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(codes), max_size=3)


CATEGORIES = few("vehicule-transport", "livres", "traduction", "maraude", "code-inconnu")
CRENEAUX = few("samedi-matin", "samedi-soir", "dimanche-soir", "nuit-inconnue")
DOMAINES = few("sport-pour-tous", "sante-pour-tous", "domaine-inconnu")
CERTIFICATIONS = st.lists(st.sampled_from(["permis-b", "psc1", "rare"]), max_size=2)
# A Friday and the days after it: one weekend, a whole week, ends without a beginning and before it.
JOURS = st.one_of(st.none(), st.dates(dt.date(2026, 12, 4), dt.date(2026, 12, 14)))
NATURES = st.lists(st.sampled_from(list(Nature)), max_size=2)
COMPTES = st.sampled_from(["c1", "c2", "c3"])
# Around Lille, at the edges of cells, and where grids go wrong: the date line and the poles.
CENTRES = st.sampled_from(
    [(50.63, 3.06), (0.0, 0.0), (-17.0, 179.999), (-17.0, -179.999), (89.99, 10.0), (-89.8, -170.0), (60.0, -180.0)]
)


@st.composite
def lieux(draw: st.DrawFn) -> Lieu:
    lat, lon = draw(CENTRES)
    spread = draw(st.sampled_from([0.0, 0.02, 0.3, 1.2]))
    lat = min(90.0, max(-90.0, lat + draw(st.floats(-spread, spread))))
    lon = lon + draw(st.floats(-spread, spread))
    return Lieu(lat=lat, lon=lon - 360 if lon > 180 else lon + 360 if lon < -180 else lon)


@st.composite
def profils(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "profil_id": f"p{draw(st.integers(0, 30))}",
        "compte_id": draw(COMPTES),
        "sens": draw(st.sampled_from(list(Sens))),
        "natures": draw(NATURES),
        "domaines": draw(DOMAINES),
        "categories": draw(CATEGORIES),
        "creneaux": draw(CRENEAUX),
        "certifications": draw(CERTIFICATIONS),
        "lieu": draw(lieux()),
        "rayon_km": draw(st.sampled_from([0.5, 2, 2.01, 7, 16, 40, 64])),
        "a_distance": draw(st.booleans()),
        "mineur": draw(st.booleans()),
        "pmr": draw(st.booleans()),
        "actif": draw(st.sampled_from([True, True, True, False])),
        "cree_at": AT,
    }


@st.composite
def annonces(draw: st.DrawFn) -> Annonce:
    return Annonce(
        annonce_id="a1",
        version=1,
        etat=EtatAnnonce.PUBLIEE,
        sens=draw(st.sampled_from(list(Sens))),
        nature=draw(st.sampled_from(list(Nature))),
        titre="Titre",
        description="Description",
        domaines=draw(DOMAINES),
        categories=draw(CATEGORIES),
        creneaux=draw(CRENEAUX),
        certifications=draw(CERTIFICATIONS),
        lieu=draw(lieux()),
        a_distance=draw(st.booleans()),
        accessible_pmr=draw(st.booleans()),
        ouvert_aux_mineurs=draw(st.booleans()),
        date_debut=draw(JOURS),
        date_fin=draw(JOURS),
        sans_alerte=draw(st.sampled_from([False] * 9 + [True])),
        urgent=draw(st.booleans()),
        places=1,
        places_restantes=1,
        auteur=Auteur(type=TypeAuteur.ASSOCIATION, compte_id=draw(COMPTES)),
        deposee_at=AT,
        expire_at=AT,
    )


def brute_force(known: dict[str, Profil], annonce: Annonce) -> list[Destinataire]:
    return sorted(
        (match for profil in known.values() if (match := scoring.correspond(annonce, profil))), key=scoring.ordre
    )


UPSERT, REMOVE, REBUILD, STALE, SLOW_REBUILD = "upsert", "remove", "rebuild", "stale", "slow-rebuild"


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([UPSERT] * 8 + [REMOVE, REBUILD, STALE, SLOW_REBUILD]), profils()), max_size=60
    ),
    wanted=st.lists(annonces(), min_size=1, max_size=4),
)
def test_l_index_trouve_ce_que_trouve_un_parcours_complet(
    steps: list[tuple[str, dict[str, Any]]], wanted: list[Annonce]
) -> None:
    index, known = Index(), dict[str, Profil]()
    prepared = None
    for version, (step, values) in enumerate(steps, 1):
        profil = Profil(version=version, **values)
        if step == UPSERT:
            assert index.upsert(profil)
            known[profil.profil_id] = profil
        elif step == REMOVE:
            assert index.remove(profil.profil_id, version)
            known[profil.profil_id] = profil.model_copy(update={"actif": False})
        elif step == STALE and profil.profil_id in known:
            old = profil.model_copy(update={"version": known[profil.profil_id].version})
            assert not index.upsert(old)
            assert not index.remove(old.profil_id, old.version)
        elif step == REBUILD and prepared is None:
            index.rebuild()
        elif step == SLOW_REBUILD:
            # What happens between the two halves of a rebuild must not be lost.
            if prepared is None:
                prepared = index.prepare()
            else:
                index.swap(prepared)
                prepared = None
    assert len(index) == sum(profil.actif for profil in known.values())
    for annonce in wanted:
        assert index.search(annonce) == brute_force(known, annonce)
    if prepared is not None:
        index.swap(prepared)
    for annonce in wanted:
        assert index.search(annonce) == brute_force(known, annonce)
    index.rebuild()
    for annonce in wanted:
        assert index.search(annonce) == brute_force(known, annonce)


def simple(number: int, version: int = 1, **changes: Any) -> Profil:
    values: dict[str, Any] = {"sens": Sens.BESOIN, "lieu": Lieu(lat=50.63, lon=3.06), "rayon_km": 5, "cree_at": AT}
    return Profil(profil_id=f"p{number}", version=version, compte_id=f"c{number}", **(values | changes))


ANNONCE = Annonce(
    annonce_id="a1",
    version=1,
    etat=EtatAnnonce.PUBLIEE,
    sens=Sens.BESOIN,
    nature=Nature.MATERIEL,
    titre="Des costumes",
    description="Trente costumes",
    categories=["vetements-costumes"],
    lieu=Lieu(lat=50.63, lon=3.06),
    places=30,
    places_restantes=30,
    auteur=Auteur(type=TypeAuteur.ASSOCIATION, compte_id="auteur"),
    deposee_at=AT,
    expire_at=AT,
)


def test_les_places_des_profils_partis_resservent() -> None:
    index = Index()
    for turn in range(1, 6):
        for number in range(2000):
            index.upsert(simple(number, version=turn))
        index.rebuild()
    assert len(index) == 2000
    assert index._used <= 4000
    assert len(index.search(ANNONCE)) == 2000


def test_un_vieil_evenement_ne_ramene_pas_un_profil() -> None:
    index = Index()
    index.upsert(simple(1, version=1))
    assert index.remove("p1", 3)
    assert not index.upsert(simple(1, version=2))
    assert index.search(ANNONCE) == []
    assert index.upsert(simple(1, version=4))
    assert [match.profil_id for match in index.search(ANNONCE)] == ["p1"]


def test_un_retrait_qui_depasse_son_profil_l_emporte() -> None:
    index = Index()
    assert index.remove("p1", 2)
    assert not index.upsert(simple(1, version=1))
    assert len(index) == 0


def test_l_index_demande_une_reconstruction_quand_beaucoup_a_change() -> None:
    index = Index()
    for number in range(5000):
        index.upsert(simple(number))
    assert index.wants_rebuild
    index.rebuild()
    assert not index.wants_rebuild


def test_un_flot_de_codes_inconnus_est_refuse_sans_gener_personne() -> None:
    index = Index()
    spare = 64 - len(references.categories())
    for number in range(spare):
        assert index.upsert(simple(number, categories=[f"nouveau-{number}"]))
    with pytest.raises(VocabularyFull):
        index.upsert(simple(spare, categories=["un-de-trop"]))
    assert index.upsert(simple(spare, categories=["vetements-costumes"]))
    assert [match.profil_id for match in index.search(ANNONCE)] == [f"p{spare}"]


def test_une_version_qu_aucune_colonne_ne_tient_est_refusee_sans_gener_personne() -> None:
    index = Index()
    assert index.upsert(simple(1, categories=["vetements-costumes"]))
    for version in (10**10, 10**30):
        with pytest.raises(OverflowError):
            index.upsert(simple(1, version=version))
    assert [match.profil_id for match in index.search(ANNONCE)] == ["p1"]


def test_ce_qui_est_trouve_est_un_evenement_valide() -> None:
    index = Index()
    index.upsert(simple(1, categories=["vetements-costumes"]))
    (match,) = index.search(ANNONCE)
    assert Destinataire.model_validate_json(match.model_dump_json()) == match
