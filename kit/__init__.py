"""The technical toolbox that every service uses. No word of the domain in it."""
