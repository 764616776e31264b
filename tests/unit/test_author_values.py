"""Some 700 values of From as programs write them, each with its one right reading.

From RFC 822 A, RFC 2822 A, RFC 5322 A and 4.4, RFC 2047 8, the tests of Go's net/mail, MimeKit, nodemailer and
mail-parser, and reports of Mozilla Relay, SimpleLogin, addy.io, authentication_milter and phishing_pot.
"""

import sys
from itertools import product
from types import FrameType
from typing import Any

import pytest
from postern_mail.mail import address_words
from postern_mail.mail import authors as reader
from postern_mail.mail.authors import authors, count_mailboxes, each_once, unaddressed

# A name as it is written before brackets, and as it is read.
NAMES = {
    "Betsy": "Betsy",
    "Betsy Smith": "Betsy Smith",
    "Joe Q. Public": "Joe Q. Public",
    "Who?": "Who?",
    "O'Neill": "O'Neill",
    '"Smith, Betsy"': "Smith, Betsy",
    '"Giant; \\"Big\\" Box"': 'Giant; "Big" Box',
    '"Smith: Personal <x> Account"': "Smith: Personal <x> Account",
    '"boss@bank.example"': "boss@bank.example",
    "boss@bank.example": "boss@bank.example",
    "Sales @ Company": "Sales @ Company",
    'Jeffrey "fejj" Stedfast': "Jeffrey fejj Stedfast",
    "=?utf-8?Q?Smith=2C_Betsy?=": "Smith, Betsy",
    "=?utf-8?Q?Smith, Betsy?=": "Smith, Betsy",
    "=?utf-8?b?QmV0?= =?utf-8?b?c3k=?=": "Betsy",
    "=?utf-8?q?boss=40bank.example?=": "boss@bank.example",
    "(home) Betsy": "Betsy",
    "Betsy (her (own) \\) account)": "Betsy",
    "Dr. =?utf-8?Q?Jos=C3=A9?=": "Dr. José",
    "José": "José",
}
# What stands between brackets, and the address it is.
BRACKETED = {
    "a@x.example": "a@x.example",
    " a@x.example ": "a@x.example",
    "a @ x.example": "a@x.example",
    "a@ x.example": "a@x.example",
    "a@\tx.example": "a@x.example",
    "a@x . example": "a@x.example",
    "a.b@x. example": "a.b@x.example",
    "a . b@x.example": "a.b@x.example",
    "a(his account)@x.example(his host)": "a@x.example",
    "(c)a(c).(c)b(c)@(c)x(c).(c)example(c)": "a.b@x.example",
    "a@x.example.": "a@x.example",
    "mailto:a@x.example": "a@x.example",
    "MAILTO: a@x.example": "a@x.example",
    "SMTP:a@x.example": "a@x.example",
    "mailto:a@x.example?subject=hi": "a@x.example",
    "'a@x.example'": "a@x.example",
    '"a@x.example"': "a@x.example",
    "=?utf-8?q?a=40x.example?=": "a@x.example",
    "=?utf-8?b?YUB4LmV4YW1wbGU=?=": "a@x.example",
    "=?utf-8?q?a?=@x.example": "a@x.example",
    '"a"@x.example': "a@x.example",
    '"a" @x.example': "a@x.example",
    '"a.b"@x.example': "a.b@x.example",
    '"a"."b"@x.example': "a.b@x.example",
    '"a b"@x.example': '"a b"@x.example',
    '"a<b>c"@x.example': '"a<b>c"@x.example',
    '"a>b,c;d"@x.example': '"a>b,c;d"@x.example',
    '"a@b"@x.example': '"a@b"@x.example',
    '"a\\"b"@x.example': '"a\\"b"@x.example',
    "@r.example:a@x.example": "a@x.example",
    "@r.example, @s.example , : a@x.example": "a@x.example",
    "a+tag=b/c%d!e@x.example": "a+tag=b/c%d!e@x.example",
    "a..b.@x.example": "a..b.@x.example",
    "_a@sub_domain.x.example": "_a@sub_domain.x.example",
    "a@[192.0.2.1]": "a@[192.0.2.1]",
    "a@[ 192.0.2.1 ]": "a@[192.0.2.1]",
    "a@[IPv6:2001:db8::1]": "a@[ipv6:2001:db8::1]",
    "root@localhost": "root@localhost",
    "a@bücher.example": "a@xn--bcher-kva.example",
    "josé@x.example": "josé@x.example",
    '"josé a"@x.example': '"josé a"@x.example',
    "用户@例子.example": "用户@xn--fsqu00a.example",
    "<a@x.example>": "a@x.example",
    "a@x.example,": "a@x.example",
    "a@x.example;": "a@x.example",
}
# Values as a whole: name and address of each author.
WHOLE: dict[str, list[tuple[str, str]]] = {
    # bare
    "a@x.example": [("", "a@x.example")],
    "a @ x . example": [("", "a@x.example")],
    "a(home)@x.example": [("home", "a@x.example")],
    "john . doe @ x . example": [("", "john.doe@x.example")],
    "a@x.example (Betsy)": [("Betsy", "a@x.example")],
    "(Betsy) a@x.example": [("Betsy", "a@x.example")],
    "a@x.example (Betsy (home))": [("Betsy (home)", "a@x.example")],
    "a@x.example Betsy": [("Betsy", "a@x.example")],
    "a@x.example (home) Betsy": [("Betsy", "a@x.example")],
    "Betsy Smith a@x.example": [("Betsy Smith", "a@x.example")],
    "Betsy Q. Smith a@x.example": [("Betsy Q. Smith", "a@x.example")],
    "Betsy a @ x.example": [("Betsy", "a@x.example")],
    "Betsy a@ x.example": [("Betsy", "a@x.example")],
    "mailto:a@x.example": [("", "a@x.example")],
    "Betsy mailto:a@x.example": [("Betsy", "a@x.example")],
    "Betsy [mailto:a@x.example]": [("Betsy", "a@x.example")],
    "a@x.example [mailto:a@x.example]": [("", "a@x.example")],
    "Betsy [a@x.example]": [("Betsy", "a@x.example")],
    "a@x.example.": [("", "a@x.example")],
    "'a@x.example'": [("", "a@x.example")],
    "“a@x.example”": [("", "a@x.example")],
    "a@[192.0.2.1]": [("", "a@[192.0.2.1]")],
    "a@[IPv6:2001:db8::1]": [("", "a@[ipv6:2001:db8::1]")],
    '"a b"@x.example': [("", '"a b"@x.example')],
    '"a<b>c"@x.example': [("", '"a<b>c"@x.example')],
    'a."b c".d@x.example': [("", '"a.b c.d"@x.example')],
    "josé@x.example": [("", "josé@x.example")],
    # quotes are a name, and never join what follows
    '"peter"w@x.example': [("peter", "w@x.example")],
    '"peter" w@x.example': [("peter", "w@x.example")],
    '"peter"w_ewo@x.example': [("peter", "w_ewo@x.example")],
    '"Betsy""Smith" a@x.example': [("BetsySmith", "a@x.example")],
    '"boss@bank.example" a@x.example': [("boss@bank.example", "a@x.example")],
    '"boss@bank.example"a@x.example': [("boss@bank.example", "a@x.example")],
    '"boss@bank.example", <a@x.example>': [("", "a@x.example")],
    '"boss@bank.example" , <a@x.example>': [("", "a@x.example")],
    '"boss@bank.example"; a@x.example': [("", "a@x.example")],
    '<a@x.example>, "boss@bank.example"': [("", "a@x.example")],
    "=?utf-8?q?boss=40bank.example?=, <a@x.example>": [("", "a@x.example")],
    "<a@x.example>, =?utf-8?q?boss=40bank.example?=": [("", "a@x.example")],
    '"=?utf-8?q?boss=40bank.example?=", <a@x.example>': [("", "a@x.example")],
    "(boss@bank.example) <a@x.example>": [("boss@bank.example", "a@x.example")],
    # an encoded-word alone, where there is nothing else
    "=?utf-8?q?a=40x.example?=": [("", "a@x.example")],
    "=?utf-8?b?QmV0c3kgPGFAeC5leGFtcGxlPg==?=": [("Betsy", "a@x.example")],
    "=?utf-8?Q?Betsy_<a=40x.example>?=": [("Betsy", "a@x.example")],
    "=?utf-8?Q?=22Smith=2C_Betsy=22_=3Ca=40x.?= =?utf-8?Q?example=3E?=": [("Smith, Betsy", "a@x.example")],
    "=?utf-8?q?Betsy?= a@x.example": [("Betsy", "a@x.example")],
    # brackets
    "A <a@x.example> <b@y.example>": [("A", "a@x.example"), ("", "b@y.example")],
    "A <a@x.example> B <b@y.example>": [("A", "a@x.example"), ("B", "b@y.example")],
    "<a@x.example><b@y.example>": [("", "a@x.example"), ("", "b@y.example")],
    "<a@x.example> (home) <b@y.example>": [("home", "a@x.example"), ("", "b@y.example")],
    "A <a@x.example> the rest": [("A", "a@x.example")],
    "A <a@x.example> b@y.example": [("A", "a@x.example")],
    '"A" <a@x.example> "B"': [("A", "a@x.example")],
    "A <home> <a@x.example>": [("A", "a@x.example")],
    "<Betsy Smith> <a@x.example>": [("Betsy Smith", "a@x.example")],
    "a@x.example <Betsy Smith>": [("Betsy Smith", "a@x.example")],
    "a@x.example <>": [("", "a@x.example")],
    "a@x.example <a@x.example>": [("a@x.example", "a@x.example")],
    "A <<a@x.example>>": [("A", "a@x.example")],
    "A <a@x.example": [("A", "a@x.example")],
    "A <a@x.example, B <b@y.example>": [("A", "a@x.example"), ("B", "b@y.example")],
    "A a@x.example>": [("A", "a@x.example")],
    "A <a@x.example, b@y.example>": [("A", "a@x.example"), ("", "b@y.example")],
    "A <a@x.example; b@y.example>": [("A", "a@x.example"), ("", "b@y.example")],
    "reinman > andris < test <a@x.example>": [("reinman andris", "a@x.example")],
    # never closed
    '"Betsy <a@x.example>': [("Betsy", "a@x.example")],
    'Betsy" <a@x.example>': [("Betsy", "a@x.example")],
    "Betsy (home <a@x.example>": [("Betsy (home", "a@x.example")],
    "Betsy home) <a@x.example>": [("Betsy home)", "a@x.example")],
    "=?utf-8?q?Betsy <a@x.example>": [("=?utf-8?q?Betsy", "a@x.example")],
    # lists and groups
    "A <a@x.example>, b@y.example": [("A", "a@x.example"), ("", "b@y.example")],
    "a@x.example; b@y.example;": [("", "a@x.example"), ("", "b@y.example")],
    ",, a@x.example,,": [("", "a@x.example")],
    "Smith, Betsy <a@x.example>": [("Smith, Betsy", "a@x.example")],
    "Team: A <a@x.example>, b@y.example;": [("A", "a@x.example"), ("", "b@y.example")],
    "Team:a@x.example;, Others:b@y.example;": [("", "a@x.example"), ("", "b@y.example")],
    "A Group(Some people):C <c@(Chris's host.)x.example>, j@y.example, J <d@z.example> (my dear friend); (the end)": [
        ("C", "c@x.example"),
        ("", "j@y.example"),
        ("J", "d@z.example"),
    ],
    "Mary <@node.test:mary@x.example>, , jdoe@y  . example": [("Mary", "mary@x.example"), ("", "jdoe@y.example")],
    "FirstName :: Company <a@x.example>": [("FirstName :: Company", "a@x.example")],
    "Betsy :) <a@x.example>": [("Betsy :)", "a@x.example")],
    "Re: Betsy <a@x.example>, b@y.example": [("Re: Betsy", "a@x.example"), ("", "b@y.example")],
    "A <a@x.example> <mailto:a@x.example>": [("A", "a@x.example")],
    '""Betsy"" <a@x.example>': [("Betsy", "a@x.example")],
    'A <"A" <a@x.example>>': [("A", "a@x.example")],
}
# What has no address in it that is not a guess, and what is shown of it.
NONE = {
    "": "",
    "<>": "",
    "@x.example": "@x.example",
    "a@": "a@",
    "Mail Delivery System <MAILER-DAEMON>": "Mail Delivery System",
    "MAILER-DAEMON (Mail Delivery Subsystem)": "MAILER-DAEMON (Mail Delivery Subsystem)",
    '"I am Groot" <>': "I am Groot",
    '"I am Groot" <groot>': "I am Groot",
    "<groot>": "groot",
    "root": "root",
    "=?utf-8?q?Groot?= <>": "Groot",
    "undisclosed-recipients:;": "",
    '"a@x.example"': "a@x.example",
    '"Betsy <a@x.example>"': "Betsy <a@x.example>",
    "a@b@x.example": "a@b@x.example",
    "<a@b@x.example>": "a@b@x.example",
    "<john doe@x.example>": "john doe@x.example",
    'w"peter"@x.example': "wpeter@x.example",
    '<w"peter"@x.example>': "wpeter@x.example",
    '<"peter"w@x.example>': "peterw@x.example",
    "<a@x..example>": "a@x..example",
    "<a@x example>": "a@x example",
    "<a at x.example>": "a at x.example",
    "boss@bank.example <evil@@x.example>": "boss@bank.example",
    "boss@bank.example <evil@x example>": "boss@bank.example",
    '"boss@bank.example" <evil>': "boss@bank.example",
    "=?utf-8?q?a=40x.example=2C_b=40y.example?=": "a@x.example, b@y.example",
    "<a\u202e@x.example>": "a @x.example",
}


