"""The SMS channel: texts (gsm7.py), numbers (numeros.py), two sorts of provider (session.py, http.py)."""
