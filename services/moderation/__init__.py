"""Every decision about what is published, with its reasons: dossiers, queue, audit trail, pages of the moderators."""