def read(value: str) -> list[tuple[str, str]]:
    return [(author.name, str(author.address)) for author in authors(value.encode())]


@pytest.mark.parametrize("bracketed", BRACKETED)
def test_every_name_with_every_way_to_write_an_address(bracketed: str) -> None:
    wrong = {}
    for name, tail in product(NAMES, ("", "\t", " (home)")):
        value = f"{name} <{bracketed}>{tail}"
        if read(value) != [(NAMES[name], BRACKETED[bracketed])]:
            wrong[value] = read(value)
    assert wrong == {}
    assert [address for _, address in read(f"<{bracketed}>, b <b@y.example>")] == [BRACKETED[bracketed], "b@y.example"]


@pytest.mark.parametrize("value", WHOLE)
def test_values(value: str) -> None:
    assert read(value) == WHOLE[value]
    assert unaddressed(value.encode()) == ""


@pytest.mark.parametrize("value", NONE)
def test_what_is_no_address_is_none_and_keeps_its_name(value: str) -> None:
    assert (read(value), unaddressed(value.encode())) == ([], NONE[value])


def test_an_author_is_there_once_and_keeps_a_name() -> None:
    found = each_once(authors(b"a@x.example, B <b@y.example>, Betsy <A@X.example>, Other <a@x.example>"))
    assert [(one.name, one.address.key) for one in found] == [("Betsy", "a@x.example"), ("B", "b@y.example")]


