"""Pages that the law asks for."""

from starlette.requests import Request
from starlette.responses import Response

from gateway.pages.rendering import render


async def accessibilite(request: Request) -> Response:
    return render(request, "accessibilite.html")


async def mentions_legales(request: Request) -> Response:
    return render(request, "mentions_legales.html", mentions=request.app.state.mentions)


async def conditions(request: Request) -> Response:
    return render(request, "conditions.html")


PAGES = (
    ("/accessibilite", ("GET",), accessibilite),
    ("/mentions-legales", ("GET",), mentions_legales),
    ("/conditions", ("GET",), conditions),
)
