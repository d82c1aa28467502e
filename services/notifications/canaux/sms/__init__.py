"""The SMS channel: texts (gsm7.py), numbers (numeros.py), two kinds of providers (smpp/session.py, http.py)."""
