"""Make attachments for the emails of a conversation from a few lines of text."""

from __future__ import annotations

import csv
import io
import mimetypes
import zipfile
from email import message_from_string, policy
from email.message import EmailMessage
from xml.sax.saxutils import escape

_LINES_PER_PAGE = 48
"""Lines per page of a PDF."""


def make_attachment(mail: EmailMessage, name: str, text: str) -> None:
    """Attach a file with this name and text: a real PDF, workbook or email if the extension says so."""
    extension = name.lower().rpartition(".")[2]
    if extension == "eml":
        mail.add_attachment(message_from_string(text.lstrip(), policy=policy.SMTP), filename=name)
        return
    content = pdf(text) if extension == "pdf" else xlsx(text) if extension == "xlsx" else text.encode()
    kind, _, subtype = (mimetypes.guess_type(name)[0] or "application/octet-stream").partition("/")
    if kind == "text":
        mail.add_attachment(text, subtype=subtype, filename=name)
    else:
        mail.add_attachment(content, maintype=kind, subtype=subtype, filename=name)


def pdf(text: str) -> bytes:
    """Return a PDF with this text."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    canvas = Canvas(out, invariant=True)  # the same text always gives the same bytes
    for count, line in enumerate(text.splitlines()):
        if count and count % _LINES_PER_PAGE == 0:
            canvas.showPage()
        canvas.setFont("Helvetica" if line.isascii() else "STSong-Light", 11)
        canvas.drawString(60, 780 - 15 * (count % _LINES_PER_PAGE), line)
    canvas.save()
    return out.getvalue()


def xlsx(text: str) -> bytes:
    """Return a workbook with one sheet: one row per line, cells separated by commas or tabs."""
    delimiter = "\t" if "\t" in text else ","
    rows = csv.reader(io.StringIO(text.strip()), delimiter=delimiter, skipinitialspace=True)
    cells = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
    sheet = f'<worksheet xmlns="{_MAIN}"><sheetData>{cells}</sheetData></worksheet>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (*_PARTS.items(), ("xl/worksheets/sheet1.xml", sheet)):
            archive.writestr(zipfile.ZipInfo(name), f'<?xml version="1.0" encoding="UTF-8"?>{content}')
    return out.getvalue()


def _cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'


# The minimum that ECMA-376 Parts 1 and 2 require of a workbook.
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_RELATIONS}">'
        f'<Relationship Id="rId1" Type="{_LINK}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINK}"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_RELATIONS}">'
        f'<Relationship Id="rId1" Type="{_LINK}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}
