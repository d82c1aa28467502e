"""Decides whose fault an SMTP refusal is, from the refused command, the code, the enhanced code and the text. Pure.

The code alone does not tell: "550" may be an unknown mailbox, an exhausted daily quota, or a sender that is not
allowed. The first rule that applies decides:
1. Codes about our access only (530, 535…), and every refusal of the greeting or MAIL FROM, because no recipient is
   named yet.
2. Enhanced codes with one meaning (RFC 3463 and the IANA registry).
3. Words, in this order: sizes, mailboxes, quotas, senders. They are those of Postfix, Exim, Exchange, Gmail, OVH,
   Amazon SES, Sendgrid, Mailjet, Mailgun, Brevo and cPanel.
4. Other enhanced codes.
5. The command: a refused RCPT TO is about the recipient, a refused content about the message.
"""

import re
from enum import StrEnum

from services.notifications.canaux.faults import Faute


class SmtpStep(StrEnum):
    OUVERTURE = "ouverture"
    """The greeting, EHLO, STARTTLS, AUTH."""
    MAIL = "mail"
    RCPT = "rcpt"
    CONTENU = "contenu"
    """DATA and the end of the content."""


def juger(etape: SmtpStep, code: int, texte: str) -> Faute:
    """`code`: 400 to 599. `texte`: the rest of the reply, all lines; it may begin with an enhanced code."""
    trouve = _DETAILLE.match(texte)
    detail = trouve[1] if trouve else ""
    mots = _ADRESSES.sub("@", " ".join(texte[trouve.end() if trouve else 0 :].lower().split()))
    if code in _NOTRE_ACCES:
        return Faute.NOTRE
    if etape in (SmtpStep.OUVERTURE, SmtpStep.MAIL):
        return _sans_destinataire(code, detail, mots)
    return (
        _CERTAINS.get(detail)
        or _selon_les_mots(mots, code)
        or _PROBABLES.get(detail)
        or _exchange(detail)
        or (Faute.DESTINATAIRE if etape is SmtpStep.RCPT else Faute.MESSAGE)
    )


def _sans_destinataire(code: int, detail: str, mots: str) -> Faute:
    """Before a recipient is named, only SIZE can be about the message."""
    if detail in ("2.3", "3.4", "7.16") or _TAILLE.search(mots):
        return Faute.MESSAGE
    if code < 500 and mots.startswith("temporar"):
        # RFC 4954: 454 "Temporary authentication failure" is a problem of the server.
        return Faute.FOURNISSEUR
    if code >= 500 or _selon_les_mots(mots, code) is Faute.NOTRE or detail in ("1.7", "1.8"):
        return Faute.NOTRE
    return Faute.FOURNISSEUR


def _selon_les_mots(mots: str, code: int) -> Faute | None:
    for faute, motif in _MOTS:
        # Words about a problem of the provider count only if the refusal is temporary.
        if motif.search(mots) and not (faute is Faute.FOURNISSEUR and code >= 500):
            return faute
    return None


def _exchange(detail: str) -> Faute | None:
    """Microsoft's own numbers: 5.7.5xx to 5.7.7xx are about our tenant, domain or IP address."""
    sujet, _, numero = detail.partition(".")
    return Faute.NOTRE if sujet == "7" and len(numero) == 3 and numero[0] in "567" else None


_DETAILLE = re.compile(r"\s*[45]\.(\d{1,3}\.\d{1,3})(?!\.?\d)")
_ADRESSES = re.compile(r"[^\s<>:;,()]+@[^\s<>:;,()]+")
"""Removed before the search for words, because addresses such as quota@exemple.fr contain them."""

_NOTRE_ACCES = frozenset({530, 534, 535, 538})
"""Authentication or encryption is required, failed or too weak (RFC 4954, RFC 3207)."""

