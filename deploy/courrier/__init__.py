"""The mail catcher: an SMTP server that keeps what it gets, and a page that shows it.

It stands where a real mail server will, in the embedded stack and in compose. JSON:

- ``GET /api/mails?a=ADDRESS&sujet=TEXT&apres=ID&limite=N`` → ``[{id, recu_at, de, a, sujet, message_id}]``, oldest
  first; ``a`` in the answer is the list of the envelope's recipients, ``recu_at`` is ISO 8601 in UTC, ``id`` grows
  by one per mail from 1;
- ``GET /api/mails/{id}`` → the same plus ``texte``, ``html`` (or null) and ``entetes`` (list of [name, value]);
- ``GET /api/mails/{id}/source`` → the raw message;
- ``GET /api/attendre?a=ADDRESS&sujet=TEXT&apres=ID&delai=SECONDS`` → the list as above, as soon as it is not empty;
  ``[]`` after ``delai`` (30);
- ``GET /api/compte`` → ``{total, gardes}``: received since the start or the last DELETE, and still kept;
- ``DELETE /api/mails`` → 204; ids go on growing;
- ``POST /api/pannes`` ``{rcpt_451, data_451, delai_ms}`` → the next n RCPT or DATA are answered 451, every DATA
  waits; ``{}`` ends it.
"""
