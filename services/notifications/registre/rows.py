"""A row of the ledger, as `envois` stores it:

{_id, genre, canal, compte_id, profil_id?, contenu_id, annonce_id?, version?, titre, pourquoi, etat, motif?, tentatives,
lot?, reprise_at?, cree_at, remis_at?, secret?, gabarit, urgent?, ref?, fournisseur?, reference?, parties?, resume_at?,
resume_id?, score?, ancienne?, cause?}

`gabarit`: the version of the template. `reprise_at`: from when anybody may take the row up, a new one once its
deliverer should have, a failure after its pause; rows that are claimed or done have none. `lot`: whose claim it is
(claims.py). `ancienne`: an alert whose id an older version made. `cause`: the trace of the event that made it
({"traceparent": …}).
"""

from typing import Any

from services.notifications.domain import Genre

Ligne = dict[str, Any]

FINI = {"reprise_at": "", "lot": "", "secret": ""}
"""What a row that is done has no more."""


def est_alerte(ligne: Ligne) -> bool:
    return bool(ligne["genre"] == Genre.ALERTE)
