"""The operators that carry SMS sent by phones: ``OPERATEURS=smsc=http://127.0.0.1:8026,operateur-http=http://…``."""

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=10)


class OperateurAbsent(Exception):
    """The text is a French sentence: which operator did not accept the SMS, and what to do."""


class Operateurs:
    """`urls`: name → URL; the first operator is used when none is named."""

    def __init__(self, urls: dict[str, str]) -> None:
        self._urls = urls

    @property
    def noms(self) -> list[str]:
        return list(self._urls)

    async def envoyer(self, nom: str, de: str, a: str | None, texte: str) -> None:
        """Sends `texte` from the phone `de` to `a`, or to the operator's customer when `a` is None. Raises
        OperateurAbsent."""
        url = self._urls.get(nom)
        if url is None:
            known = ", ".join(self._urls) or "aucun ici"
            raise OperateurAbsent(f"« {nom} » n’est pas un opérateur : choisissez parmi {known}.")
        body = {"de": de, "texte": texte, **({"a": a} if a else {})}
        try:
            # One connection per SMS: people type them, and a kept connection would be stale after a restart of the
            # operator.
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
                async with http.post(f"{url.rstrip('/')}/api/entrants", json=body) as answer:
                    status, said = answer.status, (await answer.text())[:300]
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise OperateurAbsent(
                f"L’opérateur « {nom} » ne répond pas : relancez-le (« ./place start {nom} ») ou prenez-en un autre."
            ) from error
        if status != 202:
            raise OperateurAbsent(f"L’opérateur « {nom} » a refusé ce SMS : {said}")


def lire(texte: str) -> Operateurs:
    """Parses "nom=url,nom=url". Raises ValueError with a French sentence."""
    urls = {}
    for part in filter(None, (part.strip() for part in texte.split(","))):
        nom, _, url = part.partition("=")
        if not nom or not url.startswith(("http://", "https://")):
            raise ValueError(f"OPERATEURS n’est pas compris à « {part} » : écrivez nom=http://…,nom=http://…")
        urls[nom] = url
    return Operateurs(urls)
