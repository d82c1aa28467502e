"""All routes of annonces, in one router."""

from fastapi import APIRouter

from services.annonces import (
    api_annonces,
    api_associations,
    api_conversations,
    api_interne,
    api_publications,
    api_reponses,
)

router = APIRouter()
router.include_router(api_associations.router)
router.include_router(api_annonces.router)
router.include_router(api_reponses.router)
router.include_router(api_conversations.router)
router.include_router(api_interne.router)
router.include_router(api_publications.router)
