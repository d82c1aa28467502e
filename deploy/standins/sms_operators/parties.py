"""Parts of a long SMS: user data header (3GPP TS 23.040, 9.2.3.24) and sar_* parameters of SMPP. Pure."""

from dataclasses import dataclass

_REFERENCE_8, _REFERENCE_16 = 0x00, 0x08
MOST_PARTS = 255


class EnTeteFaux(ValueError):
    """The user data header is malformed."""


@dataclass(frozen=True)
class PartPosition:
    """Position of a part: number `numero` (from 1) of `total`, in the message that the sender calls `reference`."""

    reference: int
    total: int
    numero: int

    def __post_init__(self) -> None:
        if not 1 <= self.numero <= self.total <= MOST_PARTS:
            raise EnTeteFaux(f"partie {self.numero} de {self.total}")


def lire(octets: bytes) -> tuple[PartPosition | None, bytes]:
    """Returns the position in the header of `octets`, if any, and the octets after the header. Raises EnTeteFaux."""
    if not octets or octets[0] >= len(octets):
        raise EnTeteFaux("en-tête plus long que le message")
    header, rest = octets[1 : 1 + octets[0]], octets[1 + octets[0] :]
    place = None
    while header:
        if len(header) < 2 or len(header) < 2 + header[1]:
            raise EnTeteFaux("élément d’en-tête coupé")
        kind, value, header = header[0], header[2 : 2 + header[1]], header[2 + header[1] :]
        if kind == _REFERENCE_8 and len(value) == 3:
            place = PartPosition(value[0], value[1], value[2])
        elif kind == _REFERENCE_16 and len(value) == 4:
            place = PartPosition(int.from_bytes(value[:2], "big"), value[2], value[3])
    return place, rest


def de_sar(reference: int | None, total: int | None, numero: int | None) -> PartPosition | None:
    """The position in the sar_* parameters (SMPP 3.4, 5.3.2.22); None when one is missing. Raises EnTeteFaux."""
    if reference is None or not total or not numero:
        return None
    return PartPosition(reference, total, numero)


def avec_en_tete(parts: list[bytes], reference: int) -> list[bytes]:
    """Adds a header with an 8-bit reference to each part."""
    head = bytes([5, _REFERENCE_8, 3, reference % 256, len(parts)])
    return [head + bytes([numero]) + part for numero, part in enumerate(parts, start=1)]
