"""Short addresses of the pages that notifications makes for the staff; what leads there asks who somebody is."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

_BASE = "/v1/notifications"


async def apercu(request: Request) -> Response:
    """Every message that is sent, with sample data."""
    return RedirectResponse(f"{_BASE}/apercu", status_code=307)


async def registre(request: Request) -> Response:
    """What became of the alerts."""
    return RedirectResponse(f"{_BASE}/registre", status_code=307)


PAGES = (("/apercu", ("GET",), apercu), ("/registre", ("GET",), registre))
