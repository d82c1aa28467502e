"""The catcher: an SMTP server that keeps received mails, phones that receive SMS, and the pages that show them.

It replaces a real mail server in the embedded stack and in compose. A mail is stored in the folder DOSSIER before it is
answered 250, so a catcher that was killed and restarted has the same mails with the same ids. JSON:

- ``GET /api/mails?a=ADDRESS&sujet=TEXT&apres=ID&limite=N`` → ``[{id, recu_at, de, a, sujet, message_id}]``, oldest
  first; ``a`` in the answer is the list of the envelope's recipients, ``recu_at`` is ISO 8601 in UTC, ``id`` grows
  by one per mail from 1, over restarts too;
- ``GET /api/mails/{id}`` → the same plus ``texte``, ``html`` (or null) and ``entetes`` (list of [name, value]);
- ``GET /api/mails/{id}/source`` → the raw message;
- ``GET /api/attendre?a=ADDRESS&sujet=TEXT&apres=ID&delai=SECONDS`` → the list as above, as soon as it is not empty;
  ``[]`` after ``delai`` (30);
- ``GET /api/compte`` → ``{total, gardes, dernier}``: received since the file was made or the last DELETE, still
  kept (the newest 20,000), and the id of the last one received (0 before the first);
- ``DELETE /api/mails`` → 204; ids go on growing;
- ``POST /api/pannes`` ``{rcpt_451, data_451, delai_ms}`` → the next n RCPT or DATA are answered 451, every DATA
  waits; ``{}`` ends it;
- ``POST /api/sms`` ``{operateur, de, a, texte, parties, reference}`` → 201 ``{id}``: an operator brings an SMS; the
  same reference of the same operator is the same SMS;
- ``GET /api/sms?a=NUMBER&apres=ID&limite=N`` → ``[{id, recu_at, operateur, de, a, texte, parties, reference}]``, what
  phones received, oldest first;
- ``GET /api/attendre-sms?a=NUMBER&apres=ID&delai=SECONDS`` → the same, as soon as it is not empty;
- ``GET /api/sms/compte`` → ``{total, gardes, dernier}``;
- ``GET /api/telephones/NUMBER`` → the thread of a phone, both directions: the same with ``sens`` (recu, envoye);
- ``POST /api/telephones/NUMBER/repondre`` ``{texte, operateur?}`` → 202 ``{id, operateur}``: the phone sends an SMS to
  whom wrote to it last, by the operator that delivered last unless one is named; 503 when that one does not answer.
"""
