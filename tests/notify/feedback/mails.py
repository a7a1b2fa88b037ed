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


def holiday_mail() -> bytes:
    """What a person's mail program answers by itself."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "amina@example.com", "shop@duka.example", "Out of office"
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("I am in Kisumu. Status: 5.1.1 of rest.")
    return mail.as_bytes()
