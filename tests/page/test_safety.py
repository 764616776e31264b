"""Each attack on a page that listens on a loopback address, played."""

import pytest
from postern_command.pages.app import ACTIONS, PAGES, application
from postern_command.pages.gate import IDLE, Gate, Refusal
from postern_command.pages.guard import HEADERS, MAX_FORM
from starlette.testclient import TestClient

from tests.fakes import FakeClock
from tests.operating.conftest import Office
from tests.page.browsing import HERE, PORT, Browser

ALIAS = {"address": "info@example.com", "destinations": ["jane@dest.example"]}
STRANGE_HOSTS = (
    "evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT + 1}", f"127.0.0.1.evil.example:{PORT}",
    f"localhost.evil.example:{PORT}", f"0.0.0.0:{PORT}", f"[::]:{PORT}", f"127.1:{PORT}", f"user@127.0.0.1:{PORT}", "",
)  # fmt: skip
EVERY_PAGE = (
    *PAGES,
    *(f"{path}.json" for path in PAGES if path != "/"),
    "/today.json",
    "/postern.css",
    "/nowhere",
    *ACTIONS,
)


def outsider(ann: Browser) -> TestClient:
    """Someone else's browser."""
    return TestClient(ann.client.app, base_url=HERE)


def test_dns_rebinding_reaches_nothing(ann: Browser) -> None:
    token = Gate(PORT, FakeClock(0.0).now).token
    for host in STRANGE_HOSTS:
        for path in ("/", "/mail.json", "/postern.css", f"/start?token={token}"):
            found = ann.get(path, Host=host)
            assert (found.status_code, "Postern" in found.text) == (421, False), (host, path)
        assert ann.post("/alias/switch", {}, Host=host).status_code == 421, host


def test_two_hosts_are_none(ann: Browser) -> None:
    pairs = [("Host", f"127.0.0.1:{PORT}"), ("Host", "evil.example")]
    assert ann.client.get("/", headers=pairs).status_code == 421


def test_our_own_names_are_taken(ann: Browser) -> None:
    for host in (f"127.0.0.1:{PORT}", f"[::1]:{PORT}", f"localhost:{PORT}", f"LOCALHOST:{PORT}"):
        assert ann.client.get("/postern.css", headers={"Host": host, **cookie(ann)}).status_code == 200, host


def cookie(ann: Browser) -> dict[str, str]:
    return {"Cookie": ann.gate.cookie.partition(";")[0]}


def test_the_token_is_good_once_and_leaves_the_address(office: Office, ann: Browser) -> None:
    gate = Gate(PORT, FakeClock(0.0).now)
    client = TestClient(application(ann.desk, gate), base_url=HERE, follow_redirects=False)
    token = gate.token
    assert token is not None
    assert client.get("/start?token=wrong").status_code == 403
    assert client.get("/start").status_code == 403
    assert client.get(f"/?token={token}").status_code == 403, "no other address takes it"
    assert client.post(f"/start?token={token}").status_code == 403
    first = client.get(f"/start?token={token}")
    assert (first.status_code, first.headers["location"]) == (303, "/")
    flags = {one.strip() for one in first.headers["set-cookie"].split(";")[1:]}
    assert flags == {"HttpOnly", "SameSite=Strict", "Path=/"}
    assert token not in first.headers["set-cookie"]
    assert client.get("/").status_code == 200
    replayed = TestClient(client.app, base_url=HERE).get(f"/start?token={token}")
    assert (replayed.status_code, "set-cookie" in replayed.headers) == (403, False)


COOKIES = ("", "{name}=guessed", "postern-1=x", "{name}=", "{name}", "{name}=\x00;=;\xff")


def test_nothing_is_shown_without_the_cookie(ann: Browser) -> None:
    client = outsider(ann)
    for cookie in COOKIES:
        said = {b"Cookie": cookie.format(name=ann.gate.cookie_name).encode("latin-1")} if cookie else {}
        for path in EVERY_PAGE:
            found = client.get(path, headers=said)
            assert (found.status_code, "example.com" in found.text) == (403, False), (cookie, path)


def test_what_another_site_asks_gets_nothing(ann: Browser) -> None:
    for site in ("cross-site", "same-site", "x"):
        assert ann.get("/mail", **{"Sec-Fetch-Site": site}).status_code == 403
        assert ann.get("/mail.json", **{"Sec-Fetch-Site": site}).status_code == 403


