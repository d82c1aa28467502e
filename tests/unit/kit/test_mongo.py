"""What a client does when no server answers; nothing here needs one."""

from collections.abc import Iterator

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)

from kit.database import mongo
from kit.database.mongo import Mongo, Session, is_undecided
from kit.errors import is_outage


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mongo]:
    monkeypatch.setattr(mongo, "_SELECTION_MS", 20)
    # Port 9 (discard) has no server.
    connected = mongo.connect("mongodb://127.0.0.1:9/?replicaSet=rs0", "essai")
    yield connected
    connected.close()


async def test_une_transaction_ne_cherche_pas_un_serveur_sans_fin(nobody: Mongo) -> None:
    attempts = []

    async def work(session: Session) -> None:
        attempts.append(1)
        await nobody.db.faits.insert_one({}, session=session)

    with pytest.raises(PyMongoError) as caught:
        await nobody.transaction(work)
    assert is_outage(caught.value)
    assert len(attempts) == 1


async def test_un_conflit_est_reessaye_jusqu_a_l_echeance(nobody: Mongo) -> None:
    attempts = []

    async def work(_: Session) -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise OperationFailure("conflict", 112, {"errorLabels": ["TransientTransactionError"]})
        # Nothing was sent: such a transaction commits without a server.
        return "done"

    assert await nobody.transaction(work) == "done"
    attempts.clear()
    with pytest.raises(OperationFailure):
        await nobody.transaction(work, deadline_s=-1)
    assert len(attempts) == 1


def test_seule_une_validation_sans_reponse_est_indecise() -> None:
    unknown = AutoReconnect("gone", {"errorLabels": ["UnknownTransactionCommitResult"]})
    assert is_undecided(unknown)
    assert is_outage(unknown)
    for error in (AutoReconnect("gone"), DuplicateKeyError("twice"), ConnectionError()):
        assert not is_undecided(error)


def refusal(code: int | None, message: str = "non", **more: object) -> OperationFailure:
    return OperationFailure(message, code, dict(more))


@pytest.mark.parametrize(
    "error",
    [
        refusal(14031, "available disk space of 10 bytes is less than required minimum"),
        refusal(8, "28: No space left on device"),
        refusal(1, "122: Disk quota exceeded"),
        refusal(10107, "not primary"),
        refusal(13436, "node is recovering"),
        refusal(262, "operation exceeded time limit"),
        refusal(318, "user writes blocked"),
        refusal(18, "Authentication failed."),
        refusal(13, "not authorized on annonces to execute command"),
        BulkWriteError({"writeErrors": [{"index": 0, "code": 14031, "errmsg": "disk"}]}),
        BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 91, "errmsg": "shutting down"}]}),
        WTimeoutError("waiting for replication timed out", 64),
    ],
    ids=str,
)
def test_un_serveur_qui_refuse_pour_ses_propres_raisons_est_une_panne(error: PyMongoError) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        refusal(2, "BadValue"),
        refusal(85, "IndexOptionsConflict"),
        refusal(121, "Document failed validation"),
        DuplicateKeyError("twice", 11000),
        BulkWriteError({"writeErrors": [{"index": 0, "code": 11000, "errmsg": "twice"}]}),
    ],
    ids=str,
)
def test_une_demande_fausse_n_est_pas_une_panne(error: PyMongoError) -> None:
    assert not is_outage(error)


def test_ce_que_la_majorite_n_a_pas_confirme_est_peut_etre_enregistre() -> None:
    assert is_undecided(WTimeoutError("waiting for replication timed out", 64))
    assert not is_undecided(refusal(14031, "disk"))
