"""A TLS certificate for the bench's mail server: real relays use TLS, and each new connection pays for its
handshake."""

import datetime as dt
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOTE = "localhost"


def faire(dossier: Path) -> Path:
    """Writes a PEM file with a key and a self-signed certificate for `HOTE`, valid for a week. Processes trust it
    through SSL_CERT_FILE."""
    cle = ec.generate_private_key(ec.SECP256R1())
    nom = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOTE)])
    now = dt.datetime.now(dt.UTC)
    certificat = (
        x509.CertificateBuilder()
        .subject_name(nom)
        .issuer_name(nom)
        .public_key(cle.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOTE)]), critical=False)
        .sign(cle, hashes.SHA256())
    )
    fichier = dossier / "puits.pem"
    pem = serialization.Encoding.PEM
    sans_mot_de_passe = serialization.NoEncryption()
    fichier.write_bytes(
        cle.private_bytes(pem, serialization.PrivateFormat.PKCS8, sans_mot_de_passe) + certificat.public_bytes(pem)
    )
    return fichier


def contexte(fichier: Path) -> ssl.SSLContext:
    """TLS context of the server."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(fichier)
    return found
