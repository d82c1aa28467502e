"""Stands for what chooses among providers."""


class Notes:
    """Always the first name that is not excluded; remembers what it was told."""

    def __init__(self, *noms: str) -> None:
        self.noms = noms
        self.notes: list[tuple[str, bool]] = []

    def choisir(self, exclus: frozenset[str]) -> str:
        return next(nom for nom in self.noms if nom not in exclus)

    def noter(self, fournisseur: str, *, succes: bool, duree_s: float) -> None:
        assert duree_s >= 0
        self.notes.append((fournisseur, succes))
