"""The four services: annonces, moderation, matching, notifications."""
