"""A row of the ledger, as stored in `envois`:

{_id, genre, canal, compte_id, profil_id?, autres_profils?, contenu_id, annonce_id?, version?, titre, pourquoi,
etat, motif?, tentatives, lot?, reprise_at?, cree_at, remis_at?, secret?, gabarit, urgent?, ref?, fournisseur?,
reference?, parties?, resume_at?, resume_id?, score?, ancienne?, cause?, a_propos?,
messages?}

`profil_id`: the profil in whose name somebody is alerted; `autres_profils`: their others that the annonce concerns too.
`gabarit`: version of the template. `reprise_at`: time from which any process may take the row over (a new row that no
deliverer took, a failure after its pause); absent while it is claimed and when it is finished. `lot`: the claim that
holds it (claims.py). `ancienne`: the id of the alert was made by an earlier version of the code. `cause`: trace of the
event that caused it ({"traceparent": …}). `a_propos`: the annonce of a message that is no alert and can be
answered. It is not `annonce_id`, since what cancels the alerts about an annonce must not cancel this message.
`messages`: ids of the messages of a conversation that the row tells, in order.
"""

from typing import Any

from services.notifications.domain import Genre

Ligne = dict[str, Any]

FINI = {"reprise_at": "", "lot": "", "secret": ""}
"""Fields removed when a row is finished."""


def est_alerte(ligne: Ligne) -> bool:
    return bool(ligne["genre"] == Genre.ALERTE)
