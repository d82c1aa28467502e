"""Every decision about what is published, with its reasons: dossiers, queue, audit trail, and the moderators' pages."""
