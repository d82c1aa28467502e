"""Who is alerted about what, and why: profils, the index over them, and the correspondances."""
