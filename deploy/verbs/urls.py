"""The addresses that people open."""

from deploy.stack.embedded import Stack


def run(stack: Stack, *, only_servers: bool = False) -> None:
    """Prints them on stdout, one per line."""
    lines = []
    if not only_servers:
        lines += [("Site public", stack.public_url), ("Modération", f"{stack.public_url}/moderation")]
    if stack.catcher_url:
        lines.append(("Courrier reçu", stack.catcher_url))
    if stack.phones_url:
        lines.append(("Téléphones", stack.phones_url))
    if only_servers:
        lines += list(stack.urls().items())
    width = max(len(title) for title, _ in lines)
    for title, url in lines:
        print(f"{title:<{width}}  {url}")
