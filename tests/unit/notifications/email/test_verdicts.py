"""Whose fault the refusals are that relays really write: only the recipient's and the message's may end a message."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.canaux.base import Injoignable, NousRefuse, Permanent, Temporaire
from services.notifications.canaux.email.smtp_replies import recu, refus
from services.notifications.canaux.email.verdicts import SmtpStep, juger
from services.notifications.canaux.email.wire import Reponse
from services.notifications.canaux.faults import Faute

MAIL, RCPT, CONTENU = SmtpStep.MAIL, SmtpStep.RCPT, SmtpStep.CONTENU

NOTRE = [
    (MAIL, "530 5.7.0 Must issue a STARTTLS command first"),
    (MAIL, "530 5.7.0 Authentication required"),
    (RCPT, "530 5.7.1 Client was not authenticated"),
    (MAIL, "550 5.7.1 Sender address rejected: SPF"),
    (MAIL, "553 5.7.1 <r@place.example.org>: Sender address rejected: not owned by user x"),
    (MAIL, "550 5.1.8 Domain of sender address does not exist"),
    (MAIL, "501 5.1.7 Bad sender address syntax"),
    (MAIL, "503 AUTH first"),
    (MAIL, "552 5.7.0 non"),
    (MAIL, "450 4.1.8 <r@x.fr>: Sender address rejected: Domain not found"),
    (CONTENU, "550 5.4.5 Daily user sending quota exceeded"),
    (CONTENU, "550-5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to x"),
    (CONTENU, "554 5.7.0 The limit on the number of allowed outgoing messages was exceeded. Try again later."),
    (CONTENU, "552 Message would take you over your relay quota of 500"),
    # Postfix asks at RCPT TO what it has to say of the client and of the sender.
    (RCPT, "554 5.7.1 <a@b.fr>: Relay access denied"),
    (RCPT, "454 4.7.1 <a@b.fr>: Relay access denied"),
    (RCPT, "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied"),
    (RCPT, "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]"),
    (RCPT, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
    (RCPT, "553 5.7.1 <r@place.example.org>: Sender address rejected: not logged in"),
    (RCPT, "450 4.7.1 <mail>: Helo command rejected: Host not found"),
    (RCPT, "550 5.7.1 <a@b.fr>: Recipient address rejected: Policy rejection; Message quota exceeded"),
    (RCPT, "450 4.7.1 <a@b.fr>: Recipient address rejected: sorry, max 100 messages per hour exceeded"),
    # Exim and cPanel.
    (RCPT, "550 relay not permitted"),
    (RCPT, "550 authentication required"),
    (RCPT, "550 Verification failed for <r@place.example.org> Unrouteable address Sender verify failed"),
    (RCPT, "550 rejected because 192.0.2.1 is in a black list at zen.spamhaus.org"),
    (CONTENU, "550 Domain x.fr has exceeded the max emails per hour (100/100 (100%)) allowed. Message discarded."),
    (CONTENU, "550 x.fr has exceeded the max defers and failures per hour (5/5 (100%)) allowed."),
    # Exchange, Outlook.
    (MAIL, "550 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM"),
    (CONTENU, "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    (RCPT, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain"),
    (RCPT, "550 5.7.64 TenantAttribution; Relay Access Denied [x.protection.outlook.com]"),
    (CONTENU, "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP."),
    (CONTENU, "550 5.7.705 Service unavailable. Access denied, tenant has exceeded threshold."),
    (CONTENU, "550 5.7.501 Service unavailable. Spam abuse detected from IP range."),
    (RCPT, "550 5.7.511 Access denied, banned sender[192.0.2.1]"),
    (RCPT, "550 5.7.606 Access denied, banned sending IP [192.0.2.1]"),
    (CONTENU, "550 5.7.515 Access denied, sending domain x.fr doesn't meet the required authentication level."),
    (CONTENU, "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients"),
    (CONTENU, "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException"),
    (CONTENU, "550 5.1.8 Access denied, bad outbound sender AS(42004)"),
    (RCPT, "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation."),
    (RCPT, "550 5.7.1 Unable to relay"),
    # Gmail.
    (CONTENU, "550-5.7.26 Your email has been blocked because the sender is unauthenticated."),
    (CONTENU, "550-5.7.26 This mail is unauthenticated, which poses a security risk to the sender"),
    (CONTENU, "550-5.7.25 The IP address sending this message does not have a PTR record setup"),
    (CONTENU, "550 5.7.1 this message is likely suspicious due to the very low reputation of the sending domain."),
    (CONTENU, "550-5.7.1 Invalid credentials for relay [192.0.2.1]. The IP address you've registered"),
    (CONTENU, "550-5.7.1 Daily SMTP relay limit exceeded for customer."),
    (RCPT, "421 4.7.28 Our system has detected an unusual rate of unsolicited mail from your IP address."),
    (SmtpStep.OUVERTURE, "535 5.7.8 Username and Password not accepted."),
    (SmtpStep.OUVERTURE, "534-5.7.9 Application-specific password required."),
    (SmtpStep.OUVERTURE, "554 5.7.1 Service refused, your IP is listed"),
    (SmtpStep.OUVERTURE, "454 4.7.0 Too many login attempts, please try again later."),
    # Amazon SES.
    (CONTENU, "554 Message rejected: Email address is not verified. The following identities failed the check"),
    (CONTENU, "454 Throttling failure: Maximum sending rate exceeded."),
    (CONTENU, "454 Throttling failure: Daily message quota exceeded."),
    (CONTENU, "554 Access denied: User `arn:aws:iam::1:user/x' is not authorized to perform `ses:SendRawEmail'"),
    (CONTENU, "554 Message rejected: Sending suspended for this account. For more information, see x"),
    (CONTENU, "554 Message rejected: Sending paused for this account."),
    # Sendgrid, Mailjet, Mailgun, Brevo, Postmark, OVH.
    (CONTENU, "550 The from address does not match a verified Sender Identity. Mail cannot be sent"),
    (MAIL, "550 Unauthenticated senders not allowed"),
    (CONTENU, "451 You've exceeded your messaging limits"),
    (CONTENU, "451 Authentication failed: Maximum credits exceeded"),
    (CONTENU, "550 5.7.1 Sender address is not authorized for this account"),
    (CONTENU, "554 5.7.1 Inactive sender"),
    (RCPT, "421 Domain place.example.org is not allowed to send: Sandbox subdomains are for test purposes only"),
    (CONTENU, "550 Please activate your account. Domain not verified"),
    (RCPT, "525 5.7.1 Unauthorized IP address"),
    (CONTENU, "422 Sender signature not confirmed"),
    (CONTENU, "550 5.7.1 Your account has been blocked: too many mails sent"),
    (CONTENU, "550 5.7.1 Expéditeur refusé"),
    (CONTENU, "452 4.5.3 Too many recipients"),
    (CONTENU, "550 Insufficient credit"),
    (CONTENU, "554 5.7.1 Message rejected: DMARC policy of x.fr"),
]

DESTINATAIRE = [
    (RCPT, "550 5.1.1 <quota.sender.relay@exemple.fr>: Recipient address rejected: User unknown"),
    (RCPT, "550 No such user here"),
    (RCPT, "550 5.1.1 The email account that you tried to reach does not exist."),
    (RCPT, "550 Unrouteable address"),
    (RCPT, "550 Requested action not taken: mailbox unavailable"),
    (RCPT, "550 non"),
    (RCPT, "550 5.7.1 <a@b.fr>: Recipient address rejected: Access denied"),
    (RCPT, "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)"),
    (RCPT, "550 5.7.1 You have been blocked by the recipient"),
    (RCPT, "550 5.7.1 The user does not accept mail from this sender"),
    (RCPT, "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required"),
    (RCPT, "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required"),
    (RCPT, "550 5.7.124 RESOLVER.RST.SenderNotInAllowedSendersList; sender not in allowed-senders list"),
    (CONTENU, "552 5.2.2 mailbox over quota"),
    (CONTENU, "552-5.2.2 The email account that you tried to reach is over quota."),
    (RCPT, "452 4.2.2 The email account that you tried to reach is over quota and inactive."),
    (RCPT, "552 5.2.2 Over quota"),
    (RCPT, "552 Mailbox full"),
    (RCPT, "552 Requested mail action aborted: recipient exceeded storage allocation"),
    (RCPT, "554 La boîte aux lettres est pleine"),
    (RCPT, "550 5.2.1 The email account that you tried to reach is disabled."),
    (RCPT, "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents more"),
    (RCPT, "451 4.7.1 Greylisting in action, please come back later"),
    (RCPT, "450 4.2.0 <a@b.fr>: Recipient address rejected: Greylisted, see http://postgrey"),
    (RCPT, "450 plus tard"),
    (RCPT, "421 4.7.0 Try again later"),
    (RCPT, "556 5.1.10 Domain b.fr does not accept mail (nullMX)"),
    (RCPT, "550 5.7.1 Group only accepts messages from its members"),
]

MESSAGE = [
    (MAIL, "552 5.3.4 Message size exceeds fixed limit"),
    (MAIL, "552 5.2.3 message size exceeds the daily limit of this relay"),
    (CONTENU, "552 5.3.4 Message too big for system"),
    (CONTENU, "554 5.6.0 Message contains invalid header"),
    (CONTENU, "554 5.7.1 Spam message rejected"),
    (CONTENU, "550 5.7.1 Message contains a virus"),
    (CONTENU, "550-5.7.1 [192.0.2.1] Our system has detected that this message is likely unsolicited mail."),
    (CONTENU, "550 5.7.1 URL in this message is on a blacklist (surbl)"),
    (CONTENU, "550 High probability of spam"),
    (CONTENU, "554 5.7.1 deux lignes"),
    (CONTENU, "554 Transaction failed"),
]

FOURNISSEUR = [
    (MAIL, "451 4.3.0 plus tard"),
    (MAIL, "452 4.3.1 Insufficient system storage"),
    (RCPT, "452 4.3.1 Insufficient system storage"),
    (CONTENU, "451 4.3.0 Error: queue file write error"),
    (RCPT, "451 Temporary local error"),
    (RCPT, "451 4.7.500 Server busy. Please try again later from [192.0.2.1]."),
    (CONTENU, "554 5.3.5 Local configuration error"),
    (SmtpStep.OUVERTURE, "421 4.3.2 Service shutting down"),
]

CAS = [
    (faute, etape, reponse)
    for faute, lignes in (
        (Faute.NOTRE, NOTRE),
        (Faute.DESTINATAIRE, DESTINATAIRE),
        (Faute.MESSAGE, MESSAGE),
        (Faute.FOURNISSEUR, FOURNISSEUR),
    )
    for etape, reponse in lignes
]


@pytest.mark.parametrize(("faute", "etape", "reponse"), CAS)
def test_un_refus_est_attribue_a_qui_il_revient(faute: Faute, etape: SmtpStep, reponse: str) -> None:
    assert juger(etape, int(reponse[:3]), reponse[4:]) is faute


@given(
    etape=st.sampled_from(SmtpStep),
    code=st.integers(400, 599),
    texte=st.one_of(st.text(max_size=200), st.sampled_from([reponse[4:] for _, _, reponse in CAS])),
)
def test_seuls_le_destinataire_et_le_message_finissent_un_envoi(etape: SmtpStep, code: int, texte: str) -> None:
    """Whatever a relay writes has a verdict, and an outcome that agrees with it."""
    faute, issue = juger(etape, code, texte), refus(Reponse(code, texte), "relais", etape)
    if isinstance(issue, Permanent):
        assert faute in (Faute.DESTINATAIRE, Faute.MESSAGE)
        assert code >= 500
    assert isinstance(issue, NousRefuse) == (faute is Faute.NOTRE)
    assert re.fullmatch(r"smtp \d{3}( [245](\.\d{1,3}){2})?", issue.motif), "codes only: words repeat addresses"


@given(code=st.integers(500, 599), texte=st.sampled_from([reponse[4:] for _, reponse in NOTRE + DESTINATAIRE]))
def test_un_refus_de_l_expediteur_n_est_jamais_la_fin_d_un_envoi(code: int, texte: str) -> None:
    assert not isinstance(refus(Reponse(code, texte), "relais", SmtpStep.MAIL), Permanent)


@given(cas=st.sampled_from(CAS), local=st.sampled_from(["quota", "sender", "relay", "spam", "credit", "mailbox.full"]))
def test_l_adresse_de_quelqu_un_ne_change_pas_le_verdict(cas: tuple[Faute, SmtpStep, str], local: str) -> None:
    faute, etape, reponse = cas
    assert juger(etape, int(reponse[:3]), f"{reponse[4:]} <{local}@exemple.fr>") is faute


def test_un_421_avant_le_destinataire_est_le_relais_qui_ferme() -> None:
    assert type(refus(Reponse(421, "4.3.2 closing"), "relais", SmtpStep.MAIL)) is Injoignable
    assert isinstance(refus(Reponse(421, "4.3.2 closing"), "relais", SmtpStep.RCPT), Temporaire)


@pytest.mark.parametrize(
    ("accord", "reference"),
    [
        ("2.0.0 Ok: queued as 4XyZ12abcd", "4XyZ12abcd"),
        ("Ok: queued as abcdef-ghi_jklMNOP", "abcdef-ghi_jklMNOP"),
        ("OK, queued as 12ab34cd.56ef@host", "12ab34cd.56ef@host"),
        (
            "OK: queued as <202611291030.12345678901@smtp-relay.example.net>",
            "202611291030.12345678901@smtp-relay.example.net",
        ),
        ("Ok: queued as 4XyZ12abcd.", "4XyZ12abcd"),
        ("OK queued as 5f1c9a3e-1b2c-4d5e-8f90-aabbccddeeff", "5f1c9a3e-1b2c-4d5e-8f90-aabbccddeeff"),
        ("OK id=1rAbCd-000Xyz-1A", "1rAbCd-000Xyz-1A"),
        ("2.0.0 OK  1701251829 d2e1a72fcca58-6cde4a-12 - gsmtp", "d2e1a72fcca58-6cde4a-12"),
        ("2.6.0 <x@y> [InternalId=12345678, Hostname=h] Queued mail for delivery", "12345678"),
        ("ok 1701251829 qp 12345", "12345"),
        ("Ok 0102018c1a2b3c4d-5e6f-000000", "0102018c1a2b3c4d-5e6f-000000"),
        ("2.0.0 3AT9xyz012345 Message accepted for delivery", "3AT9xyz012345"),
        ("Ok: queued as aé<b", None),
        ("2.0.0 Ok", None),
        ("Message accepted", None),
    ],
)
def test_l_identifiant_du_relais_est_lu_entier_ou_pas_du_tout(accord: str, reference: str | None) -> None:
    assert recu(Reponse(250, accord), "relais").reference == reference
