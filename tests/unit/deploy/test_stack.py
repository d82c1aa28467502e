"""What is generated from the table of processes."""

import configparser
import json
import socket
from pathlib import Path

import pytest

from deploy.errors import Impossible
from deploy.layout import Layout
from deploy.stack import embedded, ports, secrets
from deploy.stack.processes import CATCHER, ENTRANT, OPERATEUR_HTTP, PROCESSES, SERVICES, SMSC, STAND_INS, replicas
from deploy.stack.supervision import State, configuration
from deploy.standins.mailbox import operateurs
from deploy.standins.sms_operators import reglages
from deploy.verbs import up
from deploy.verbs.scale import parse


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    for variable in ("MONGO_URL", "REDIS_URL", "KAFKA_URL", "SMTP_URL", "PUBLIC_URL", *embedded.SMS_VARIABLES):
        monkeypatch.delenv(variable, raising=False)
    place = Layout(tmp_path / "place")
    place.make()
    return place


@pytest.fixture
def current(layout: Layout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> embedded.Stack:
    # The jars are not needed to write a configuration.
    monkeypatch.setattr("deploy.stack.servers.jars.install", lambda cache: tmp_path / "jars")
    return embedded.load(layout, counts={"matching": 3})


def test_dix_processus_ont_chacun_leur_commande() -> None:
    assert [p.name for p in PROCESSES] == [
        "gateway",
        *(f"{service}-{kind}" for service in SERVICES for kind in ("api", "worker")),
        "notifications-entrant",
    ]
    assert PROCESSES[1].arguments == ("-m", "services.annonces", "api")


def test_le_premier_worker_garde_son_nom_quand_d_autres_arrivent() -> None:
    names = [name for name, _ in replicas({"matching": 3})]
    assert [n for n in names if n.startswith("matching")] == [
        "matching-api",
        "matching-worker",
        "matching-worker-2",
        "matching-worker-3",
    ]


def test_chaque_programme_est_dans_la_configuration_avec_son_port(current: embedded.Stack) -> None:
    conf = configparser.RawConfigParser()
    conf.read_string(configuration(current))
    programs = {section.removeprefix("program:") for section in conf.sections() if section.startswith("program:")}
    assert programs == {
        "kafka",
        "mongo",
        "redis",
        "cache",
        *STAND_INS,
        *(name for name, _ in replicas({"matching": 3})),
    }
    assert len(set(current.ports.values())) == len(current.ports)


def test_sante_et_mesures_ont_leurs_propres_ports(current: embedded.Stack) -> None:
    shown = {name: current.health_url(name) for name, _ in replicas({"matching": 3})}
    routes = {f"http://127.0.0.1:{v['PORT']}" for p in current.programs() if "PORT" in (v := p.environment)}
    assert len(set(shown.values())) == len(shown)
    assert not routes & set(shown.values())


def test_un_processus_ne_recoit_que_ses_secrets_et_ses_voisins(current: embedded.Stack) -> None:
    by_name = {program.name: program.environment for program in current.programs()}
    assert [Path(p).name for p in by_name["gateway"]["SECRETS_DIR"].split(",")] == ["commun", "gateway"]
    assert [Path(p).name for p in by_name["matching-api"]["SECRETS_DIR"].split(",")] == ["commun"]
    assert [Path(p).name for p in by_name["annonces-api"]["SECRETS_DIR"].split(",")] == ["commun", "annonces"]
    assert by_name["gateway"]["MATCHING_URL"] == f"http://127.0.0.1:{current.ports['matching-api']}"
    assert "MATCHING_URL" not in by_name["annonces-api"]
    writes = ["notifications-api", "notifications-worker"]
    for variable, names in {"SMTP_URL": [*writes, ENTRANT], "SMPP_URL": writes, "SMS_HTTP_URL": writes}.items():
        assert [name for name, variables in by_name.items() if variable in variables] == names
    # Whom everybody may connect to.
    assert [Path(p).name for p in by_name[ENTRANT]["SECRETS_DIR"].split(",")] == ["commun", "notifications"]
    assert by_name[CATCHER]["ENTRANT"] == f"127.0.0.1:{by_name[ENTRANT]['PORT']}"


def test_operateurs_et_notifications_ont_les_memes_ports_et_secrets(current: embedded.Stack) -> None:
    secrets.make(current.layout.secrets)
    by_name = {program.name: program for program in current.programs()}
    variables = by_name["notifications-worker"].environment
    smsc = reglages.lire("smsc", by_name[SMSC].environment)
    assert variables["SMPP_URL"] == f"smpp://place:{smsc.mot_de_passe}@127.0.0.1:{smsc.smpp_port}?source=PLACE"
    http = reglages.lire("http", by_name[OPERATEUR_HTTP].environment)
    assert variables["SMS_HTTP_URL"] == f"http://127.0.0.1:{http.port}/messages"
    assert str(current.layout.secrets / "sms") in variables["SECRETS_DIR"].split(",")
    assert (http.cle, http.secret) == tuple(
        (current.layout.secrets / "sms" / name).read_text() for name in ("sms_http_cle", "sms_http_secret")
    )
    assert http.rappel_url == f"http://127.0.0.1:{current.ports['gateway']}/v1/rappels/sms/http"
    catcher = by_name[CATCHER].environment
    assert operateurs.lire(catcher["OPERATEURS"]).noms == [SMSC, OPERATEUR_HTTP]
    assert smsc.catcher_url == http.catcher_url == f"http://127.0.0.1:{catcher['PORT']}"


def test_un_vrai_operateur_remplace_les_notres(current: embedded.Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a real one should have sent must not end on the phones of the catcher."""
    monkeypatch.setenv("SMS_HTTP_URL", "https://sms.example.org/messages")
    by_name = {program.name: program.environment for program in current.programs()}
    assert not {SMSC, OPERATEUR_HTTP} & set(by_name)
    assert by_name[CATCHER]["OPERATEURS"] == ""
    assert by_name["notifications-worker"]["SMS_HTTP_URL"] == "https://sms.example.org/messages"
    assert "SMPP_URL" not in by_name["notifications-worker"]
    assert current.phones_url is None


def test_les_telephones_restent_quand_le_courrier_est_ailleurs(
    current: embedded.Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example.org:25")
    assert set(STAND_INS) <= {program.name for program in current.programs()}
    assert current.catcher_url is None
    assert current.phones_url == f"http://localhost:{current.ports[CATCHER]}/telephones"


def test_la_boite_garde_ses_courriels_avec_les_donnees(current: embedded.Stack) -> None:
    (catcher,) = (program for program in current.programs() if program.name == "courrier")
    assert Path(catcher.environment["DOSSIER"]) == current.layout.data / "courrier"


def test_des_adresses_donnees_remplacent_les_serveurs_et_la_boite(
    current: embedded.Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGO_URL", "mongodb://u:p@db.example.org/?replicaSet=rs")
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example.org:25")
    monkeypatch.setenv("SMPP_URL", "smpp://u:p@sms.example.org:2775")
    names = [program.name for program in current.programs()]
    assert "mongo" not in names
    assert "courrier" not in names
    assert current.urls()["MONGO_URL"] == "mongodb://u:p@db.example.org/?replicaSet=rs"


def test_percent_signs_survive_supervisords_expansion(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.stack.servers.jars.install", lambda cache: Path("/jars"))
    monkeypatch.setenv("REDIS_URL", "redis://:p%40ss@127.0.0.1:1/0")
    assert 'REDIS_URL="redis://:p%%40ss@127.0.0.1:1/0"' in configuration(embedded.load(layout))


def test_les_ports_sont_gardes_et_un_port_pris_est_remplace(layout: Layout) -> None:
    first = embedded.load(layout).ports
    assert embedded.load(layout).ports == first
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first["mongo"]))
        taken.listen()
        again = embedded.load(layout).ports
        assert {name for name in first if first[name] != again[name]} == {"mongo"}
        with pytest.raises(Impossible, match=str(first["mongo"])):
            ports.choose(["gateway"], {}, {"gateway": first["mongo"]}, {})
    assert json.loads(layout.ports.read_text()) == again


def test_un_port_tenu_par_notre_programme_est_garde() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        assert ports.choose(["redis"], {"redis": port}, {}, {}, frozenset({"redis"})) == {"redis": port}


def test_un_second_demarrage_garde_les_ports_de_sante_de_ce_qui_tourne(current: embedded.Stack) -> None:
    class Running:
        def states(self) -> dict[str, State]:
            names = [program.name for program in current.programs()]
            return {name: State(name, "RUNNING", 1, 1, "") for name in names}

    assert set(current.ports) <= up.held_ports(Running())  # type: ignore[arg-type]  # the one call that is asked


def test_un_dossier_profond_a_une_courte_prise(tmp_path: Path) -> None:
    deep = Layout(tmp_path / ("d" * 120))
    assert len(str(deep.socket)) < 90
    assert deep.socket != Layout(tmp_path / ("e" * 120)).socket


@pytest.mark.parametrize(
    "wish", ["matching", "matching=0", "matching=13", "gateway=2", "matching=-1", "=3", "matching-worker=2"]
)
def test_un_nombre_de_processus_impossible_est_refuse_avec_un_exemple(wish: str) -> None:
    with pytest.raises(Impossible, match="matching=3"):
        parse(wish)


def test_un_nombre_de_processus_demande_est_compris() -> None:
    assert parse("matching=3") == ("matching", 3)
    assert parse("annonces-api=2") == ("annonces-api", 2)


def test_la_porte_connait_chaque_processus_d_une_api(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.stack.servers.jars.install", lambda cache: Path("/jars"))
    scaled = embedded.load(layout, counts={"annonces-api": 2, "matching": 3})
    by_name = {program.name: program.environment for program in scaled.programs()}
    urls = [f"http://127.0.0.1:{scaled.ports[name]}" for name in ("annonces-api", "annonces-api-2")]
    assert by_name["gateway"]["ANNONCES_URL"] == ",".join(urls)
    assert by_name["gateway"]["MATCHING_URL"] == f"http://127.0.0.1:{scaled.ports['matching-api']}"
    assert by_name["annonces-api-2"]["PORT"] == str(scaled.ports["annonces-api-2"])
