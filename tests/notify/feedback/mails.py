"""Bounce mails as mail servers write them."""

from email.message import EmailMessage

ORIGINAL = "From: shop@duka.example\r\nTo: amina@example.com\r\nMessage-ID: {message_id}\r\nSubject: Your order\r\n"


def group(
    *,
    final: str = "amina@example.com",
    original: str | None = None,
    action: str | None = "failed",
    status: str | None = "5.1.1",
    diagnosis: str | None = "smtp; 550 5.1.1 <amina@example.com>: Recipient address rejected:\r\n    User unknown",
) -> str:
    """The fields about one recipient (RFC 3464 2.3)."""
    fields = {
        "Final-Recipient": f"rfc822; {final}" if final else None,
        "Original-Recipient": f"rfc822;{original}" if original else None,
        "Action": action,
        "Status": status,
        "Remote-MTA": "dns; mx.example.com",
        "Diagnostic-Code": diagnosis,
    }
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)


def bounce_mail(
    *groups: str, message_id: str | None = None, attached: str = "message/rfc822", headers: str = ""
) -> bytes:
    """A delivery status notification as Postfix writes it; `attached` "text/rfc822-headers" or "" brings less back."""
    parts = [
        "Content-Type: text/plain; charset=us-ascii\r\n\r\nThis is the mail system at host mail.duka.example.\r\n",
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.duka.example\r\n"
        "X-Postfix-Sender: rfc822; shop@duka.example\r\n\r\n" + "\r\n".join(groups),
    ]
    if attached and message_id is not None:
        end = "\r\nHello Amina\r\n" if attached == "message/rfc822" else ""
        parts.append(f"Content-Type: {attached}\r\n\r\n{ORIGINAL.format(message_id=message_id)}{end}")
    head = (
        "From: MAILER-DAEMON@mail.duka.example (Mail Delivery System)\r\nTo: shop@duka.example\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\n{headers}Auto-Submitted: auto-replied\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
    )
    return (head + "".join(f"--B\r\n{part}\r\n" for part in parts) + "--B--\r\n").encode()


def foreign_mail(report: str, returned: str, *, head: str = "") -> bytes:
    """A bounce in somebody else's words: the parts with the status and with what came back, as they stand there."""
    parts = ("Content-Type: text/plain; charset=UTF-8\n\nSorry.\n", report, returned)
    start = (
        f'{head}Content-Type: multipart/report; report-type=delivery-status; boundary="----=_b"\nMIME-Version: 1.0\n\n'
    )
    return (start + "".join(f"------=_b\n{part}\n" for part in parts) + "------=_b--\n").encode()


# As these systems write them; {id} is the Message-ID of what came back.
EXIM = (
    """Content-type: message/delivery-status

Reporting-MTA: dns; cpanel7.host.example

Action: failed
Final-Recipient: rfc822;amina@example.com
Status: 5.0.0
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; 550 No Such User Here
""",
    """Content-type: message/rfc822

Return-path: <shop@duka.example>
Received: from [127.0.0.1] (helo=duka.example) by cpanel7.host.example with esmtpsa id 1t1
Message-Id: {id}

Hello
""",
)
GMAIL = (
    """Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Received-From-MTA: dns; shop@duka.example
Arrival-Date: Thu, 26 Nov 2026 01:15:02 -0800 (PST)
X-Original-Message-ID: {id}

Final-Recipient: rfc822; amina@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.com. (192.0.2.1, the server for the domain example.com.)
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos or
 550 5.1.1 unnecessary spaces. - gsmtp
Last-Attempt-Date: Thu, 26 Nov 2026 01:15:03 -0800 (PST)
""",
    "Content-Type: message/rfc822\n\nDKIM-Signature: v=1; a=rsa-sha256\nMessage-ID: {id}\n\nHello\n",
)
EXCHANGE = (
    """Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR01MB1.eurprd01.prod.exchangelabs.com
Received-From-MTA: dns;mail.duka.example
Arrival-Date: Thu, 26 Nov 2026 09:15:02 +0000

Final-Recipient: rfc822;amina@example.com
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient amina@example.com not found by SMTP
 address lookup
X-Display-Name: amina@example.com
""",
    "Content-Type: message/rfc822\n\nReceived: from AM0 (::1)\nMessage-ID: {id}\n\nHello\n",
)
SES = (
    """Content-Type: message/delivery-status

Reporting-MTA: dns; a8-50.smtp-out.amazonses.com

Action: failed
Final-Recipient: rfc822; amina@example.com
Diagnostic-Code: smtp; 550 5.1.1 user unknown
Status: 5.1.1
""",
    "Content-Type: text/rfc822-headers\n\nFrom: shop@duka.example\nMessage-ID: {id}\n",
)


def holiday_mail() -> bytes:
    """What a person's mail program answers by itself."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "amina@example.com", "shop@duka.example", "Out of office"
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("I am in Kisumu. Status: 5.1.1 of rest.")
    return mail.as_bytes()
