"""A code by mail opens a session for who asked for it; whoever else tries does them no harm."""

import pytest

from gateway.domain import CODE_LONG, CODE_TRIES, CODES_PAR_SOURCE
from kit.ids import new_id
from tests.integration.gateway.banc import Banc

ICI = {"sec-fetch-site": "same-origin"}


def adresse() -> str:
    return f"{new_id()}@exemple.fr"


def faux(juste: str) -> str:
    return "000000" if juste != "000000" else "111111"


async def test_les_essais_d_un_inconnu_ne_brulent_pas_le_code_de_qui_l_a_demande(banc: Banc) -> None:
    email = adresse()
    async with banc.visitor("203.0.113.20") as moi, banc.visitor("203.0.113.66") as inconnu:
        await moi.post("/v1/comptes/code", json={"email": email})
        juste = banc.code_for(email)
        for demande in ({}, {"demande": "une-demande-inventee"}):
            for _ in range(CODE_TRIES + 1):
                essai = {"email": email, "code": faux(juste), **demande}
                assert (await inconnu.post("/v1/sessions", json=essai)).status_code == 422
        assert (await moi.post("/v1/sessions", json={"email": email, "code": juste})).status_code == 201


async def test_les_essais_d_un_voisin_de_reseau_ne_brulent_pas_le_code_du_navigateur(banc: Banc) -> None:
    email = adresse()
    async with banc.visitor("203.0.113.21") as moi, banc.visitor("203.0.113.21") as voisin:
        await moi.post("/v1/comptes/code", json={"email": email})
        juste = banc.code_for(email)
        for _ in range(CODE_TRIES + 1):
            await voisin.post("/v1/sessions", json={"email": email, "code": faux(juste)})
        assert (await moi.post("/v1/sessions", json={"email": email, "code": juste})).status_code == 201


async def test_un_code_vu_par_un_autre_ne_lui_ouvre_rien(banc: Banc) -> None:
    email = adresse()
    async with banc.visitor("203.0.113.22") as moi, banc.visitor("203.0.113.67") as indiscret:
        await moi.post("/v1/comptes/code", json={"email": email})
        essai = {"email": email, "code": banc.code_for(email)}
        assert (await indiscret.post("/v1/sessions", json=essai)).status_code == 422
        assert (await moi.post("/v1/sessions", json=essai)).status_code == 201


async def test_apres_cinq_essais_faux_de_qui_l_a_demande_le_code_est_perdu(banc: Banc) -> None:
    email = adresse()
    demande = (await banc.client.post("/v1/comptes/code", json={"email": email})).json()["demande"]
    juste = banc.code_for(email)
    for _ in range(CODE_TRIES):
        essai = {"email": email, "code": faux(juste), "demande": demande}
        assert (await banc.client.post("/v1/sessions", json=essai)).status_code == 422
    for autre in ({"demande": demande}, {}):
        tard = await banc.client.post("/v1/sessions", json={"email": email, "code": juste, **autre})
        assert (tard.status_code, tard.json()["erreurs"][0]["champ"]) == (422, "code")


async def test_un_programme_sans_cookie_renvoie_la_demande_ou_revient_du_meme_reseau(banc: Banc) -> None:
    email = adresse()
    async with banc.visitor("203.0.113.23") as chez_moi, banc.visitor("198.51.100.23") as ailleurs:
        demande = (await chez_moi.post("/v1/comptes/code", json={"email": email})).json()["demande"]
        essai = {"email": email, "code": banc.code_for(email), "demande": demande}
        assert (await ailleurs.post("/v1/sessions", json=essai)).status_code == 201
    async with banc.visitor("2001:db8:1:2::1") as demandeur, banc.visitor("2001:db8:1:2::ffff") as meme_foyer:
        await demandeur.post("/v1/comptes/code", json={"email": email})
        essai = {"email": email, "code": banc.code_for(email)}
        assert (await meme_foyer.post("/v1/sessions", json=essai)).status_code == 201


async def test_deux_navigateurs_demandent_chacun_leur_code(banc: Banc) -> None:
    email = adresse()
    async with banc.visitor("203.0.113.24") as salon, banc.visitor("203.0.113.24") as bureau:
        codes = []
        for navigateur in (salon, bureau):
            await navigateur.post("/v1/comptes/code", json={"email": email})
            codes.append(banc.code_for(email))
        for navigateur, code in ((salon, codes[0]), (bureau, codes[1])):
            assert (await navigateur.post("/v1/sessions", json={"email": email, "code": code})).status_code == 201


async def test_les_pages_suffisent_sans_javascript_et_le_code_est_lu_ailleurs(banc: Banc) -> None:
    email = adresse()
    async with banc.visitor("203.0.113.25", **ICI) as navigateur, banc.visitor("203.0.113.68", **ICI) as inconnu:
        demande = await navigateur.post("/connexion", data={"email": email, "retour": "/mon-compte"})
        assert demande.headers["location"] == "/connexion/code?retour=%2Fmon-compte"
        juste = banc.code_for(email)
        inconnu.cookies.set("__Host-adresse", email, domain="place.test", path="/")
        for _ in range(CODE_TRIES + 1):
            assert (await inconnu.post("/connexion/code", data={"code": faux(juste)})).status_code == 422
        entre = await navigateur.post("/connexion/code", data={"code": juste, "retour": "/mon-compte"})
        assert (entre.status_code, entre.headers["location"]) == (303, "/mon-compte")
        assert (await navigateur.get("/v1/compte")).status_code == 200
        assert {"__Host-demande", "__Host-adresse"}.isdisjoint(navigateur.cookies)