HOSTILE = {
    "comments": "(" * 40,
    "comments that close": "()" * 20,
    "nested": "(" * 20 + ")" * 20,
    "quotes": '"' * 41,
    "escaped quotes": '"\\' * 20,
    "brackets": "<" * 40,
    "brackets with commas": "<a@x," * 8,
    "closed brackets": "<a@x.example>" * 3,
    "closed brackets, comments": "<a@x.example>(c)" * 3,
    "ats": "a@" * 20,
    "dots": ".@" * 20,
    "dotted quotes": '"a".' * 10,
    "commas": "a," * 20,
    "colons": "mailto:" * 6,
    "encoded": "=?a?q?" * 7,
    "encoded that end": "=?a?q?b?=" * 5,
    "literals": "@[" * 20,
    "names": "a, <b@x.example> " * 3,
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_reading_takes_steps_in_proportion_to_the_length(piece: str) -> None:
    """Lines of Python are counted, not time; the patterns are possessive and find each thing once."""
    few, many = (_steps((piece * times).encode()) for times in (25, 100))
    assert many < few * 4.6 + 200


def _steps(value: bytes) -> int:
    count = 0
    files = {reader.__file__, address_words.__file__}

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        return line if frame.f_code.co_filename in files else None

    sys.settrace(line)
    try:
        authors(value), unaddressed(value), count_mailboxes(value)
    finally:
        sys.settrace(None)
    return count
