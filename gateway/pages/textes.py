"""Pages that the law asks for."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.pages.rendering import render


async def accessibilite(request: Request) -> Response:
    return render(request, "accessibilite.html")


async def mentions_legales(request: Request) -> Response:
    return render(request, "mentions_legales.html", mentions=request.app.state.mentions)


async def conditions(request: Request) -> Response:
    return render(request, "conditions.html")


async def icone(_: Request) -> Response:
    """Browsers ask for this one on pages that name no icon: those of the moderators."""
    return RedirectResponse("/static/icone.svg", status_code=301)


PAGES = (
    ("/favicon.ico", ("GET",), icone),
    ("/accessibilite", ("GET",), accessibilite),
    ("/mentions-legales", ("GET",), mentions_legales),
    ("/conditions", ("GET",), conditions),
)
