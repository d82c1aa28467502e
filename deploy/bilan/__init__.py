"""What was announced and published, compared with what became of it."""
