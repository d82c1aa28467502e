"""Mails that people and mail systems send us: received, read, and acted on."""
