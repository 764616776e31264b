"""owner.yaml: what SAM would read is what stands there, and nothing keeps a value of before without a word."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from postern_command import init as command
from postern_command.owner import file
from postern_command.owner.parameters import Parameter, load
from postern_command.owner.values import faults
from postern_command.samconfig import SamConfig

from tests.builders import ROOT
from tests.command import Done, run
from tests.required import without

TEMPLATE = """\
Parameters:
  Domain: {Type: String, AllowedPattern: "[a-z.]+", ConstraintDescription: a domain name in lower case}
  OwnerAddress: {Type: String, Default: "", AllowedPattern: "([^@]+@[^@]+)?", ConstraintDescription: "a mail address"}
  WriteMx: {Type: String, Default: "false", AllowedValues: ["true", "false"], Description: Writes the MX record.}
  Days: {Type: Number, Default: 30, MinValue: 2, MaxValue: 365}
  Lists: {Type: CommaDelimitedList, Default: "", AllowedPattern: "[a-z.]*", ConstraintDescription: domain names}
  Set: {Type: String, Default: !Sub "postern", MaxLength: 9, AllowedPattern: ".*"}
Metadata:
  AWS::CloudFormation::Interface:
    ParameterGroups: [{Label: {default: Domains}, Parameters: [Domain, Lists]}]
"""
GOOD = """\
Domain: example.com   # mine
Lists:
  - a.example
  - "b.example"
# the owner's own words
OwnerAddress: "me@home.example"
WriteMx: "true"
Days: 30
Set: ""
"""
SAM_READS = """
import json, sys, tomllib
from pathlib import Path
from samcli.cli.types import CfnParameterOverridesType
from samcli.commands.deploy.deploy_context import DeployContext
from samcli.yamlhelper import yaml_parse
from samcli.lib.config.samconfig import SamConfig
template = yaml_parse(Path("template.yaml").read_text())
overrides = SamConfig(".").get_all(["deploy"], "parameters")["parameter_overrides"]
read = []
for text in json.load(sys.stdin):
    Path("owner.yaml").write_text(text)
    values = CfnParameterOverridesType().convert(overrides, None, None)
    merged = DeployContext.merge_parameters(template, values)
    read.append({one["ParameterKey"]: one.get("ParameterValue") for one in merged})
print(json.dumps(read))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(ROOT / "samconfig.toml", tmp_path)
    (tmp_path / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POSTERN_ENV", raising=False)
    monkeypatch.setattr(command, "_look", lambda *_: [])  # tests/operating/test_init.py has what is looked at
    return tmp_path


@pytest.fixture
def parameters(folder: Path) -> dict[str, Parameter]:
    return load(folder / "template.yaml")


def sam(folder: Path, *texts: str) -> list[dict[str, str | None]]:
    """What SAM's own code hands to CloudFormation for each text; None is the value of the deployment before."""
    python = ROOT / ".venv-sam/bin/python"
    if not python.exists():
        without("SAM CLI is not there: make .venv-sam/ready")
    given = json.dumps(texts)
    done = subprocess.run(
        [python, "-c", SAM_READS], cwd=folder, input=given, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, str | None]] = json.loads(done.stdout)
    return found


def init(*arguments: str, **options: Any) -> Done:
    return run("init", *arguments, **options)


def test_parameters_are_in_the_order_of_the_groups_and_say_what_they_may_be(
    parameters: Mapping[str, Parameter],
) -> None:
    assert list(parameters)[:2] == ["Domain", "Lists"]
    assert parameters["Days"].allowed == "a number from 2 to 365"
    assert [parameters["Days"].fault(value) for value in ("2", "365", "1", "366", "x")].count(None) == 2
    assert [parameters["Lists"].fault(value) for value in ("", "a.b,c", "a,B")].count(None) == 2
    assert parameters["Set"].default == "postern"


@pytest.mark.parametrize("template", ["template.yaml", "relay/template.yaml"])
def test_every_parameter_of_ours_takes_its_own_default(template: str) -> None:
    for one in load(ROOT / template).values():
        assert one.default is None or one.fault(one.default) is None, one.name
        assert one.group != "Others" or template.startswith("relay"), f"{one.name} stands in no group"
        assert one.fault("\x00") is not None or not one.allowed, one.name


