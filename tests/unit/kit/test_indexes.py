"""What must be done to the indexes of a collection, given those that it has."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kit.database.indexes import Change, Index, changes

JOURS = 24 * 3600
UN_AN = Index("envois", [("cree_at", 1)], expires_s=365 * JOURS)
TEXTE = Index(
    "annonces",
    [("titre", "text"), ("description", "text")],
    name="texte",
    options={"default_language": "french", "weights": {"titre": 5, "description": 1}},
)


def existing(index: Index) -> dict[str, Any]:
    """As the server would list it."""
    found: dict[str, Any] = {"v": 2, "key": dict(index.keys), "name": index.named, **index.options}
    if "text" in found["key"].values():
        found |= {"key": {"_fts": "text", "_ftsx": 1}, "language_override": "language", "textIndexVersion": 3}
    if index.expires_s is not None:
        found["expireAfterSeconds"] = index.expires_s
    return found


ID = {"v": 2, "key": {"_id": 1}, "name": "_id_"}


def test_ce_qui_est_la_ne_change_pas() -> None:
    wanted = [UN_AN, TEXTE]
    assert changes(wanted, [ID, *map(existing, wanted)]) == []


def test_ce_qui_manque_est_cree() -> None:
    assert changes([UN_AN], [ID]) == [Change(UN_AN)]


def test_une_autre_duree_de_conservation_ne_refait_pas_l_index() -> None:
    moins = Index("envois", [("cree_at", 1)], expires_s=180 * JOURS)
    assert changes([moins], [existing(UN_AN)]) == [Change(moins, expiry_of="cree_at_1")]


def test_un_index_du_meme_nom_et_d_autres_champs_est_remplace() -> None:
    ancien = Index("envois", [("reprise_at", 1)], name="a_reprendre")
    nouveau = Index("envois", [("canal", 1), ("reprise_at", 1)], name="a_reprendre")
    assert changes([nouveau], [existing(ancien)]) == [Change(nouveau, drop=("a_reprendre",))]


def test_un_index_des_memes_champs_et_d_autres_options_est_remplace() -> None:
    ancien = Index("comptes", [("empreinte", 1)], name="par_empreinte")
    nouveau = Index("comptes", [("empreinte", 1)], options={"unique": True})
    assert changes([nouveau], [existing(ancien)]) == [Change(nouveau, drop=("par_empreinte",))]


def test_un_index_qui_n_expirait_pas_est_remplace() -> None:
    ancien = Index("envois", [("cree_at", 1)])
    assert changes([UN_AN], [existing(ancien)]) == [Change(UN_AN, drop=("cree_at_1",))]


def test_d_autres_poids_du_texte_refont_son_index() -> None:
    autres = Index(
        "annonces", TEXTE.keys, "texte", options={**TEXTE.options, "weights": {"titre": 1, "description": 1}}
    )
    assert changes([autres], [existing(TEXTE)]) == [Change(autres, drop=("texte",))]


def test_l_index_d_un_operateur_reste() -> None:
    sien = Index("envois", [("titre", 1)], name="le_sien")
    assert changes([UN_AN], [existing(UN_AN), existing(sien)]) == []


def test_deux_index_voulus_des_memes_champs_ne_se_remplacent_pas() -> None:
    entier = Index("envois", [("etat", 1)])
    partiel = Index("envois", [("etat", 1)], name="ouverts", options={"partialFilterExpression": {"ouvert": True}})
    assert changes([entier, partiel], [existing(entier), existing(partiel)]) == []


indexes = st.builds(
    lambda field, name, seconds, sparse: Index("c", [(field, 1)], name, seconds, {"sparse": True} if sparse else {}),
    st.sampled_from("abc"),
    st.sampled_from(["", "un", "deux"]),
    st.sampled_from([None, 1, 2]),
    st.booleans(),
)


@given(st.lists(indexes, max_size=3), indexes)
def test_apres_les_changements_il_n_y_a_plus_rien_a_changer(found: list[Index], wanted: Index) -> None:
    # As on a server: neither two of one name nor two of the same keys.
    listed = [existing(index) for index in {i.keys[0]: i for i in {i.named: i for i in found}.values()}.values()]
    for change in changes([wanted], listed):
        if change.expiry_of is not None:
            listed = [
                {**index, "expireAfterSeconds": wanted.expires_s} if index["name"] == change.expiry_of else index
                for index in listed
            ]
        else:
            listed = [index for index in listed if index["name"] not in change.drop] + [existing(wanted)]
    assert changes([wanted], listed) == []
    assert len({index["name"] for index in listed}) == len(listed)
