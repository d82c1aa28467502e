"""What a client does when no server answers; nothing here needs one."""

from collections.abc import Iterator

import pytest
from pymongo.errors import AutoReconnect, DuplicateKeyError, OperationFailure, PyMongoError

from kit import mongo
from kit.errors import is_outage
from kit.mongo import Mongo, Session, is_undecided


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mongo]:
    monkeypatch.setattr(mongo, "_SELECTION_MS", 20)
    # Port 9 (discard) has no server.
    connected = mongo.connect("mongodb://127.0.0.1:9/?replicaSet=rs0", "essai")
    yield connected
    connected.close()


async def test_a_transaction_does_not_look_for_a_server_again_and_again(nobody: Mongo) -> None:
    attempts = []

    async def work(session: Session) -> None:
        attempts.append(1)
        await nobody.db.faits.insert_one({}, session=session)

    with pytest.raises(PyMongoError) as caught:
        await nobody.transaction(work)
    assert is_outage(caught.value)
    assert len(attempts) == 1


async def test_a_conflict_is_tried_again_until_the_deadline(nobody: Mongo) -> None:
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


def test_only_a_commit_without_answer_is_undecided() -> None:
    unknown = AutoReconnect("gone", {"errorLabels": ["UnknownTransactionCommitResult"]})
    assert is_undecided(unknown)
    assert is_outage(unknown)
    for error in (AutoReconnect("gone"), DuplicateKeyError("twice"), ConnectionError()):
        assert not is_undecided(error)