@pytest.mark.parametrize("reglages", [{"limite_essais_par_ip_heure": 300}], indirect=True)
async def test_quatre_cents_codes_faux_d_une_source_la_font_attendre_et_elle_seule(banc: Banc) -> None:
    email = adresse()
    reseau = f"2001:db8:{new_id()[:4]}"
    async with banc.visitor(f"{reseau}:1::1") as attaquant, banc.visitor(f"{reseau}:2::1") as moi:
        await moi.post("/v1/comptes/code", json={"email": email})
        juste = banc.code_for(email)
        statuts = [
            (await attaquant.post("/v1/sessions", json={"email": email, "code": faux(juste)})).status_code
            for _ in range(400)
        ]
        assert statuts == [422] * 300 + [429] * 100
        # Right or wrong: a refusal must not tell.
        refus = await attaquant.post("/v1/sessions", json={"email": email, "code": juste})
        assert (refus.status_code, int(refus.headers["retry-after"]) > 0) == (429, True)
        assert (await moi.post("/v1/sessions", json={"email": email, "code": juste})).status_code == 201


async def test_qui_inonde_une_adresse_n_en_ferme_la_porte_a_personne(banc: Banc) -> None:
    """From one source or from many: a handful of mails, and her owner gets in, from where he never was before."""
    email = adresse()
    async with banc.visitor("203.0.113.30") as avant, banc.visitor("203.0.113.31") as apres:
        await avant.post("/v1/comptes/code", json={"email": email})
        premier = banc.code_for(email)
        for n in range(60):
            async with banc.visitor(f"198.18.{n % 3}.{n}") as inconnu:
                for _ in range(3):
                    assert (await inconnu.post("/v1/comptes/code", json={"email": email})).status_code == 202
        envoyes = banc.codes_for(email)
        assert len(envoyes) <= 10
        # What he asked for before them still opens; what he asks for among them is the last that he has.
        essai = {"email": email, "code": premier}
        assert (await avant.post("/v1/sessions", json=essai)).status_code == 201
        assert (await apres.post("/v1/comptes/code", json={"email": email})).status_code == 202
        assert banc.codes_for(email) == envoyes
        essai = {"email": email, "code": envoyes[-1]}
        assert (await apres.post("/v1/sessions", json=essai)).status_code == 201


async def test_une_source_seule_laisse_aux_autres_leurs_codes(banc: Banc) -> None:
    email = adresse()
    async with banc.visitor("203.0.113.33") as inconnu, banc.visitor("203.0.113.34") as moi:
        for _ in range(30):
            assert (await inconnu.post("/v1/comptes/code", json={"email": email})).status_code == 202
        assert len(banc.codes_for(email)) == CODES_PAR_SOURCE + 1
        await moi.post("/v1/comptes/code", json={"email": email})
        assert len(banc.codes_for(email)) == CODES_PAR_SOURCE + 2
        essai = {"email": email, "code": banc.code_for(email)}
        assert (await moi.post("/v1/sessions", json=essai)).status_code == 201


async def test_un_code_que_plusieurs_peuvent_essayer_est_long_et_ne_sert_qu_une_fois(banc: Banc) -> None:
    email = adresse()
    async with banc.visitor("203.0.113.35") as inconnu, banc.visitor("203.0.113.36", **ICI) as moi:
        for _ in range(CODES_PAR_SOURCE + 1):
            await inconnu.post("/v1/comptes/code", json={"email": email})
        for n in range(3):
            async with banc.visitor(f"198.18.9.{n}") as autre:
                await autre.post("/v1/comptes/code", json={"email": email})
        await moi.post("/v1/comptes/code", json={"email": email})
        long = banc.code_for(email)
        assert [len(code) for code in banc.codes_for(email)][CODES_PAR_SOURCE] == len(long) == CODE_LONG
        essai = {"email": email, "code": long}
        assert (await moi.post("/v1/sessions", json=essai)).status_code == 201
        # Whoever was bound to it, and has seen it since, finds it used.
        assert (await inconnu.post("/v1/sessions", json=essai)).status_code == 422
        assert (await moi.post("/v1/comptes/code", json={"email": email})).status_code == 202
        assert banc.code_for(email) != long


async def test_un_code_qui_n_est_pas_parti_ne_sert_a_personne(banc: Banc) -> None:
    """The mail of a long code could not be handed over: who asks next is sent one."""
    email = adresse()
    async with banc.visitor("203.0.113.37") as moi:
        for _ in range(CODES_PAR_SOURCE):
            await moi.post("/v1/comptes/code", json={"email": email})
        banc.services["notifications"].say("POST", "/v1/interne/codes", {}, 503)
        assert (await moi.post("/v1/comptes/code", json={"email": email})).status_code == 503
        perdu = banc.code_for(email)
        banc.services["notifications"].say("POST", "/v1/interne/codes", {}, 202)
        assert (await moi.post("/v1/comptes/code", json={"email": email})).status_code == 202
        assert banc.code_for(email) != perdu
