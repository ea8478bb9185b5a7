"""Which certificates are trusted. Everything that opens a TLS connection gets its context here."""

from __future__ import annotations

import ssl

from bot.errors import ConfigError

# X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL.
_WRONG_HOST = (62, 64)
# Unable to get the (local) issuer, self-signed, unable to verify the first certificate.
_UNKNOWN_CA = (2, 18, 19, 20, 21)


def tls_context(ca_file: str, key: str) -> ssl.SSLContext:
    """A context that trusts the system's certificates and those in ``ca_file``, and checks host names.

    Raises :class:`ConfigError`, which names the configuration key ``key``, if the file cannot be used.
    """
    context = ssl.create_default_context()
    if not ca_file:
        return context
    try:
        context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError:
        raise ConfigError([f"{key}: {ca_file} holds no certificate in PEM form"]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError([f"{key}: {ca_file} cannot be read: {reason}"]) from None
    return context


def is_unknown_ca(failure: BaseException) -> bool:
    """Whether a certificate does not lead to a trusted CA: a private one's, or with a gap in its chain."""
    return isinstance(failure, ssl.SSLCertVerificationError) and failure.verify_code in _UNKNOWN_CA


def certificate_trouble(failure: BaseException, host: str, key: str) -> str:
    """Say whose certificate failed, why, and how to fix it. ``key`` is the CA file's configuration key."""
    code = failure.verify_code if isinstance(failure, ssl.SSLCertVerificationError) else 0
    reason = getattr(failure, "verify_message", "") or " ".join(str(failure).split())[:200]
    text = f"the certificate of {host} does not verify: {reason.rstrip('.')}"
    if code in _WRONG_HOST:
        return f"{text} (it is for another host name than {host})"
    if code in _UNKNOWN_CA:
        return f"{text} (unknown CA: name its PEM file in {key})"
    return text
