import asyncio
from collections.abc import Callable, Sequence

import pytest

from contracts.notifications import Canal as NomDeCanal
from services.notifications.canaux.base import (
    Colis,
    EchecRemise,
    Inconnu,
    Injoignable,
    Issue,
    NousRefuse,
    Permanent,
    Recu,
    Temporaire,
)
from services.notifications.canaux.sms.canal import CanalSms
from services.notifications.canaux.sms.fournisseur import Sature
from tests.unit.notifications.aiguillage import Notes
from tests.unit.notifications.sms.smsc import session, smsc

NUMERO = "+33612345678"


class Fournisseur:
    """Answers by `issue`, which it is asked for each message."""

    def __init__(self, nom: str, issue: Callable[[], EchecRemise | None] = lambda: None, *, pret: bool = True) -> None:
        self.nom = nom
        self.issue = issue
        self.est_pret = pret
        self.demandes: list[str] = []

    async def pret(self) -> None:
        if not self.est_pret:
            raise Injoignable("absent", self.nom)

    async def envoyer(self, numero: str, texte: str, envoi_id: str) -> Recu:
        self.demandes.append(envoi_id)
        await asyncio.sleep(0)
        if echec := self.issue():
            raise echec
        return Recu(self.nom, f"{self.nom}-{envoi_id}")


def colis(combien: int = 1) -> list[Colis]:
    return [Colis(f"e{numero}", NUMERO, "bonjour") for numero in range(combien)]


async def remettre(*fournisseurs: Fournisseur, combien: int = 1) -> tuple[Sequence[Issue], Notes]:
    aiguillage = Notes(*(fournisseur.nom for fournisseur in fournisseurs))
    connexion = CanalSms(fournisseurs, aiguillage).connexion()
    return await connexion.remettre(colis(combien), lambda: True), aiguillage


@pytest.mark.parametrize("echec", [Injoignable("absent", "a"), Sature("smpp 0x58", "a")])
async def test_quand_un_fournisseur_manque_l_autre_prend_le_message(echec: EchecRemise) -> None:
    a, b = Fournisseur("a", lambda: echec), Fournisseur("b")
    issues, aiguillage = await remettre(a, b)
    assert issues == [Recu("b", "b-e0")]
    assert aiguillage.notes == [("a", False), ("b", True)]


@pytest.mark.parametrize(
    ("echec", "succes"),
    [(Inconnu("sans réponse", "a"), False), (Permanent("smpp 0x0b", "a"), True), (Temporaire("smpp 0x08", "a"), False)],
)
async def test_ce_qui_est_pris_ou_refuse_n_est_pas_propose_a_l_autre(echec: EchecRemise, succes: bool) -> None:
    a, b = Fournisseur("a", lambda: echec), Fournisseur("b")
    issues, aiguillage = await remettre(a, b)
    assert issues == [echec]
    assert not b.demandes
    assert aiguillage.notes == [("a", succes)]


async def test_un_inconnu_de_l_autre_arrete_aussi() -> None:
    inconnu = Inconnu("sans réponse", "b")
    a, b, c = Fournisseur("a", lambda: Injoignable("absent")), Fournisseur("b", lambda: inconnu), Fournisseur("c")
    issues, _ = await remettre(a, b, c)
    assert issues == [inconnu]
    assert not c.demandes


async def test_quand_tous_manquent_le_reste_du_lot_n_est_pas_commence() -> None:
    a, b = (Fournisseur(nom, lambda: Injoignable("absent")) for nom in "ab")
    issues, _ = await remettre(a, b, combien=25)
    assert len(issues) == 25
    assert {type(issue) for issue in issues} == {Injoignable}
    assert len(a.demandes) == len(b.demandes) == 10


async def test_un_fournisseur_occupe_n_est_pas_un_fournisseur_absent() -> None:
    a, b = Fournisseur("a", lambda: Sature("smpp 0x58")), Fournisseur("b", lambda: Injoignable("absent"))
    issues, _ = await remettre(a, b, combien=12)
    assert {type(issue) for issue in issues} == {Sature}
    assert len(a.demandes) == 12


