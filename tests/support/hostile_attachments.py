"""Files as attackers pack them, and as customers do; each is small and made in a moment."""

from __future__ import annotations

import io
import struct
import zlib
from email.message import EmailMessage
from zipfile import ZIP_DEFLATED, ZipFile

from mailbot.model import Attachment

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OCTETS = "application/octet-stream"

_TYPES = """<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>\
<Default Extension="xml" ContentType="application/xml"/></Types>"""
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = f"""<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">\
<Relationship Id="rId1" Type="{_OFFICE}/%s" Target="%s"/></Relationships>"""
_BOOK = f"""<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" \
xmlns:r="{_OFFICE}"><sheets><sheet name="Units" sheetId="1" r:id="rId1"/></sheets></workbook>"""


def archive(files: dict[str, bytes | str]) -> bytes:
    """A ZIP of these files."""
    held = io.BytesIO()
    with ZipFile(held, "w", ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return held.getvalue()


def workbook(rows: str | bytes, *, doctype: str = "") -> bytes:
    """An XLSX whose one sheet has these rows, as XML."""
    head = f'<?xml version="1.0"?>{doctype}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    content = rows if isinstance(rows, bytes) else rows.encode()
    return archive(
        {
            "[Content_Types].xml": _TYPES,
            "_rels/.rels": _RELS % ("officeDocument", "xl/workbook.xml"),
            "xl/workbook.xml": _BOOK,
            "xl/_rels/workbook.xml.rels": _RELS % ("worksheet", "worksheets/sheet1.xml"),
            "xl/worksheets/sheet1.xml": head.encode() + b"<sheetData>" + content + b"</sheetData></worksheet>",
        }
    )


def text_cell(place: str, text: str) -> str:
    """A cell with its text beside it."""
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def pdf(stream: bytes, filters: str = "", *, trailer: str = "") -> bytes:
    """A PDF of one page whose content is this stream."""
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d%s>>stream\n" % (len(stream), filters.encode()) + stream + b"\nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj" % number + content + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table
    return out + f"trailer<</Size {len(objects) + 1}/Root 1 0 R{trailer}>>\nstartxref\n{start}\n%%EOF".encode()


def flate(data: bytes, times: int) -> tuple[bytes, str]:
    """Data deflated so many times over, and the filters that a PDF names for it."""
    for _ in range(times):
        data = zlib.compress(data, 9)
    return data, "/Filter[" + "/FlateDecode" * times + "]"


def written(text: str) -> bytes:
    """A PDF that says this."""
    return pdf(f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET".encode())


def winmail(body: str, files: dict[str, bytes]) -> bytes:
    """A winmail.dat (MS-OXTNEF) with a body and files."""
    out = struct.pack("<IH", 0x223E9F78, 1)
    out += _tnef(1, 0x00089006, struct.pack("<I", 0x00010000))
    out += _tnef(1, 0x00069007, struct.pack("<II", 1252, 0))
    out += _tnef(1, 0x0002800C, body.encode("cp1252") + b"\0")
    for name, content in files.items():
        out += _tnef(2, 0x00069002, bytes(14))
        out += _tnef(2, 0x00018010, name.encode("cp1252") + b"\0")
        out += _tnef(2, 0x0006800F, content)
    return out


def _tnef(level: int, name: int, data: bytes) -> bytes:
    return struct.pack("<BII", level, name, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def attached(name: str, content: bytes, media_type: str = OCTETS) -> Attachment:
    return Attachment(name, media_type, content)


def letter(body: str, *files: tuple[str, bytes], sender: str = "kim@acme.example", subject: str = "A board") -> bytes:
    """A mail with files."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "rma@portwell.example", subject
    mail["Message-ID"] = "<1@client.example>"
    mail.set_content(body)
    for name, content in files:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
