"""Templates after the SAM transform, for the tests that read them."""

from pathlib import Path
from typing import Any

from boto3.session import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from emulator.template import parsed


def expand(path: Path, parameters: dict[str, str]) -> dict[str, Any]:
    """A template after the SAM transform; layer and code locations stand for what `sam package` puts there."""
    source = parsed(path)
    for body in source["Resources"].values():
        for place in ("CodeUri", "ContentUri"):
            if place in body.get("Properties", {}):
                body["Properties"][place] = "s3://bucket/key"
    translator = Translator({}, Parser(), boto_session=Session(region_name="eu-west-1"))
    document: dict[str, Any] = translator.translate(source, parameters, passthrough_metadata=True)
    return document
