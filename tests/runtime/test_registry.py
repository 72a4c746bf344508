"""The registry: read strictly, in the formats of spreadsheets, and loaded again when it changes."""

from __future__ import annotations

import os
import shutil
import tracemalloc
from datetime import date

import pytest

from mailbot.model import Unit
from mailbot.runtime.registry.csv_rows import rows
from mailbot.runtime.registry.registry import Registry, RegistryError

HEAD = "serial,model,family,delivered_on,customer,customer_domain,extended_until,revision,repair_shipped_on,repair_failure"
ROW = "AH2F-104432,WADE-8013,ipc,2022-03-01,Acme,acme.example,2027-03-01,A1.2,2026-01-05,no_video"
UNIT = Unit(
    "AH2F-104432",
    "WADE-8013",
    "ipc",
    date(2022, 3, 1),
    "Acme",
    "acme.example",
    date(2027, 3, 1),
    "A1.2",
    date(2026, 1, 5),
    "no_video",
)


@pytest.fixture
def source(tmp_path):
    return tmp_path / "registry.csv"


def write(source, *lines, encoding="utf-8"):
    """Write the file with these lines; its modification time always changes."""
    tick = source.stat().st_mtime_ns + 10**9 if source.exists() else None
    source.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
    if tick:
        os.utime(source, ns=(tick, tick))
    return source


def test_spelling_of_a_serial_does_not_matter(source):
    """Spaces, hyphens and capitals do not matter; unknown serial numbers are left out."""
    registry = Registry.open(write(source, HEAD, ROW), "american-portwell")
    assert registry.look_up(["ah2f 104432", "AH2F104432", "AH2F104433", ""]) == {"AH2F104432": UNIT}
    assert len(registry) == 1


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_spreadsheet_formats(source, separator, encoding, end):
    """Commas, semicolons or tabs, with or without a byte order mark, quoted cells, empty lines, columns in any order."""
    head = ["Customer", " family", "serial", "model", "delivered_on", "customer_domain", "shelf", "country"]
    row = [f'"Müller{separator} Söhne"', "ipc", "S1", "M", "2022-03-01", "@Müller.example", "7", "de"]
    text = end.join([separator.join(head), separator.join(row), separator * 7, ""])
    source.write_bytes(text.encode(encoding))
    unit = Registry.open(source, "p").look_up(["S1"])["S1"]
    assert unit.customer == f"Müller{separator} Söhne"
    assert (unit.customer_domain, unit.country, unit.extended_until) == ("müller.example", "DE", None)


def test_a_policy_sees_its_own_rows(source):
    """One file can contain the units of two companies."""
    write(source, f"policy,{HEAD}", f"american-portwell,{ROW}", f"servertech,{ROW.replace('ipc', 'pdu')}")
    assert Registry.open(source, "american-portwell").look_up(["AH2F104432"])["AH2F104432"].family == "ipc"
    assert Registry.open(source, "servertech").look_up(["AH2F104432"])["AH2F104432"].family == "pdu"
    assert len(Registry.open(source, "other")) == 0


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["serial,model"], r"line 1: column 'family' is missing \(known: model, serial\)"),
        ([HEAD.replace("delivered_on", "delivery_date")], r"line 1: column 'delivered_on' is missing"),
        ([HEAD.replace("delivered_on", "deliverd_on")], r"line 1: column 'deliverd_on' is unknown; did you mean 'delivered_on'"),
        ([HEAD.replace("extended_until", "extended_untill")], r"line 1: .*'extended_untill' is unknown; did you mean 'extended_"),
        ([f"{HEAD},serial"], r"line 1: column 'serial' appears twice"),
        ([], r"line 1: column 'serial' is missing"),
        (
            [HEAD, ROW, ROW.replace("2022-03-01", "03/01/2022")],
            r"line 3, column delivered_on: '03/01/2022' is not a valid date; use",
        ),
        ([HEAD, ROW.replace("2027-03-01", "2027-02-30")], r"line 2, column extended_until: '2027-02-30' is not a valid date"),
        ([HEAD, ROW.replace("2022-03-01", "")], r"line 2, column delivered_on: the cell is empty"),
        ([HEAD, ROW.replace("AH2F-104432", " - ")], r"line 2, column serial: '-' is not a serial number"),
        ([HEAD, ROW.removesuffix(",no_video")], r"line 2: 9 cells, but the first line names 10 columns"),
        ([HEAD, f"{ROW},x"], r"line 2: 11 cells, but the first line names 10 columns"),
        ([f"{HEAD},country", f"{ROW},USA"], r"line 2, column country: 'USA' is not a country code"),
        ([f"policy,{HEAD}", f",{ROW}"], r"line 2, column policy: the cell is empty"),
        ([HEAD, ROW, "", ROW.replace("AH2F-104432", "ah2f 104432").replace("ipc", "pdu")], r"line 4, .*already in line 2"),
        ([HEAD, ROW, f'"{"x" * 140_000}'], r"line 3: field larger than"),
    ],
)
def test_an_error_names_place_and_fix(source, lines, message):
    """The error names the line, the column, and the fix."""
    write(source, *lines)
    with pytest.raises(RegistryError, match=rf"registry\.csv {message}"):
        Registry.open(source, "p")


