"""What SES does with incoming mail."""

from .conversation import Replies
from .experiment import Answer, Experiment, Received
from .stage import Stage

_TAKEN = 250


def _case(stage: Stage) -> Answer:
    return _met(
        stage,
        "case",
        stage.names.case_written,
        "`Info@` matches a rule for `info@`: SES ignores the case of local parts.",
        "`Info@` does not match a rule for `info@`: in local parts, case matters to SES.",
    )


def _tags(stage: Stage) -> Answer:
    return _met(
        stage,
        "tags",
        stage.names.tag_written,
        "`info+x@` matches a rule for `info@`.",
        "`info+x@` does not match a rule for `info@`.",
    )


def _met(stage: Stage, experiment: str, written: str, meets: str, misses: str) -> Answer:
    """Whether an address matches the first rule, with another spelling, or only the second, with its own."""
    if refused := stage.send(written, stage.names.letter(experiment, written)):
        return Answer(untried=f"SES refused to send it: {refused}")
    found = stage.arrived(experiment)
    if found is None:
        return Answer(untried="nothing arrived: does the public MX record name SES in this region?")
    return Answer(meets if found.rule == "first" else misses)


def _bucket(stage: Stage) -> Answer:
    refused = stage.may_write(f"{stage.stack[:30]}-verify-{stage.names.run}-bucket")
    if not refused:
        return Answer("SES created a rule whose ARN is not in the bucket policy: its test write does not send the ARN.")
    return Answer(
        f"SES refuses a rule whose ARN is not in the bucket policy (`{refused}`), and accepted the stack's own rule:"
        " the policy may name the rules that write."
    )


def _null_sender(replies: Replies | None, found: Received | None) -> Answer:
    if found is not None:
        said = "is missing" if found.sender is None else f"is `{found.sender}`" if found.sender else "is empty"
        return Answer(f"`mail.source` {said} for a null sender.")
    if replies is not None and replies.data != _TAKEN:
        return Answer(untried=f"SES did not accept the message: {replies.said}")
    return Answer(untried="the message did not arrive in time")


def _half_match(replies: Replies | None, found: Received | None) -> Answer:
    if replies is not None:
        half, other = replies.recipients.values()
        if half != _TAKEN:
            return Answer(untried=f"SES refused the recipient that a rule matches: {replies.said}")
        if other != _TAKEN:
            return Answer(f"SES refuses each recipient that no rule matches ({other} to its RCPT).")
    if found is None:
        return Answer(untried="the message did not arrive in time")
    if len(found.recipients) == 1:
        return Answer("SES accepts a message for all its recipients, and drops the one that no rule matches.")
    return Answer("SES accepts a message for all its recipients; the event names even the one that no rule matches.")


RECEIVING = (
    Experiment(
        "case",
        "Case of local parts in receipt rules",
        "one message to Postern-Verify-...-CASE@ the domain",
        "whether the rule for postern-verify-...-case@ takes it",
        0.0002,
        run=_case,
    ),
    Experiment(
        "tags",
        "Tags in receipt rules",
        "one message to postern-verify-...-tag+x@ the domain",
        "whether the rule for postern-verify-...-tag@ takes it",
        0.0002,
        run=_tags,
    ),
    Experiment(
        "bucket",
        "The bucket probe under `aws:SourceArn`",
        "nothing; it creates a rule that may not write to the stack's bucket",
        "whether SES accepts it",
        0.0,
        run=_bucket,
    ),
    Experiment(
        "null-sender",
        "The null sender",
        "one message with MAIL FROM:<>",
        "what the event says in mail.source",
        0.0001,
        judge=_null_sender,
    ),
    Experiment(
        "half-match",
        "A message of which only some recipients match",
        "one message to a recipient that a rule matches and one that none matches",
        "which of the two SES refuses, and when",
        0.0001,
        judge=_half_match,
    ),
)
