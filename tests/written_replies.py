"""Mail as people's programs write it, in answer to a forward: Gmail's, Outlook's, Apple Mail's, mutt's.

Each names its owner in places of its own; `Owner.marks` are the octets that must not leave.
"""

from collections.abc import Callable
from dataclasses import dataclass

BODY = "Friday is fine.\r\n\r\nOn Sunday Betsy wrote:\r\n> Lunch?\r\n"


@dataclass(frozen=True)
class Owner:
    """A writer: address, name, the machine used and the server that brings the mail."""

    address: str = "jane.doe@dest.example"
    name: str = "Jane Doe"
    machine: str = "janes-laptop.fritz.box"
    ip: str = "10.11.12.13"
    server: str = "smtp-out-7.dest-mail.example"
    server_ip: str = "198.51.100.77"

    @property
    def marks(self) -> tuple[str, ...]:
        return (self.address, self.machine, self.ip, self.server, self.server_ip, self.name)


def gmail(owner: Owner, to: str, thread: str, subject: str) -> str:
    return f"""\
Received: by {owner.server} with SMTP id x12so1234567wrp.3 for <{to}>; Sun, 22 Nov 2026 04:00:00 -0800 (PST)
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={owner.address.partition("@")[2]}; s=20230601; t=1;
 h=to:subject:message-id:date:from:in-reply-to:references:mime-version:from:to:cc:subject:date:message-id;
 bh=AAAA=; b=BBBB
X-Google-DKIM-Signature: v=1; a=rsa-sha256; d=1e100.net; s=20230601; h=to:from; bh=AAAA=; b=CCCC
X-Gm-Message-State: AOJu0YyJ{owner.machine}
X-Received: by {owner.server_ip} with SMTP id h6mr1; Sun, 22 Nov 2026 04:00:00 -0800 (PST)
MIME-Version: 1.0
References: {thread}
In-Reply-To: {thread.rsplit(maxsplit=1)[-1]}
From: {owner.name} <{owner.address}>
Date: Sun, 22 Nov 2026 13:00:00 +0100
X-Gm-Features: AWmQ_bk{owner.name.encode().hex()}
Message-ID: <CAF1@{owner.machine}>
Subject: {subject}
To: "Betsy at sender.example" <{to}>
Content-Type: multipart/alternative; boundary="000000000000abcdef0123456789"

--000000000000abcdef0123456789
Content-Type: text/plain; charset="UTF-8"

{BODY}
--000000000000abcdef0123456789
Content-Type: text/html; charset="UTF-8"

<p>Friday is fine.</p>
--000000000000abcdef0123456789--
"""


def outlook(owner: Owner, to: str, thread: str, subject: str) -> str:
    return f"""\
Received: from {owner.server} ([{owner.server_ip}]) by mail.protection.outlook.com with ESMTPS; Sun, 22 Nov 2026 12:00:00 +0000
ARC-Seal: i=1; a=rsa-sha256; s=arcselector10001; d=microsoft.com; cv=none; b=DDDD
ARC-Authentication-Results: i=1; mx.microsoft.com 1; spf=pass smtp.mailfrom={owner.address}; dkim=pass
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={owner.address.partition("@")[2]}; s=selector1;
 h=From:Date:Subject:Message-ID:Content-Type:MIME-Version:X-MS-Exchange-SenderADCheck; bh=AAAA=; b=EEEE
From: {owner.name} <{owner.address}>
Sender: {owner.address}
To: Betsy at sender.example <{to}>
Subject: {subject}
Thread-Topic: Lunch?
Thread-Index: AQHb{owner.name.encode().hex()}
Date: Sun, 22 Nov 2026 12:00:00 +0000
Message-ID: <DB9PR01MB1234@{owner.machine}>
References: {thread}
In-Reply-To: {thread.rsplit(maxsplit=1)[-1]}
Accept-Language: de-DE, en-US
Content-Language: de-DE
X-MS-Has-Attach:
X-MS-TNEF-Correlator:
authentication-results: dkim=none header.d=none;dmarc=none action=none header.from={owner.address.partition("@")[2]};
x-originating-ip: [{owner.ip}]
x-ms-exchange-crosstenant-mailboxname: {owner.address}
X-OriginatorOrg: {owner.address.partition("@")[2]}
Disposition-Notification-To: {owner.name} <{owner.address}>
Return-Receipt-To: <{owner.address}>
Content-Type: text/plain; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable
MIME-Version: 1.0

{BODY}"""


def apple(owner: Owner, to: str, thread: str, subject: str) -> str:
    return f"""\
Received: from smtpclient.apple ({owner.machine} [{owner.ip}]) by {owner.server} (Postfix) with ESMTPSA id 4X; Sun, 22 Nov 2026 12:00:00 +0000
From: {owner.name} <{owner.address}>
Content-Type: text/plain; charset=us-ascii; x-apple-part-url=13A7
Content-Transfer-Encoding: quoted-printable
Mime-Version: 1.0 (Mac OS X Mail 16.0 \\(3826.300.87.4.3\\))
Subject: {subject}
X-Apple-Auto-Saved: 1
X-Universally-Unique-Identifier: 2D6C
Date: Sun, 22 Nov 2026 13:00:00 +0100
References: {thread}
To: Betsy at sender.example <{to}>
In-Reply-To: {thread.rsplit(maxsplit=1)[-1]}
Message-Id: <8B1C2D3E@{owner.machine}>
X-Mailer: Apple Mail (2.3826.300.87.4.3)

{BODY}"""


def mutt(owner: Owner, to: str, thread: str, subject: str) -> str:
    user = owner.address.partition("@")[0]
    return f"""\
Received: by {owner.machine} (Postfix, from userid 1000) id 5F; Sun, 22 Nov 2026 13:00:00 +0100 (CET)
Received: from {owner.machine} ([{owner.ip}]) by {owner.server} with ESMTPSA; Sun, 22 Nov 2026 13:00:00 +0100 (CET)
Date: Sun, 22 Nov 2026 13:00:00 +0100 ({owner.machine})
From: {owner.name} <{owner.address}>
To: Betsy at sender.example <{to}>
Subject: {subject}
Message-ID: <aSGz5Kq@{owner.machine}>
Mail-Followup-To: {to}, {owner.address}
References: {thread}
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii
Content-Disposition: inline
In-Reply-To: {thread.rsplit(maxsplit=1)[-1]}
Organization: {owner.name}, private
Autocrypt: addr={owner.address}; keydata=mDMEX{user}
OpenPGP: id=0x1234; url=https://{owner.machine}/key.asc
User-Agent: Mutt/2.2.13 (on {owner.machine})
X-Operating-System: Linux {owner.machine} 6.1
List-Id: <private.{owner.machine}>

{BODY}"""


PROGRAMS: tuple[Callable[[Owner, str, str, str], str], ...] = (gmail, outlook, apple, mutt)


def written(
    program: Callable[[Owner, str, str, str], str], owner: Owner, to: str, thread: str = "<1@sender.example>",
    subject: str = "Re: Lunch?",
) -> bytes:  # fmt: skip
    """The mail as it comes to SES."""
    text = program(owner, to, thread, subject).replace("\r\n", "\n").replace("\n", "\r\n")
    return text.encode("utf-8")
