"""MIME as SES checks it: parameters, charsets, attachments."""

import codecs
import re
from collections.abc import Iterator
from email.message import Message

from .refusals import Account, Refusal, Request, bad_request

# [D] "Unsupported attachment types".
_EXTENSIONS = """
    ade adp app asp bas bat cer chm cmd com cpl crt csh der exe fxp gadget hlp hta inf ins isp its js jse
    ksh lib lnk mad maf mag mam maq mar mas mat mau mav maw mda mdb mde mdt mdw mdz msc msh msh1 msh2
    mshxml msh1xml msh2xml msi msp mst ops pcd pif plg prf prg reg scf scr sct shb shs sys ps1 ps1xml ps2
    ps2xml psc1 psc2 tmp url vb vbe vbs vps vsmacros vss vst vsw vxd ws wsc wsf wsh xnk
"""
EXTENSIONS = frozenset(_EXTENSIONS.split())

_PARAMETER = re.compile(r"""\s*[^\s=;"]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;"]+)\s*(?:\([^)]*\)\s*)?\Z""")
_PART = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|[^;"])*""")


def refuse_parameters(request: Request, account: Account) -> Refusal | None:
    """Refuse a Content-Type or Content-Disposition whose parameters are not name=value."""
    del account
    for part in request.message.walk():
        for name in ("Content-Type", "Content-Disposition"):
            pieces = _PART.findall(str(part.get(name, "")))[2::2]
            if any(piece.strip() and not _PARAMETER.match(piece) for piece in pieces):
                return bad_request("Expected '=', got 'null'")
    return None


def refuse_charsets(request: Request, account: Account) -> Refusal | None:
    """Refuse an unknown charset."""
    del account
    for part in request.message.walk():
        charset = part.get_param("charset")
        if isinstance(charset, str):
            try:
                codecs.lookup(charset.strip("'\" "))
            except (LookupError, ValueError):
                return bad_request(f"Unsupported encoding {charset}")
    return None


def refuse_attachments(request: Request, account: Account) -> Refusal | None:
    """Refuse an attachment with an extension that SES does not send."""
    del account
    for name in _file_names(request.message):
        extension = name.rpartition(".")[2].strip().lower() if "." in name else ""
        if extension in EXTENSIONS:
            return Refusal("MessageRejected", 400, f"Unsupported attachment type '.{extension}'.")
    return None


def _file_names(message: Message) -> Iterator[str]:
    for part in message.walk():
        name = part.get_filename()
        if name:
            yield str(name)
