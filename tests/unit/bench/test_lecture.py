"""The reading of answers: what counts as right, as a wrong yes, as a STOP that was missed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.errors import Impossible
from deploy.verbs import bench

TABLE = "kind\ttext\texpected\tactual\n"


def ecrire(dossier: Path, *lignes: str) -> Path:
    (dossier / "cas.tsv").write_text(TABLE + "".join(f"{ligne}\t\n" for ligne in lignes), encoding="utf-8")
    return dossier


def chiffres(dossier: Path, capsys: pytest.CaptureFixture[str]) -> tuple[bool, dict[str, int]]:
    tenu = bench.run("lecture", True, dossier)
    lus: dict[str, int] = json.loads(capsys.readouterr().out.splitlines()[-1])["sms"]
    return tenu, lus


def test_une_reponse_lue_comme_il_faut_est_juste(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dossier = ecrire(tmp_path, "oui\tje viens\tOui", "refus\tok trop tard\tNon or Incompris", "stop\tstop\tStop")
    assert chiffres(dossier, capsys) == (True, {"total": 3, "justes": 3, "oui_a_tort": 0, "stop_manques": 0})


def test_un_oui_inattendu_et_un_stop_manque_se_comptent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dossier = ecrire(tmp_path, "doute\tje viens\tIncompris", "stop\tje viens\tStop", "les deux\tbof\tStop or Incompris")
    assert chiffres(dossier, capsys) == (False, {"total": 3, "justes": 1, "oui_a_tort": 2, "stop_manques": 1})


def test_trop_peu_de_reponses_simples_comprises_ne_tient_pas_la_barre(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tenu, lus = chiffres(ecrire(tmp_path, "oui\tzut\tOui", "non\tnon\tNon"), capsys)
    assert not tenu
    assert lus["justes"] == 1


def test_le_nombre_attendu_compte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert chiffres(ecrire(tmp_path, "oui\ton vient à 2\tOui 2", "oui\toui 3\tOui(2)"), capsys)[1]["justes"] == 1


def test_un_dossier_sans_table_ou_une_table_sans_colonne_se_disent(tmp_path: Path) -> None:
    with pytest.raises(Impossible, match="tsv"):
        bench.run("lecture", False, tmp_path)
    with pytest.raises(Impossible, match="DOSSIER"):
        bench.run("lecture", False, tmp_path / "absent")
    (tmp_path / "cas.tsv").write_text("kind\ttext\noui\toui\n", encoding="utf-8")
    with pytest.raises(Impossible, match="expected"):
        bench.run("lecture", False, tmp_path)


def test_la_commande_prend_le_dossier(tmp_path: Path) -> None:
    resultat = CliRunner().invoke(app, ["bench", "lecture", str(ecrire(tmp_path, "oui\toui\tOui")), "--json"])
    assert resultat.exit_code == 0, resultat.output
    assert '"justes": 1' in resultat.output.splitlines()[-1]
