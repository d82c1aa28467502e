"""A lot in one breath: every answer belongs to its message, whatever a relay does in the middle."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifications.canaux.base import Colis, Inconnu, Injoignable, Issue, Permanent, Recu, Temporaire
from services.notifications.canaux.email.canal import CanalEmail
from tests.attente import Bientot
from tests.unit.notifications.email.relais_smtp import RACCROCHER, SE_TAIRE, Relais, Reponse, Script, relais

TROIS = ("a@exemple.fr", "b@exemple.fr", "c@exemple.fr")
SANS_GROUPE = ("8BITMIME",)
AVEC_GROUPE = ("PIPELINING", "8BITMIME")


def lot(*adresses: str) -> list[Colis]:
    return [Colis(f"envoi{rang}", adresse, b"Subject: x\r\n\r\nbonjour\r\n") for rang, adresse in enumerate(adresses)]


async def remettre(faux: Relais, *adresses: str, delai_s: float = 30.0) -> list[Issue]:
    connexion = CanalEmail(faux.url, "nous@exemple.fr", delai_s=delai_s).connexion()
    try:
        return await connexion.remettre(lot(*adresses), lambda: True)
    finally:
        await connexion.fermer()


def pour(adresse: str, mot: str, reponse: Reponse) -> Script:
    return lambda m, ligne: reponse if m == mot and ligne == adresse else None


def types(issues: list[Issue]) -> list[type]:
    return [type(issue) for issue in issues]


def motif(issue: Issue) -> str:
    assert not isinstance(issue, Recu)
    return issue.motif


async def test_un_lot_fait_un_aller_retour_par_courriel() -> None:
    # The relay answers nothing before it has read a whole group: the content of one mail, the envelope of the next.
    async with relais(retient=3) as faux:
        assert types(await remettre(faux, *TROIS)) == [Recu, Recu, Recu]
    assert [adresse for adresse, _ in faux.livres] == list(TROIS)


async def test_sans_pipelining_chaque_commande_attend_sa_reponse() -> None:
    async with relais(extensions=SANS_GROUPE) as faux:
        assert types(await remettre(faux, *TROIS)) == [Recu, Recu, Recu]
    assert faux.mots == ["EHLO", *["MAIL", "RCPT", "DATA", "."] * 3, "QUIT"]


@pytest.mark.parametrize("extensions", [AVEC_GROUPE, SANS_GROUPE])
async def test_un_destinataire_refuse_ne_gene_pas_ses_voisins(extensions: tuple[str, ...]) -> None:
    async with relais(pour("b@exemple.fr", "RCPT", "550 5.1.1 <b@exemple.fr> inconnu"), extensions) as faux:
        issues = await remettre(faux, *TROIS)
    assert types(issues) == [Recu, Permanent, Recu]
    assert motif(issues[1]) == "smtp 550 5.1.1"
    assert [adresse for adresse, _ in faux.livres] == ["a@exemple.fr", "c@exemple.fr"]


async def test_un_corps_accepte_pour_un_destinataire_refuse_finit_vide() -> None:
    def script(mot: str, ligne: str) -> str | None:
        if mot == "RCPT" and ligne == "b@exemple.fr":
            return "550 5.1.1 inconnu"
        return "354 quand meme" if mot == "DATA" else None

    async with relais(script, AVEC_GROUPE) as faux:
        issues = await remettre(faux, *TROIS)
    assert types(issues) == [Recu, Permanent, Recu]
    assert motif(issues[1]) == "smtp 550 5.1.1"
    assert [(adresse, contenu) for adresse, contenu in faux.livres if b"bonjour" not in contenu] == []
    assert faux.mots.count(".") == 3


@pytest.mark.parametrize("extensions", [AVEC_GROUPE, SANS_GROUPE])
async def test_une_liste_grise_est_temporaire(extensions: tuple[str, ...]) -> None:
    async with relais(pour("a@exemple.fr", "RCPT", "451 4.7.1 revenez"), extensions) as faux:
        issues = await remettre(faux, *TROIS)
    assert types(issues) == [Temporaire, Recu, Recu]
    assert motif(issues[0]) == "smtp 451 4.7.1"


@pytest.mark.parametrize("extensions", [AVEC_GROUPE, SANS_GROUPE])
async def test_un_421_avant_le_destinataire_finit_le_lot_et_ne_perd_rien(extensions: tuple[str, ...]) -> None:
    vus: list[str] = []

    def script(m: str, ligne: str) -> str | None:
        if m == "MAIL":
            vus.append(m)
        return "421 4.3.2 fermeture" if m == "MAIL" and len(vus) == 2 else None

    async with relais(script, extensions) as faux:
        issues = await remettre(faux, *TROIS)
    assert types(issues) == [Recu, Injoignable, Injoignable]
    assert [motif(issue) for issue in issues[1:]] == ["smtp 421 4.3.2", "smtp coupé"]
    assert len(faux.livres) == 1


@pytest.mark.parametrize("reponse", ["421 4.7.0 Try again later", "421 4.3.2 closing", "421 plus tard"])
@pytest.mark.parametrize("mot", ["RCPT", "DATA", "."])
@pytest.mark.parametrize("rang", [0, 1, 2])
@pytest.mark.parametrize("extensions", [AVEC_GROUPE, SANS_GROUPE])
async def test_un_421_pour_un_destinataire_ne_retarde_que_lui(
    extensions: tuple[str, ...], rang: int, mot: str, reponse: str
) -> None:
    async with relais(pour(TROIS[rang], mot, reponse), extensions) as faux:
        issues = await remettre(faux, *TROIS)
    assert isinstance(issues[rang], Temporaire)
    assert [type(issue) for autre, issue in enumerate(issues) if autre != rang] == [Recu, Recu]
    assert [adresse for adresse, _ in faux.livres] == [adresse for adresse in TROIS if adresse != TROIS[rang]]


async def test_deux_destinataires_a_421_ne_retiennent_pas_le_troisieme() -> None:
    def script(mot: str, ligne: str) -> Reponse:
        return "421 4.7.0 plus tard" if mot == "RCPT" and ligne != TROIS[2] else None

    async with relais(script) as faux:
        assert [isinstance(issue, Temporaire) for issue in await remettre(faux, *TROIS)] == [True, True, False]
    assert [adresse for adresse, _ in faux.livres] == [TROIS[2]]


async def test_un_seul_message_a_421_perd_une_tentative_a_chaque_fois() -> None:
    async with relais(pour(TROIS[0], "RCPT", "421 4.7.0 plus tard")) as faux:
        (issue,) = await remettre(faux, TROIS[0])
    assert isinstance(issue, Temporaire)


async def test_un_relais_qui_dit_421_a_tous_ne_coute_de_tentative_a_personne() -> None:
    async with relais(lambda mot, ligne: "421 4.7.0 plus tard" if mot == "RCPT" else None) as faux:
        assert types(await remettre(faux, *TROIS)) == [Injoignable] * 3


@pytest.mark.parametrize("extensions", [AVEC_GROUPE, SANS_GROUPE])
async def test_une_coupure_apres_le_contenu_n_est_inconnue_que_pour_ce_courriel(extensions: tuple[str, ...]) -> None:
    async with relais(pour("b@exemple.fr", ".", RACCROCHER), extensions) as faux:
        issues = await remettre(faux, *TROIS)
    assert types(issues) == [Recu, Inconnu, Injoignable]
    assert [motif(issue) for issue in issues[1:]] == ["smtp sans réponse", "smtp coupé"]


@pytest.mark.parametrize(
    ("mot", "attendu"), [("MAIL", Injoignable), ("RCPT", Injoignable), ("DATA", Injoignable), (".", Inconnu)]
)
@pytest.mark.parametrize("extensions", [AVEC_GROUPE, SANS_GROUPE])
async def test_un_relais_qui_se_tait_laisse_une_issue_inconnue(
    extensions: tuple[str, ...], mot: str, attendu: type
) -> None:
    async with relais(lambda m, ligne: SE_TAIRE if m == mot else None, extensions) as faux:
        issues = await remettre(faux, *TROIS, delai_s=0.2)
    assert types(issues) == [attendu, Injoignable, Injoignable]


@pytest.mark.parametrize(
    "bruit", ["250-ok\r\n550 non", "bonjour", "25", "100 quoi", "250 ok\r\n250 encore", "2" * 9000]
)
async def test_ce_qui_n_est_pas_du_smtp_finit_la_session_sans_rien_livrer_en_secret(bruit: str) -> None:
    async with relais(pour("b@exemple.fr", "RCPT", bruit), SANS_GROUPE) as faux:
        issues = await remettre(faux, *TROIS)
    assert types(issues)[0] is Recu
    assert types(issues)[2] is Injoignable
    assert not [adresse for adresse, _ in faux.livres if adresse == "c@exemple.fr"]


async def test_une_connexion_fermee_au_repos_est_rouverte(
    bientot: Bientot,
) -> None:
    async with relais() as faux:
        connexion = CanalEmail(faux.url, "nous@exemple.fr").connexion()
        await connexion.preparer()
        await faux.fermer()
        await bientot(lambda: not any(dialogue.ouvert for dialogue in connexion._dialogues.values()))
        assert types(await connexion.remettre(lot("a@exemple.fr"), lambda: True)) == [Recu]
        await connexion.fermer()
    assert faux.mots.count("EHLO") == 2


async def test_une_reponse_non_demandee_n_est_pas_donnee_au_courriel_suivant() -> None:
    async with relais(pour("a@exemple.fr", ".", "250 ok\r\n550 5.1.1 de trop")) as faux:
        connexion = CanalEmail(faux.url, "nous@exemple.fr").connexion()
        assert types(await connexion.remettre(lot("a@exemple.fr"), lambda: True)) == [Recu]
        assert types(await connexion.remettre(lot("b@exemple.fr"), lambda: True)) == [Recu]
        await connexion.fermer()
    assert faux.mots.count("EHLO") == 2


async def test_un_bail_qui_finit_pendant_l_offre_reprend_le_courriel() -> None:
    demandes = iter([True, False, False])
    async with relais() as faux:
        connexion = CanalEmail(faux.url, "nous@exemple.fr").connexion()
        issues = await connexion.remettre(lot(*TROIS), lambda: next(demandes, False))
        await connexion.fermer()
    assert types(issues) == [Injoignable] * 3
    assert faux.livres == []


async def test_un_lot_annule_ne_laisse_aucune_connexion() -> None:
    atteint = asyncio.Event()

    def script(mot: str, ligne: str) -> Reponse:
        if mot != ".":
            return None
        atteint.set()
        return SE_TAIRE

    async with relais(script) as faux:
        connexion = CanalEmail(faux.url, "nous@exemple.fr").connexion()
        tache = asyncio.create_task(connexion.remettre(lot(*TROIS), lambda: True))
        await atteint.wait()
        tache.cancel()
        with pytest.raises(asyncio.CancelledError):
            await tache
        assert not any(dialogue.ouvert for dialogue in connexion._dialogues.values())
        await connexion.fermer()


REPONSES = st.sampled_from([None, "451 4.3.0 non", "550 5.1.1 non", "421 4.3.2 adieu", RACCROCHER])
MESSAGE = st.fixed_dictionaries({}, optional=dict.fromkeys(("MAIL", "RCPT", "DATA", "."), REPONSES))


@settings(max_examples=120, deadline=None)
@given(
    scripts=st.lists(MESSAGE, min_size=1, max_size=6),
    groupe=st.booleans(),
    data_malgre_tout=st.booleans(),
    tenues=st.integers(0, 14),
)
async def test_tout_melange_de_reponses_donne_a_chaque_courriel_son_issue(
    scripts: list[dict[str, Reponse]], groupe: bool, data_malgre_tout: bool, tenues: int
) -> None:
    adresses = [f"p{rang}@exemple.fr" for rang in range(len(scripts))]
    # A message is known by its MAIL … SIZE: the relay sees RCPT only afterwards.
    messages = [Colis(f"envoi{rang}", a, b"x" * (rang + 1) + b"\r\n") for rang, a in enumerate(adresses)]
    courant = -1
    commences: set[int] = set()

    def script(mot: str, ligne: str) -> Reponse:
        nonlocal courant
        if mot == "MAIL":
            courant = int(ligne.rpartition("SIZE=")[2].split()[0]) - 3
            commences.add(courant)
        reponse = scripts[courant].get(mot) if courant >= 0 else None
        return reponse or ("354 go" if mot == "DATA" and data_malgre_tout else None)

    accords = 0

    def tenu() -> bool:
        nonlocal accords
        accords += 1
        return accords <= tenues

    async with relais(script, ("SIZE", *(["PIPELINING"] if groupe else []))) as faux:
        connexion = CanalEmail(faux.url, "nous@exemple.fr").connexion()
        issues = await connexion.remettre(messages, tenu)
        await connexion.fermer()

    assert len(issues) == len(messages)
    assert len(commences) <= tenues
    pris = {adresse for adresse, contenu in faux.livres if contenu}
    for adresse, issue in zip(adresses, issues, strict=True):
        if isinstance(issue, Recu):
            assert adresse in pris
        elif adresse in pris:
            assert isinstance(issue, Inconnu)
    for rang, issue in enumerate(issues):
        if isinstance(issue, Permanent | Temporaire):
            assert any(isinstance(r, str) and r.startswith(motif(issue)[5:]) for r in scripts[rang].values()) or (
                data_malgre_tout
            )
