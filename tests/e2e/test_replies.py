"""Replies through the whole system: SMTP in, Maildirs out."""

import smtplib
from email import message_from_bytes
from email.utils import formatdate

import pytest

from emulator.cloud import HOST
from emulator.demo import round_trip
from emulator.demo.jwz import threads
from emulator.system import Emulator

ANN, BETSY = "ann@home.example", "betsy@sender.example"


def post(emulator: Emulator, sender: str, to: str, raw: str) -> None:
    with smtplib.SMTP(HOST, emulator.receiving.port, local_hostname="mx.sender.example") as client:
        client.sendmail(sender, to, raw.replace("\n", "\r\n").encode())
    emulator.settle()


def test_six_messages_are_one_thread_in_both_mailboxes(emulator: Emulator) -> None:
    said: list[str] = []
    assert round_trip.run(emulator, said.append) == []
    assert said[-2:] == ["Betsy's mailbox: a thread of 6", "Ann's mailbox: a thread of 6"]


def test_a_reply_that_bounces_is_told_to_its_writer_and_suspends_no_one(emulator: Emulator) -> None:
    post(emulator, BETSY, round_trip.SHOP, "From: <bounce@sender.example>\nSubject: hi\n\nx\n")
    to = message_from_bytes(emulator.maildirs.messages(ANN)[-1])["Reply-To"].rpartition("<")[2].rstrip(">")
    before = emulator.maildirs.count(ANN)
    post(emulator, ANN, to, f"From: {ANN}\nTo: {to}\nDate: {formatdate()}\nSubject: Re: hi\n\nx\n")
    (told,) = emulator.maildirs.messages(ANN)[before:]
    assert b"Subject: Your reply was not delivered\r\n" in told
    assert b"bounce@sender.example" in told
    assert "bounce@sender.example" not in [row["address"] for row in emulator.cloud.rows("DestinationTable")]


def test_a_stranger_gets_nothing_by_a_reply_address(emulator: Emulator) -> None:
    post(emulator, BETSY, round_trip.SHOP, f"From: {BETSY}\nSubject: hi\n\nx\n")
    to = message_from_bytes(emulator.maildirs.messages(ANN)[-1])["Reply-To"].rpartition("<")[2].rstrip(">")
    before = emulator.maildirs.count(BETSY)
    forged = f"From: {ANN}\nTo: {to}\nDate: {formatdate()}\nSubject: Re: hi\n\nx\n"
    post(emulator, "friend@spammer.example", to, forged)
    assert emulator.maildirs.count(BETSY) == before
    assert emulator.maildirs.count("friend@spammer.example") == 0


@pytest.mark.parametrize(
    ("references", "pieces"), [("<1@a> <2@a>", [3]), ("<1@a>", [3]), ("<9@a>", [2, 1]), ("", [2, 1])]
)
def test_the_judge_of_threads_sees_one_that_is_torn(references: str, pieces: list[int]) -> None:
    """A check that cannot fail checks nothing."""
    box = ["Message-ID: <1@a>", "Message-ID: <2@a>\nReferences: <1@a>", f"Message-ID: <3@a>\nReferences: {references}"]
    assert [len(one) for one in threads(f"{one}\n\nx".encode() for one in box)] == pieces
