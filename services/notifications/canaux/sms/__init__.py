"""The SMS channel: texts (texte.py), numbers (numeros.py), two sorts of provider (smpp.py, http.py)."""
