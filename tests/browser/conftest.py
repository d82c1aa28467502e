"""A real browser on the whole system: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.pile import Ville

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

Ouvrir = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.fail(
            "Chromium est introuvable : « apt-get install chromium » (macOS : « brew install --cask chromium »)."
        )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def ouvrir(chromium: Browser, ville: Ville) -> AsyncIterator[Ouvrir]:
    """`await ouvrir()`: a page of a new visitor, without JavaScript unless asked for; paths belong to the site."""
    contexts: list[BrowserContext] = []

    async def make(*, javascript: bool = False, width: int = 1280, **options: Any) -> Page:
        context = await chromium.new_context(
            base_url=ville.stack.public_url,
            java_script_enabled=javascript,
            viewport={"width": width, "height": 900},
            locale="fr-FR",
            **options,
        )
        context.set_default_timeout(120_000)
        contexts.append(context)
        return await context.new_page()

    yield make
    for context in contexts:
        await context.close()
