"""The gateway measures every group of the system, whoever its members are."""

from contracts import topics
from contracts.matching import ProfilEnregistre
from deploy.k8s.manifests import lag_topics
from deploy.stack.processes import PROCESSES
from kit.deadletters import retry_topic
from kit.lag import with_retries


def test_each_worker_is_measured_where_keda_scales_it_and_where_it_tries_again() -> None:
    found = with_retries(topics.groupes(), topics.SANS_REPRISE)
    for process in PROCESSES:
        if process.kind == "worker":
            assert found[process.service] == lag_topics(process)
            again = [retry_topic(name, process.service) for name in lag_topics(process)]
            assert found[f"{process.service}.retry"] == again


def test_no_reader_of_a_topic_is_left_out() -> None:
    read = {(reader, topic.name) for topic in topics.TOPICS for reader in topic.readers}
    measured = {
        (group, topic)
        for group, names in with_retries(topics.groupes(), topics.SANS_REPRISE).items()
        for topic in names
    }
    assert read - measured == {("matching", ProfilEnregistre.topic)}
    assert {topic for _, topic in measured - read} == {name for _, name in measured if name.endswith(".retry")}
