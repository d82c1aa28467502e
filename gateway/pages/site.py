"""The one list of the site's pages."""

from fastapi import FastAPI

from gateway.pages import (
    accueil,
    agents,
    alertes,
    associations,
    connexion,
    conversation,
    depot,
    desabonnement,
    messages,
    mon_compte,
    preferences,
    repondre,
    telephone,
    textes,
)

# In the order in which paths are tried: /annonces/nouvelle before /annonces/{annonce_id}.
_MODULES = (
    depot,
    associations,
    accueil,
    alertes,
    connexion,
    preferences,
    telephone,
    messages,
    conversation,
    mon_compte,
    desabonnement,
    repondre,
    agents,
    textes,
)


def install(app: FastAPI) -> None:
    """Adds every page to `app`. Each module closes with its table PAGES: (path, methods, function)."""
    for module in _MODULES:
        for path, methods, page in module.PAGES:
            app.add_route(path, page, methods=list(methods), include_in_schema=False)