def test_a_file_in_another_encoding(source):
    """A file that is not UTF-8 is refused; the error names the line and how to save the file."""
    write(source, HEAD, ROW, ROW.replace("Acme", "Müller"), encoding="latin-1")
    with pytest.raises(RegistryError, match=r"registry\.csv line 3: not valid UTF-8; save the file as CSV UTF-8"):
        Registry.open(source, "p")


def test_a_missing_file(source):
    """A missing registry is named."""
    with pytest.raises(RegistryError, match=r"registry\.csv: No such file"):
        Registry.open(source, "p")


def test_the_same_row_twice_is_one_unit(source):
    """A line that was pasted twice is accepted."""
    registry = Registry.open(write(source, HEAD, ROW, ROW), "p")
    assert registry.look_up(["AH2F104432"]) == {"AH2F104432": UNIT}


@pytest.mark.parametrize("cached", [True, False])
def test_a_change_is_loaded(source, tmp_path, cached):
    """A line added while mailbot runs is loaded with the next refresh."""
    registry = Registry.open(write(source, HEAD, ROW), "p", tmp_path / "registry-p.db" if cached else None)
    assert registry.refresh() is False
    write(source, HEAD, ROW, ROW.replace("104432", "104433"))
    assert registry.refresh() is True
    assert registry.refresh() is False
    assert set(registry.look_up(["AH2F104432", "AH2F104433"])) == {"AH2F104432", "AH2F104433"}
    os.utime(source)
    assert registry.refresh() is False
    registry.close()


@pytest.mark.parametrize("cached", [True, False])
def test_an_invalid_change_is_refused(source, tmp_path, cached):
    """An error made while mailbot runs is reported; the earlier rows stay in effect until it is fixed."""
    cache = tmp_path / "registry-p.db" if cached else None
    registry = Registry.open(write(source, HEAD, ROW), "p", cache)
    for lines in ([HEAD, ROW, "x"], [HEAD, ROW, ROW.replace("ipc", "pdu")]):
        write(source, *lines)
        for _ in range(2):
            with pytest.raises(RegistryError, match="line 3"):
                registry.refresh()
        assert registry.look_up(["AH2F104432"]) == {"AH2F104432": UNIT}
    source.rename(tmp_path / "away")
    with pytest.raises(RegistryError, match="No such file"):
        registry.refresh()
    assert len(registry) == 1
    (tmp_path / "away").rename(source)
    write(source, HEAD)
    assert registry.refresh() is True
    assert len(registry) == 0
    assert [file.name for file in tmp_path.iterdir() if "registry-p" in file.name] == ["registry-p.db"] * cached


def test_the_index_is_reused(source, tmp_path, monkeypatch):
    """A start reads the CSV again only if it has changed, another policy is wanted, or the index is damaged."""
    cache = tmp_path / "registry-p.db"
    Registry.open(write(source, HEAD, ROW), "p", cache).close()
    with monkeypatch.context() as patched:
        patched.setattr("mailbot.runtime.registry.registry.rows", None)  # reading the CSV would fail
        assert len(Registry.open(source, "p", cache)) == 1
        with pytest.raises(TypeError):
            Registry.open(source, "q", cache)
    for content in (b"", b"no database", cache.read_bytes()[:100]):
        cache.write_bytes(content)
        assert Registry.open(source, "p", cache).look_up(["AH2F104432"])
    write(source, HEAD, ROW.replace("ipc", "pdu"))
    assert Registry.open(source, "p", cache).look_up(["AH2F104432"])["AH2F104432"].family == "pdu"


def test_an_index_that_cannot_be_written(source, tmp_path):
    """A missing folder is named."""
    with pytest.raises(RegistryError, match=r"nowhere.registry-p\.db"):
        Registry.open(write(source, HEAD, ROW), "p", tmp_path / "nowhere" / "registry-p.db")


def test_many_serials_are_looked_up_in_one_call(source):
    """A list of thousands of serial numbers can be looked up in one call."""
    write(source, HEAD, *(ROW.replace("104432", str(n)) for n in range(2000)))
    registry = Registry.open(source, "p")
    assert len(registry.look_up(f"AH2F{n}" for n in range(5000))) == 2000


def test_memory_use_does_not_grow(source, tmp_path):
    """A long registry is never held in memory."""
    write(source, HEAD, *(ROW.replace("104432", str(n)) for n in range(20_000)))
    assert sum(1 for _ in rows(source, "p")) == 20_000
    tracemalloc.start()
    try:
        registry = Registry.open(source, "p", tmp_path / "registry-p.db")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert len(registry) == 20_000
    registry.close()
    shutil.rmtree(tmp_path)
