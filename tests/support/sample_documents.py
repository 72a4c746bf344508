"""Consignments for the tests of the papers: a plain one, and hard ones."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from msgspec.structs import replace

from mailbot.reply.documents.return_shipment import ReturnShipment, ShipmentUnit
from mailbot.reply.documents.texts import DocumentTexts

TEXT = Path(__file__).parents[2].joinpath("templates/default/en/papers.toml").read_text(encoding="utf-8")
WORDS = DocumentTexts.of(TEXT)
NUMBER = "RMA-2026000427"

PLAIN = ReturnShipment(
    company="Example Boards Inc.",
    number=NUMBER,
    issued_on=date(2026, 11, 21),
    valid_until=date(2026, 12, 21),
    ship_to=("Example Boards Inc.", "1 Example Street", "Springfield, CA 94000", f"Attn: {NUMBER}", "Phone: 555-0100"),
    units=(
        ShipmentUnit("AH2F104432", "WADE-8013", "No video after the BIOS update", "Taiwan"),
        ShipmentUnit("AH2F104433", "WADE-8013", "Does not power on"),
    ),
    words=WORDS,
    customer="Kim Novak",
    customer_company="Acme Robotics GmbH",
    email="kim@acme.example",
    packing=(
        "Please pack the unit in ESD-safe material according to IEC/TS 61340-5-1.",
        "Assemblies that do not arrive in ESD-compliant packaging are written off and go back at your own expense.",
        "Please mark the RMA number on the shipping box.",
    ),
    statements=("No commercial value", "American Goods Returned to the US"),
)

CHINESE = replace(
    PLAIN,
    customer="王小明 (Xiaoming Wang)",
    customer_company="深圳市華強電子有限公司 Shenzhen Huaqiang Electronics Co., Ltd.",
    units=(
        ShipmentUnit("AH2F104432", "WADE-8013", "BIOS 更新后无显示，主板不能启动；请尽快处理。", "China"),
        ShipmentUnit("AH2F104433", "日本語モデル 한국어 모델", "電源が入りません。전원이 켜지지 않습니다.", "Япония"),
    ),
)

LONG = replace(
    PLAIN,
    customer="Żółć Ünïcödé Дмитрий Αλέξανδρος Nguyễn <b>bold</b> & Sons \u202edesrever\u202c\x07 " + "Müller-Lüdenscheidt " * 7,
    customer_company="A" * 200,
    ship_to=(
        "Example Boards of North America Incorporated, Returns and Repairs Department",
        "Building 7, Dock 12, 44300 Very Long Industrial Boulevard East",
        "Springfield, CA 94000",
        f"Attn: {NUMBER}",
        "Phone: 555-0100 Extension 3321",
    ),
    units=tuple(
        ShipmentUnit(f"AH2F{n:06}", "WADE-8013-" + "X" * 50, "It goes off after some minutes, then on again. " * (1 + n % 6), "")
        for n in range(40)
    ),
    packing=PLAIN.packing * 3,
)

EVERY = {"plain": PLAIN, "chinese": CHINESE, "long": LONG}
