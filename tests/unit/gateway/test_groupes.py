"""The gateway measures every group of the system, whoever its members are."""

from contracts import topics
from contracts.matching import ProfilEnregistre
from deploy.k8s.manifests import lag_topics
from deploy.stack.processes import PROCESSES
from kit.messaging.deadletters import retry_topic
from kit.messaging.lag import with_retries


def test_le_retard_est_mesure_la_ou_keda_compte_et_la_ou_l_on_reessaye() -> None:
    found = with_retries(topics.groupes(), topics.SANS_REPRISE)
    for process in PROCESSES:
        if process.kind == "worker":
            assert found[process.service] == lag_topics(process)
            again = [retry_topic(name, process.service) for name in lag_topics(process)]
            assert found[f"{process.service}.retry"] == again


def test_aucun_lecteur_d_un_topic_n_est_oublie() -> None:
    read = {(reader, topic.name) for topic in topics.TOPICS for reader in topic.readers}
    measured = {
        (group, topic)
        for group, names in with_retries(topics.groupes(), topics.SANS_REPRISE).items()
        for topic in names
    }
    assert read - measured == {("matching", ProfilEnregistre.topic)}
    assert {topic for _, topic in measured - read} == {name for _, name in measured if name.endswith(".retry")}