def test_a_file_that_is_written_is_complete(parameters: Mapping[str, Parameter]) -> None:
    text = file.written(parameters, {"Domain": "example.com", "OwnerAddress": "a@b.example", "Lists": "a,b"}, "Head.")
    assert list(faults(text, parameters)) == []
    assert file.values(text)["Lists"] == "a,b"


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ("Days: 30", "", "Days: is missing, so the previous deployment's value would stay"),
        ("Days: 30", "Dayz: 30", "Dayz: there is no such parameter"),
        ("Days: 30", "Days: 366", "Days: expected a number from 2 to 365, found '366'"),
        ("Days: 30", "Days: 0x10", 'Days: put it in quotes, "0x10"'),
        ("Days: 30", "Days: 30\nDays: 31", "Days: occurs twice"),
        ("Days: 30", "Days: {a: 1}", "Days: expected a value, or a list of them"),
        ('WriteMx: "true"', "WriteMx: true", 'WriteMx: put it in quotes, "true"'),
        ('WriteMx: "true"', "WriteMx: off", 'WriteMx: put it in quotes, "off"'),
        ('WriteMx: "true"', "WriteMx: 'True'", "WriteMx: expected true or false, found 'True'"),
        ('WriteMx: "true"', "WriteMx:", "WriteMx: expected true or false, and it is empty"),
        ('Set: ""', r"""Set: '"x"'""", "Set: SAM cannot read"),
        ('Set: ""', r"Set: 'a\ b'", "Set: SAM cannot read"),
        ('Set: ""', "$include: other.yaml", "$include: there is no such parameter"),
        ("Domain: example.com", "Domain: [example.com", "while parsing a flow sequence"),
        (
            "Domain: example.com",
            "Domain: home.example",
            "OwnerAddress: me@home.example is at a domain that Postern forwards",
        ),
        ('"me@home.example"', '""', "OwnerAddress: not a mail address: ''"),
    ],
)
def test_what_would_not_be_deployed_as_it_stands_is_refused(
    parameters: Mapping[str, Parameter], line: str, instead: str, said: str
) -> None:
    assert list(faults(GOOD, parameters)) == []
    assert line in GOOD
    found = list(faults(GOOD.replace(line, instead), parameters))
    assert any(one.startswith(said) for one in found), found


def test_a_text_that_is_no_list_of_values_is_refused(parameters: Mapping[str, Parameter]) -> None:
    assert list(faults("just words\n", parameters)) == ['expected lines of the form  Name: "value"']
    assert len(list(faults("", parameters))) == len(parameters)


@pytest.mark.slow
def test_what_is_not_refused_sam_reads_as_it_stands(folder: Path, parameters: Mapping[str, Parameter]) -> None:
    """Also what YAML takes for something else than a word, in each way of writing it."""
    words = "true|No|on|~|null|1_0|1e3|.5|0o7|07|12|1:30|2026-01-01|a b|a#b|x: y|a # b|- a|!a|&a|*a|@a|%a|`a|a'b|=|<<|.inf|y"
    quoted = ["'a'", '"a', "a\\ b"]
    texts = [
        GOOD.replace('Set: ""', f"Set: {written}")
        for word in [*words.split("|"), *quoted]
        for written in (word, json.dumps(word), f"[{word}]", f"\n  - {word}")
    ]
    good = [text for text in texts if not list(faults(text, parameters))]
    assert 30 < len(good) < len(texts) - 20
    for text, read in zip(good, sam(folder, *good), strict=True):
        assert read == file.values(text), text


@pytest.mark.slow
def test_a_line_that_is_missing_keeps_the_value_of_before_unless_init_was_run(folder: Path) -> None:
    """The danger, by SAM's own merge, and the way out of it: refused, and then the documented value."""
    lacking = GOOD.replace("Days: 30\n", "")
    (kept,) = sam(folder, lacking)
    assert kept["Days"] is None, "SAM says UsePreviousValue"
    assert init("--check").status == 1
    assert init().status == 0
    completed = (folder / "owner.yaml").read_text(encoding="utf-8")
    assert init("--check").status == 0
    (read,) = sam(folder, completed)
    assert read["Days"] == "30"
    assert None not in read.values()


@pytest.mark.slow
def test_a_parameter_that_is_new_in_this_version_gets_its_documented_value(folder: Path) -> None:
    (folder / "owner.yaml").write_text(GOOD, encoding="utf-8")
    new = "  New: {Type: String, Default: on-it, Description: What is new.}\nMetadata:"
    (folder / "template.yaml").write_text(TEMPLATE.replace("Metadata:", new), encoding="utf-8")
    refused = init("--check")
    assert (refused.status, "New: is missing" in refused.err) == (1, True)
    assert "owner.yaml: New is new, with its default 'on-it'" in init().out
    (read,) = sam(folder, (folder / "owner.yaml").read_text(encoding="utf-8"))
    assert read["New"] == "on-it"


