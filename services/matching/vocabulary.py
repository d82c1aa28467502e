"""Maps codes to bits, so that a list of codes becomes an integer in a column."""

from collections.abc import Iterable


class VocabularyFull(ValueError):
    """No bit is left for a new code: codes outside the reference lists have filled the column."""


class Vocabulary:
    """Code → bit. Known codes come first; a code added by a newer writer gets a spare bit when a profil uses it."""

    def __init__(self, name: str, codes: Iterable[str], bits: int) -> None:
        self._name = name
        self._capacity = bits
        self._bits = {code: number for number, code in enumerate(codes)}
        if len(self._bits) > bits:
            raise VocabularyFull(f"{name}: {len(self._bits)} codes for {bits} bits")

    def learn(self, codes: Iterable[str]) -> int:
        """The mask of `codes`; new codes get a bit. Raises VocabularyFull."""
        mask = 0
        for code in codes:
            number = self._bits.get(code)
            if number is None:
                number = len(self._bits)
                if number >= self._capacity:
                    raise VocabularyFull(f"{self._name}: no bit left for {code!r}")
                self._bits[code] = number
            mask |= 1 << number
        return mask

    def bits(self, codes: Iterable[str]) -> dict[str, int]:
        """Code → bit number for those of `codes` that a profil may have, without duplicates, in order."""
        return {code: self._bits[code] for code in codes if code in self._bits}

    def __len__(self) -> int:
        return len(self._bits)
