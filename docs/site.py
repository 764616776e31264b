"""A hook of mkdocs: what a document links to outside of docs/ has no page on the site, so its name stands alone."""

import re
from pathlib import Path
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\((\.\./[^)#]+)[^)]*\)")


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """The text of a page without links that leave the folder."""
    folder, root = Path(page.file.abs_src_path).parent, Path(config["docs_dir"]).resolve()

    def link(match: re.Match[str]) -> str:
        inside = (folder / match[2]).resolve().is_relative_to(root)
        return match[0] if inside else match[1]

    return _OUTSIDE.sub(link, markdown)
