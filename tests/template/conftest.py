from typing import Any

import pytest
from boto3.session import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from tests.builders import ROOT


@pytest.fixture(scope="session")
def expanded() -> dict[str, Any]:
    """The template after the SAM transform; layer and code locations stand for what `sam package` puts there."""
    source = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    for body in source["Resources"].values():
        for place in ("CodeUri", "ContentUri"):
            if place in body.get("Properties", {}):
                body["Properties"][place] = "s3://bucket/key"
    translator = Translator({}, Parser(), boto_session=Session(region_name="eu-west-1"))
    document: dict[str, Any] = translator.translate(source, {"Domain": "example.com"}, passthrough_metadata=True)
    return document


@pytest.fixture(scope="session")
def resources(expanded: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = expanded["Resources"]
    return found