_CERTAINS = {
    **dict.fromkeys(("1.1", "1.2", "1.3", "1.4", "1.6", "1.9", "1.10"), Faute.DESTINATAIRE),
    **dict.fromkeys(("1.7", "1.8", "1.90"), Faute.NOTRE),
    **dict.fromkeys(("2.1", "2.4", "6.7", "7.2", "7.17", "7.18", "7.19"), Faute.DESTINATAIRE),
    # Exchange: the list or mailbox accepts mail only from some senders.
    **{f"7.{numero}": Faute.DESTINATAIRE for numero in range(120, 140)},
    **dict.fromkeys(("2.3", "3.4", "7.16"), Faute.MESSAGE),
    **{f"6.{numero}": Faute.MESSAGE for numero in (*range(7), 8, 9, 10)},
    # Credentials, encryption, SPF, DKIM, DMARC, reverse DNS, floods.
    **{f"7.{numero}": Faute.NOTRE for numero in (3, *range(8, 15), *range(20, 30), 54, 57, 60, 64)},
}
"""Enhanced codes without their class ("1.1" for 5.1.1) whose meaning no words change."""

_PROBABLES = {
    **dict.fromkeys(("2.2", "4.1", "4.4", "4.6", "4.7"), Faute.DESTINATAIRE),
    **dict.fromkeys(("3.1", "3.2", "3.5", "4.2", "4.3"), Faute.FOURNISSEUR),
    # 4.5 is "congestion", which Gmail uses for an exhausted quota. 5.x: our commands, or too many recipients.
    **dict.fromkeys(("4.5", "5.1", "5.3", "5.4", "5.6"), Faute.NOTRE),
}
"""Used when the words do not decide."""


def _mots(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{alternative})" for alternative in alternatives))


_QUOTA = r"(?:quota|limit|allowance|allocation|rate)"
_REFUSE = (
    r"(?:reject|denied|deny|not |n't |refus|block|invalid|unknown|verif|ban|disabl|suspend|forbid|mismatch|fail|exist)"
)
_PLACE = r"(?:mail ?box|inbox|recipient|storage|disk|bo[iî]te|maildir|tried to reach|trying to contact)"

