"""SES's first API speaks AWS's query protocol: a form in, XML out."""

from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from .bounces import Bouncing
from .refusals import Refusal

_NAMESPACE = "http://ses.amazonaws.com/doc/2010-12-01/"


def answered(body: bytes, bouncing: Bouncing) -> tuple[int, str, bytes]:
    """(HTTP status, content type, content) for one request."""
    form = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True))
    try:
        if form.get("Action") != "SendBounce":
            raise Refusal("InvalidAction", 400, f"{form.get('Action')} is not known to the emulator")
        message_id = bouncing.send(form)
    except Refusal as refusal:
        said = f"<Type>Sender</Type><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>"
        return refusal.status, "text/xml", _xml("ErrorResponse", f"<Error>{said}</Error>")
    result = f"<SendBounceResult><MessageId>{message_id}</MessageId></SendBounceResult>"
    return 200, "text/xml", _xml("SendBounceResponse", result)


def _xml(name: str, content: str) -> bytes:
    request = "<RequestId>emulator</RequestId>"
    more = request if name == "ErrorResponse" else f"<ResponseMetadata>{request}</ResponseMetadata>"
    return f'<{name} xmlns="{_NAMESPACE}">{content}{more}</{name}>'.encode()