async def test_un_fournisseur_qui_nous_refuse_laisse_la_place_a_l_autre_et_ne_recoit_plus_rien() -> None:
    a, b = Fournisseur("a", lambda: NousRefuse("http 402", "a")), Fournisseur("b")
    connexion = CanalSms([a, b], Notes("a", "b")).connexion()
    for _ in range(2):
        assert {type(issue) for issue in await connexion.remettre(colis(3), lambda: True)} == {Recu}
    assert (len(a.demandes), len(b.demandes)) == (3, 6)


async def test_quand_tous_nous_refusent_rien_n_est_reclame() -> None:
    a = Fournisseur("a", lambda: NousRefuse("http 401", "a"))
    connexion = CanalSms([a], Notes("a")).connexion()
    issues = await connexion.remettre(colis(25), lambda: True)
    assert {type(issue) for issue in issues} == {NousRefuse, Injoignable}
    with pytest.raises(NousRefuse):
        await connexion.preparer()


async def test_un_numero_toujours_refuse_comme_si_c_etait_nous_ne_retient_pas_les_autres() -> None:
    reponses = iter([NousRefuse("http 403", "a"), None, None])
    a = Fournisseur("a", lambda: next(reponses))
    connexion = CanalSms([a], Notes("a")).connexion()
    assert [type(i) for i in await connexion.remettre(colis(3), lambda: True)] == [Temporaire, Recu, Recu]
    await connexion.preparer()


async def test_chaque_issue_est_a_la_place_de_son_colis() -> None:
    a = Fournisseur("a", lambda: Permanent("smpp 0x0b", "a") if len(a.demandes) % 2 else None)
    issues, _ = await remettre(a, combien=23)
    assert a.demandes == [f"e{numero}" for numero in range(23)]
    assert len(issues) == 23
    assert all(issue.reference == f"a-e{rang}" for rang, issue in enumerate(issues) if isinstance(issue, Recu))


async def test_rien_ne_commence_quand_le_bail_n_est_plus_tenu() -> None:
    a = Fournisseur("a")
    tenus = iter([True, True, False])
    connexion = CanalSms([a], Notes("a")).connexion()
    issues = await connexion.remettre(colis(15), lambda: next(tenus, False))
    assert [type(issue) for issue in issues] == [Recu, Recu, *[Injoignable] * 13]
    assert a.demandes == ["e0", "e1"]


async def test_un_seul_fournisseur_pret_suffit() -> None:
    a, b = Fournisseur("a", pret=False), Fournisseur("b")
    await CanalSms([a, b], Notes("a", "b")).connexion().preparer()
    with pytest.raises(Injoignable):
        await CanalSms([a], Notes("a")).connexion().preparer()


async def test_un_mail_n_est_pas_un_sms() -> None:
    connexion = CanalSms([Fournisseur("a")], Notes("a")).connexion()
    [issue] = await connexion.remettre([Colis("e", NUMERO, b"mail")], lambda: True)
    assert isinstance(issue, Permanent)


def test_le_canal_a_besoin_de_fournisseurs_distincts() -> None:
    assert CanalSms([Fournisseur("a")], Notes("a")).nom is NomDeCanal.SMS
    for fournisseurs in ([], [Fournisseur("a"), Fournisseur("a")]):
        with pytest.raises(ValueError, match="providers"):
            CanalSms(fournisseurs, Notes("a"))


async def test_un_smsc_tue_pendant_le_flux_laisse_la_place_a_l_autre() -> None:
    async with smsc() as tue, smsc() as vivant:
        async with session(tue, nom="a") as premiere, session(vivant, nom="b") as seconde:
            connexion = CanalSms([premiere, seconde], Notes("a", "b")).connexion()
            await connexion.preparer()
            avant = await connexion.remettre(colis(3), lambda: True)
            await tue.mourir()
            await tue.couper()
            pendant = await connexion.remettre(colis(20), lambda: True)
            apres = await connexion.remettre(colis(5), lambda: True)
            await connexion.fermer()
    assert {issue.fournisseur for issue in avant if isinstance(issue, Recu)} == {"a"}
    assert all(isinstance(issue, Recu | Inconnu) for issue in pendant)
    assert [issue.fournisseur for issue in apres if isinstance(issue, Recu)] == ["b"] * 5