_TAILLE = _mots(
    r"\bsize\b",
    r"(?:message|mail|content|data|header|attachment)s?\b.{0,30}\btoo (?:big|large|long)",
    r"too (?:big|large) (?:message|mail|content|attachment)",
)
_MOTS: tuple[tuple[Faute, re.Pattern[str]], ...] = (
    (Faute.MESSAGE, _TAILLE),
    (
        # A mailbox that accepts nothing from us, or not now. Checked first, because it sounds like a refusal of us.
        Faute.DESTINATAIRE,
        _mots(
            r"gr[ae]y ?-?list",
            r"resolver\.(?:rst|adr)",
            r"recipient address rejected: (?:access denied|user|undeliverable|unverified|address|unknown|mailbox)",
            r"block(?:ed|ing)? by (?:the |this |its |your )?(?:recipient|user|mailbox|addressee)",
            r"(?:recipient|user|mailbox|addressee|group|list)s?\b.{0,40}(?:only accepts?|(?:does(?: not|n't)|will not|"
            r"won't|refuses? to) (?:accept|want|receive))",
            r"has (?:blocked|rejected) (?:you|your (?:address|mail|message))",
            r"\breceiving (?:mail|e-?mail|messages)",
        ),
    ),
    (
        # Limits on how much we may send.
        Faute.NOTRE,
        _mots(
            rf"(?:sending|sent|outgoing|outbound|relay|daily|hourly|monthly|submission|smtp|rate)\b[\W_]+(?:\w+\W+){{0,5}}{_QUOTA}",
            rf"{_QUOTA}s?\b\W+(?:\w+\W+){{0,7}}(?:outgoing|outbound|sending|sent|relay)",
            r"\bper (?:hour|day|minute|second|month|24)|\bin (?:the last|one|an?) (?:hour|day|minute|24)",
            r"(?:messages?|e-?mails?|mails|recipients?|messaging|sends?) (?:\w+ ){0,2}(?:quota|limit|rate)",
            r"too many (?:messages|e-?mails|mails|requests|recipients|login|auth)|number of recipients",
            r"throttl|rate.?limit|submissionquota|outboundspam|unusual rate|par (?:heure|jour)",
            r"(?:exceeded|reached|over|d[ée]pass\w+) (?:of )?(?:your|votre|its)\b.{0,40}(?:quota|limit|allowance)",
            r"credits?\b|\bbalance\b|\bfunds\b|payment|billing|unpaid|\bplan\b",
        ),
    ),
    (
        # Limits on how much they may store.
        Faute.DESTINATAIRE,
        _mots(
            rf"{_PLACE}.{{0,80}}(?:full|quota|limit|space|exceed|storage|pleine|allocation)",
            rf"(?:quota|limit|storage|space|full|exceed).{{0,60}}{_PLACE}",
            r"over ?quota|mailfull|out of storage",
        ),
    ),
    (
        # Our identity: password, right to relay, sender, checks of our domain.
        Faute.NOTRE,
        _mots(
            r"authenti[cf]|credential|\blog(?:ged)?[ -]?(?:in|on)\b|password|starttls|must issue|unauthori[sz]ed",
            r"mot de passe|not authori[sz]ed|encryption (?:is )?(?:required|needed)|\btls\b.{0,20}requi",
            r"relay(?:ing)?\b.{0,40}(?:denied|deny|not |prohibit|disabl|reject|forbid|refus)",
            r"(?:unable|not|denied|deny|refus\w*|cannot|can't|don't) (?:\w+ ){0,3}relay|not an? open relay",
            rf"(?:sender|exp[ée]diteur)\b.{{0,60}}{_REFUSE}",
            r"(?:bad|invalid|unknown|banned|blocked|unverified|inactive|spoofed) (?:outbound |return |sending )?"
            r"(?:sender|exp[ée]diteur)",
            rf"\b(?:from|envelope|return)[ -](?:address|header|path|domain|field)\b.{{0,60}}{_REFUSE}|does not match",
            r"send (?:as|on behalf|from|using)|(?:not|un)[ -]?verified|verified sender|sender (?:identity|signature)",
            r"\bspf\b|\bdkim\b|\bdmarc\b|\bhelo\b|\behlo\b|\brdns\b|\bptr\b|reverse (?:dns|host|lookup)",
            r"sandbox|domain\b.{0,40}(?:not |un)(?:allowed|verified|authori|registered|configured|permitted)",
        ),
    ),
    (Faute.MESSAGE, _mots(r"\bur[li]s?\b|surbl|uribl|attachment|virus|malware|phish|forbidden content")),
    (
        # Our reputation: block lists, a closed account.
        Faute.NOTRE,
        _mots(
            r"(?:black|block|deny) ?-?list|\brbls?\b|dnsbl|spamhaus|spamcop|barracuda|\bsorbs\b|abusix|reputation",
            r"\b(?:your|client|sending|source|remote|sender's) (?:ip|host|server|network|domain|isp)\b",
            r"\bip\b.{0,40}(?:block|bann|listed|reject|denied|allow|bad|poor)|not accepted from|\bbanned\b",
            r"(?:your|sending|smtp|customer|this) (?:\w+ ){0,2}(?:account|subscription)\b.{0,60}"
            r"(?:suspend|disab|block|lock|expir|inactiv|deactiv|restrict|terminat|paus|limit|review)",
            r"sending (?:\w+ ){0,3}(?:suspended|paused|disabled|blocked)|\btenant\b|access denied",
        ),
    ),
    (
        Faute.FOURNISSEUR,
        _mots(
            r"server (?:is )?(?:too )?busy|system load|try again when|local error|lookup (?:failure|error)|queue file",
            r"system (?:error|problem|failure)|out of memory|insufficient (?:system )?(?:storage|disk|resource)",
            r"maintenance|shutting down|(?:service|system) (?:is )?(?:currently |temporarily )?(?:not |un)available",
        ),
    ),
)
