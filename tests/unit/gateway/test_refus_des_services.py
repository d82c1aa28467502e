"""What a service refuses, said by the gateway in its own name."""

import orjson

from gateway.upstream import Answer, as_problem
from kit.http import problems
from kit.http.problems import Problem


def said(problem: Problem) -> Answer:
    return Answer(problem.status, bytes(problems.to_response(problem).body))


def test_une_ecriture_sans_reponse_ne_promet_pas_que_rien_n_est_enregistre() -> None:
    problem = as_problem(said(problems.undecided()))
    assert (problem.status, int(problem.headers["Retry-After"]) > 0) == (503, True)
    assert "peut-être été enregistré" in problem.detail


def test_un_service_qui_refuse_pour_l_instant_garde_sa_phrase() -> None:
    assert as_problem(said(problems.unavailable())).detail == problems.unavailable().detail


def test_une_erreur_illisible_d_un_service_devient_une_phrase() -> None:
    for body in (b"", b"<html>", b"[]", orjson.dumps({"detail": None})):
        problem = as_problem(Answer(500, body))
        assert (problem.status, problem.detail) == (503, problems.unavailable().detail)
