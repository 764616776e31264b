"""Postern, the back gate of a mail domain. The way of a message, in the order of the modules:

1.  `mail.envelope`   SES's receipt event -> Envelope: sender, recipients and SES's verdicts.
2.  `ledger`          the envelope is written down before anything else happens.
3.  `mail_store`      the message itself, from S3; the sender rules need its From.
4.  `lookup`          the alias rows of all recipients and the sender rules, read side by side (`tables`);
                      `mail.aliases` and `mail.senders` say which keys to ask for and what the rows mean,
                      with `mail.patterns`, `mail.actions` and `mail.verdicts` for their parts.
5.  `mail.plan`       for each recipient Forward, Quarantine, Reject, Discard or Defer, each with its reason.
    Before that, `screening` checks what the owner turned on beyond SES's verdicts: restrictions and DNS lists,
    with one score (`mail.restrictions`, `mail.dns_lists`, `mail.score`); `greylisting` says who is held for a while.
6.  `mail.rewrite`    header fields edited byte-exactly on `mail.message`; the body is never touched.
7.  `deliver`         one SESv2 SendEmail (`mailer`) for each destination, claimed in the ledger before
                      (`mail.claims`), settled after; what SES refuses is repaired (`mail.repair`), attached, or
                      reported (`mail.notice`).
8.  `ledger`          every recipient has an outcome (`mail.outcomes`); the message is closed.
9.  `answer_senders`  one SES SendBounce (`answerer`) to the sender for each recipient that was not reached, if
                      `mail.dsn` says so: `mail.authentication` identifies the sender, `mail.backscatter` says whether
                      it is a robot, `mail.reply` writes the text.
10. `feedback`        what SES reports later (`mail.feedback`) goes into the ledger, and into the health of the
                      destination (`mail.health`), which the next plan considers.

`ledger`, `mail_store`, `tables`, `mailer` and `answerer` are in `aws.forward`.

`forward` takes these steps; `intake` is where every event comes in, first attempts and retries. On schedules, `watch`
finds what was overlooked and `owner_mail` mails the owner each day's digest (`mail.digest`). `links` does what a link
in that mail says when its button is pressed (`mail.link`, `mail.link_pages`, `mail.orders`).

Before all that, SES takes or refuses each recipient by its receipt rules. `recipients` keeps them
equal to the alias table where unknown recipients are to be refused in SMTP.

`mail.address`, `mail.authors`, `mail.encoded_words`, `mail.fields`, `mail.stamp` and `mail.thread` read and write a
header, `mail.header` holds the fields that decisions use. `mail` is pure: no clock, no network, no environment, no
boto3. `aws` is the only place that imports boto3; `ports` declares what the shell needs from it. `errors` says how
things fail: Temporary leaves the handler and is retried, Permanent is recorded.

Apart from the way of a message: `domains` keeps identities and DNS records, `ruleset` decides which receipt rule set is
active, and `custom_resource` answers CloudFormation, which asks for both. `relay` has the SMTP credentials of instances
that send (relay/ in the sources).
"""

__version__ = "0.1.0"
