"""Optimistic locking over HTTP: a version is an ETag, and an edit names in If-Match the version that was read."""

import re
from typing import Annotated, Protocol

from fastapi import Depends, Header, Response

from kit.http.problems import Problem

_ETAG = re.compile(r'(?:W/)?"([0-9]{1,9})"')


class View(Protocol):
    """A pydantic model. Its `version`, if it has one, becomes the ETag."""

    def model_dump_json(self) -> str: ...


def respond(view: View, status: int = 200, *, location: str | None = None) -> Response:
    """`view` as JSON bytes, with its ETag."""
    headers = {"Location": location} if location else {}
    version = getattr(view, "version", None)
    if version is not None:
        headers["ETag"] = etag(version)
    content = view.model_dump_json().encode()
    return Response(content, status_code=status, media_type="application/json", headers=headers)


def etag(version: int) -> str:
    return f'"{version}"'


def stale(current: int | None = None) -> Problem:
    """412: the version that was read is no longer the current one; `current` is the current version."""
    return Problem(
        412,
        "version-depassee",
        "Version dépassée",
        "Quelqu’un a modifié ces informations depuis que vous les avez lues\u00a0: relisez-les, puis recommencez.",
        headers={} if current is None else {"ETag": etag(current)},
    )


def version_read(if_match: Annotated[str | None, Header(alias="If-Match")] = None) -> int:
    """Returns the version in If-Match. Raises a 428 problem when it is missing, and a 412 one when it is not an ETag of
    ours."""
    if if_match is None:
        raise Problem(
            428,
            "version-requise",
            "Version requise",
            "Indiquez dans If-Match la version que vous avez lue (son ETag).",
        )
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise stale()
    return int(match[1])


VersionRead = Annotated[int, Depends(version_read)]
