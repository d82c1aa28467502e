"""Which process of a service a call goes to."""

from kit.http.replicas import _REST_S, Replicas, addresses


def test_un_reglage_nomme_un_ou_plusieurs_processus() -> None:
    assert addresses("http://a:1/") == ["http://a:1"]
    assert addresses("http://a:1, http://b:2/") == ["http://a:1", "http://b:2"]


def test_les_processus_d_un_service_servent_a_tour_de_role() -> None:
    replicas = Replicas(["a", "b", "c"])
    assert [replicas.next(1.0) for _ in range(4)] == ["a", "b", "c", "a"]


def test_celui_qui_a_refuse_est_laisse_tranquille_un_moment() -> None:
    replicas = Replicas(["a", "b"])
    replicas.rest("a", 1.0)
    assert [replicas.next(1.0) for _ in range(3)] == ["b", "b", "b"]
    assert [replicas.next(1.0 + _REST_S) for _ in range(2)] == ["a", "b"]


def test_quand_tous_ont_refuse_celui_qui_se_repose_depuis_le_plus_longtemps_est_rappele() -> None:
    replicas = Replicas(["a", "b"])
    replicas.rest("b", 1.0)
    replicas.rest("a", 1.5)
    assert replicas.next(1.6) == "b"


def test_le_seul_processus_d_un_service_est_toujours_rappele() -> None:
    replicas = Replicas(["a"])
    replicas.rest("a", 1.0)
    assert replicas.next(1.0) == "a"