def test_what_the_owner_wrote_beside_the_values_stays(folder: Path) -> None:
    (folder / "owner.yaml").write_text(GOOD.replace("Set:", "Gone:\n  - a\n  - b\nSet:"), encoding="utf-8")
    done = init("--domain", "other.example")
    assert "owner.yaml: Gone is no longer a parameter; its line is now a comment" in done.out
    assert "owner.yaml: Domain is now 'other.example'; it was 'example.com'" in done.out
    text = (folder / "owner.yaml").read_text(encoding="utf-8")
    kept = GOOD.replace("Domain: example.com   # mine", 'Domain: "other.example"')
    gone = "# no longer a parameter: Gone:\n# no longer a parameter:   - a\n# no longer a parameter:   - b\n"
    assert text == kept.replace("Set:", f"{gone}Set:")


def test_two_answers_write_the_file(folder: Path) -> None:
    done = init(stdin="Example.COM.\nme@home.example\n")
    assert done.status == 0
    assert "owner.yaml is written, with all 6 parameters" in done.out
    found = file.values((folder / "owner.yaml").read_text(encoding="utf-8"))
    assert (found["Domain"], found["OwnerAddress"], found["Days"]) == ("example.com", "me@home.example", "30")
    again = init()
    assert (again.status, again.err) == (0, ""), "nothing is asked again"
    assert "owner.yaml is unchanged" in again.out


def test_wrong_answers_are_asked_again_and_three_end_it(folder: Path) -> None:
    done = init(stdin="info@example.com\nexample\nexample.com\nme@example.com\nme@home.example\n")
    assert done.status == 0
    assert "expected a domain such as example.com, found 'info@example.com'" in done.err
    assert "me@example.com is at a domain that Postern forwards" in done.err
    (folder / "owner.yaml").unlink()
    ended = init(stdin="a\nb\nc\n")
    assert ended.status == 2
    assert not (folder / "owner.yaml").exists()


@pytest.mark.parametrize("option", ["--yes", "--json"])
def test_nothing_is_asked_where_nothing_may_be(folder: Path, option: str) -> None:
    assert init(option).status == 2
    assert init(option, "--domain", "example.com", "--owner", "me@example.com").status == 2
    done = init(option, "--domain", "example.com", "--owner", "me@home.example")
    assert done.status == 0
    if option == "--json":
        assert done.objects[0]["values"]["Domain"] == "example.com"


def test_without_a_file_one_sentence_names_the_command(folder: Path) -> None:
    done = init("--check")
    assert (done.status, done.out) == (1, "")
    assert done.err == "postern: owner.yaml does not exist: `postern init` asks two questions and writes it\n"


def test_somewhere_else_it_says_where_to_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = init()
    assert done.status == 2
    assert "run this in the folder of Postern's source" in done.err


def test_a_second_stage_begins_with_its_example(folder: Path) -> None:
    shutil.copy(ROOT / "template.yaml", folder)
    shutil.copy(ROOT / "owner.dev.example.yaml", folder)
    assert init("--config-env", "dev", "--domain", "dev.example.org", "--owner", "me@home.example").status == 0
    found = file.values((folder / "owner.dev.yaml").read_text(encoding="utf-8"))
    assert (found["RuleSetMode"], found["ActiveRuleSet"]) == ("join", "postern")
    assert found["OwnerAddress"] == "me@home.example"
    assert not (folder / "owner.yaml").exists()


@pytest.mark.parametrize("stage", ["default", "dev", "relay"])
def test_every_stage_has_a_file_that_git_leaves_alone_and_an_example(stage: str) -> None:
    config = SamConfig.load(stage, ROOT / "samconfig.toml")
    assert config.owner is not None
    assert f"/{config.owner}" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    example = (ROOT / config.owner.with_suffix(".example.yaml")).read_text(encoding="utf-8")
    missing = list(faults(example, load(ROOT / config.template)))
    assert [one.partition(":")[0] for one in missing] == (["VpcId", "SubnetIds"] if stage == "relay" else [])


def test_no_document_says_guided() -> None:
    """SAM would save all parameters into a tracked file, and put them back at the next deployment."""
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")]
    for word in ("--guided", "--parameter-overrides"):
        assert [path.name for path in documents if word in path.read_text(encoding="utf-8")] == []