FORGED = {
    "of another site": {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
    "of another port": {"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-site"},
    "typed by nobody": {"Sec-Fetch-Site": "none"},
    "that says it is ours": {"Origin": HERE, "Sec-Fetch-Site": "cross-site"},
    "of an old browser, another site": {"Origin": "http://evil.example", "Sec-Fetch-Site": ""},
    "of a sandbox": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    "with another origin all the same": {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
    "as our other name": {"Origin": f"http://localhost:{PORT}", "Sec-Fetch-Site": ""},
}


@pytest.fixture
def forms(ann: Browser) -> dict[str, str]:
    """What switches the alias off if it is sent by our own page."""
    ann.office.cloud.put("AliasTable", [ALIAS])
    return ann.page("/aliases").form("/alias/switch")


def is_on(ann: Browser) -> bool:
    (row,) = (row for row in ann.office.cloud.rows("AliasTable") if row["address"] == ALIAS["address"])
    return "enabled" not in row


def test_a_form_from_elsewhere_changes_nothing(ann: Browser, forms: dict[str, str]) -> None:
    for name, headers in FORGED.items():
        sent = {field: value for field, value in headers.items() if value}
        found = ann.client.post("/alias/switch", data=forms, headers=sent, follow_redirects=False)
        assert (found.status_code, is_on(ann)) == (403, True), name


def test_nor_one_that_says_of_no_one_where_it_is_from(ann: Browser, forms: dict[str, str]) -> None:
    for headers in ({}, {"Origin": "null"}):
        assert ann.client.post("/alias/switch", data=forms, headers=headers).status_code == 403
    assert is_on(ann)


def test_nor_one_without_cookie_or_with_a_token_of_something_else(ann: Browser, forms: dict[str, str]) -> None:
    same = {"Sec-Fetch-Site": "same-origin"}
    assert outsider(ann).post("/alias/switch", data=forms, headers=same).status_code == 403
    other = ann.gate.form_token("/alias/remove")
    for token in (None, "", "x", other, other[:-1], ann.gate.token or "", ann.gate.cookie):
        sent = {name: value for name, value in forms.items() if name != "form_token"}
        found = ann.post("/alias/switch", sent | ({} if token is None else {"form_token": token}))
        assert found.status_code == 403
    in_the_address = ann.post(f"/alias/switch?form_token={forms['form_token']}", {"address": ALIAS["address"]})
    assert (in_the_address.status_code, is_on(ann)) == (403, True)


def test_nor_one_in_another_form(ann: Browser, forms: dict[str, str]) -> None:
    same = {"Sec-Fetch-Site": "same-origin"}
    client = ann.client
    assert client.post("/alias/switch", json=forms, headers=same).status_code == 415
    assert client.post("/alias/switch", files={"a": b"b"}, data=forms, headers=same).status_code == 415
    plain = {**same, "Content-Type": "text/plain"}
    assert client.post("/alias/switch", content=b"address=x", headers=plain).status_code == 415
    assert ann.post("/alias/switch", {**forms, "more": "x" * MAX_FORM}).status_code == 413
    assert ann.post("/alias/switch", {**forms, **{f"f{n}": "x" for n in range(300)}}).status_code == 400
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert client.request(method, "/alias/switch", headers=same).status_code == 405
    assert is_on(ann)


def test_our_own_form_does(ann: Browser, forms: dict[str, str]) -> None:
    assert (ann.post("/alias/switch", forms).status_code, is_on(ann)) == (303, False)


def test_and_that_of_a_browser_that_says_only_its_origin(ann: Browser, forms: dict[str, str]) -> None:
    found = ann.client.post("/alias/switch", data=forms, headers={"Origin": HERE}, follow_redirects=False)
    assert (found.status_code, is_on(ann)) == (303, False)


def test_an_action_is_no_page(ann: Browser) -> None:
    for path in ACTIONS:
        token = ann.gate.form_token(path)
        found = ann.get(f"{path}?form_token={token}&address=info@example.com&do=write&seen=null")
        assert found.status_code == 405


def test_every_answer_is_closed(ann: Browser) -> None:
    wanted = {name.decode(): value.decode() for name, value in HEADERS}
    assert wanted["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert (wanted["referrer-policy"], wanted["x-content-type-options"]) == ("no-referrer", "nosniff")
    assert wanted["cache-control"] == "no-store"
    doctor_takes_its_time = ("/doctor", "/doctor.json")
    answers = [ann.get(path) for path in EVERY_PAGE if path not in doctor_takes_its_time]
    for path in ("/", "/postern.css", "/nowhere", "/alias/switch"):
        answers += [ann.get(path, Host="evil.example"), outsider(ann).get(path), ann.post(path, {})]
    for answer in answers:
        for name, value in wanted.items():
            assert answer.headers.get_list(name) == [value], (answer.url, name)
        assert "access-control-allow-origin" not in answer.headers


def test_read_only_takes_no_action_and_shows_none(guest: Browser) -> None:
    guest.office.cloud.put("AliasTable", [ALIAS])
    guest.office.cloud.put("SenderTable", [{"sender": "rule:010", "scope": "*", "action": "HOLD", "listed": True}])
    for path in ACTIONS:
        found = guest.post(path, {"form_token": guest.gate.form_token(path), "address": ALIAS["address"]})
        assert (found.status_code, "--read-only" in found.text) == (403, True)
    for path in ("/aliases", "/rules", "/destinations", "/alias?address=info@example.com", "/alias/new", "/rule/new",
                 "/header-rules", "/header-rule/new", "/header-rule?sender=rule:010&scope=*"):  # fmt: skip
        assert not [one for one in guest.page(path).tree.iter("form") if one.get("method") == "post"]
    assert is_on(guest)


def test_it_is_idle_when_no_one_who_may_has_asked() -> None:
    clock = FakeClock(0.0)
    gate = Gate(PORT, clock.now)
    clock.time = 100.0
    gate.start(gate.token or "")
    assert gate.idle == 0
    clock.time += IDLE
    with pytest.raises(Refusal):
        gate.session({gate.cookie_name: "a stranger does not keep it alive"})
    assert gate.idle == IDLE == 3600
