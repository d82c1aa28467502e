"""What somebody was sent, why, and what became of each message."""

from starlette.requests import Request
from starlette.responses import Response

from gateway.door import session_of
from gateway.pages import forms
from gateway.pages.calls import ask
from gateway.pages.outcomes import CANAUX, sort
from gateway.pages.rendering import render

_TAILLE = 20


async def messages(request: Request) -> Response:
    caller = session_of(request)
    number = forms.page_number(request.query_params.get("page", "1"))
    path = f"/v1/mes/envois?page={number}&taille={_TAILLE}"
    found = (await ask(request, "notifications", "GET", path, caller)).json()
    listed = found.get("envois", [])
    total = int(str(found.get("total", 0)))
    return render(
        request,
        "messages.html",
        envois=[(envoi, sort(envoi)) for envoi in listed] if isinstance(listed, list) else [],
        canaux=CANAUX,
        total=total,
        page=number,
        pages=max(1, -(-total // _TAILLE)),
    )


PAGES = (("/mon-compte/messages", ("GET",), messages),)
