"""`./place test`: every test belongs to one run, nothing that failed is left out of the sum, luck can be repeated."""

import os
import subprocess
from pathlib import Path

import pytest

from deploy.console import Steps
from deploy.essais import longtemps
from deploy.essais.parallel_runs import VOIES, Compte, PytestRun, RunningPytest, courir
from deploy.layout import ROOT
from deploy.stack.servers.waiting import Patience, wait_until


def test_chaque_fichier_de_tests_est_dans_une_seule_voie() -> None:
    def prend(voie: PytestRun, fichier: Path) -> bool:
        def dans(dossiers: tuple[str, ...]) -> bool:
            return any(fichier.is_relative_to(ROOT / dossier) for dossier in dossiers)

        return dans(voie.dossiers) and not dans(voie.sauf)

    fichiers = list((ROOT / "tests").rglob("test_*.py"))
    assert len(fichiers) > 100
    assert [fichier for fichier in fichiers if sum(prend(voie, fichier) for voie in VOIES) != 1] == []


def _voie(dossier: Path, nom: str, texte: str) -> PytestRun:
    fichier = dossier / f"test_{nom}.py"
    fichier.write_text(texte)
    return PytestRun(nom, (str(fichier),))


def test_ce_que_disent_les_voies_vient_l_un_apres_l_autre_et_leurs_comptes_s_ajoutent(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trois = _voie(
        tmp_path, "trois", "import pytest\n@pytest.mark.parametrize('n', [1, 2, 3])\ndef test_n(n): print(n)\n"
    )
    rate = _voie(tmp_path, "rate", "def test_faux(): raise ValueError('dit en second')\ndef test_vrai(): pass\n")
    monte = _voie(
        tmp_path, "monte", "import pytest\n@pytest.fixture\ndef rien(): raise OSError\ndef test_rien(rien): pass\n"
    )
    code, total = courir(dict(os.environ), [trois, rate, monte])
    assert (code, total) == (1, Compte(passes=4, echecs=2))
    assert str(total) == "4 passed, 2 failed"
    dit = capfd.readouterr().out
    assert dit.index("── trois") < dit.index("3 passed") < dit.index("── rate") < dit.index("dit en second")


def test_une_voie_morte_est_un_echec(tmp_path: Path) -> None:
    morte = _voie(tmp_path, "morte", "import os\ndef test_fin(): os._exit(3)\n")
    assert courir(dict(os.environ), [morte]) == (3, Compte(echecs=1))


def test_une_course_qu_on_arrete_defait_ce_qu_elle_a_commence(tmp_path: Path) -> None:
    voie = _voie(
        tmp_path,
        "longue",
        "import pathlib, pytest, time\n"
        "ici = pathlib.Path(__file__).parent\n"
        "@pytest.fixture\n"
        "def lieu():\n"
        "    yield (ici / 'fait').touch()\n"
        "    (ici / 'fait').unlink()\n"
        "def test_attend(lieu): time.sleep(3600)\n",
    )
    course = RunningPytest(
        PytestRun(voie.nom, ("-p", "tests.conftest", *voie.dossiers)), tmp_path, dict(os.environ), couleur=False
    )
    wait_until((tmp_path / "fait").exists, "la course", 60, lambda: None)
    course.terminer()
    assert not (tmp_path / "fait").exists()


def test_longtemps_change_de_graine_a_chaque_tour_et_s_arrete_a_l_heure_ou_a_la_premiere_faute() -> None:
    lances: list[list[str]] = []
    heures = iter([0.0, 0.0, 4.0, 8.0, 12.0])

    def lancer(commande: list[str], **_: object) -> "subprocess.CompletedProcess[bytes]":
        lances.append(commande)
        return subprocess.CompletedProcess(commande, 0)

    def rater(commande: list[str], **_: object) -> "subprocess.CompletedProcess[bytes]":
        lances.append(commande)
        return subprocess.CompletedProcess(commande, 1)

    code = longtemps.courir(["tests/unit"], {}, Steps(), duree_s=10, lancer=lancer, horloge=lambda: next(heures))
    assert (code, len(lances)) == (0, 3)
    assert len({tuple(commande) for commande in lances}) == 3
    assert all("--hypothesis-profile=longtemps" in commande and commande[-1] == "tests/unit" for commande in lances)
    assert longtemps.courir([], {}, Steps(), lancer=rater) == 1
    assert len(lances) == 4


@pytest.mark.parametrize(("regard_s", "fin_s"), [(0.05, 10), (0.5, 50), (3, 100)])
def test_on_attend_plus_longtemps_sur_une_machine_occupee_mais_pas_toujours(regard_s: float, fin_s: float) -> None:
    maintenant = 0.0
    patience = Patience(10, clock=lambda: maintenant)
    while not patience.over():
        maintenant += regard_s
    assert maintenant == pytest.approx(fin_s, abs=2 * regard_s)
