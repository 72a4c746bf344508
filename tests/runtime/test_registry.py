"""The registry: read as spreadsheets save it, strictly, once; reloaded when it changes."""

from __future__ import annotations

import os
import shutil
import tracemalloc
from datetime import date

import pytest

from mailbot.model import Unit
from mailbot.runtime.registry.csv_rows import rows
from mailbot.runtime.registry.registry import Registry, RegistryError

HEAD = (
    "serial,model,family,delivered_on,customer,customer_domain,extended_until,revision,repair_shipped_on,repair_failure"
)
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
    """The file with these lines; its change time moves on even if the clock does not."""
    tick = source.stat().st_mtime_ns + 10**9 if source.exists() else None
    source.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
    if tick:
        os.utime(source, ns=(tick, tick))
    return source


def test_a_unit_is_found_however_its_serial_is_written(source):
    """Spaces, hyphens and capitals in a mail do not matter; unknown serials are just not there."""
    registry = Registry.open(write(source, HEAD, ROW), "american-portwell")
    assert registry.look_up(["ah2f 104432", "AH2F104432", "AH2F104433", ""]) == {"AH2F104432": UNIT}
    assert len(registry) == 1


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_as_spreadsheets_save_it(source, separator, encoding, end):
    """Commas, semicolons or tabs, with or without a byte order mark, quoted cells, empty lines, columns in any order."""
    head = ["Customer", " family", "serial", "model", "delivered_on", "customer_domain", "shelf", "country"]
    row = [f'"Müller{separator} Söhne"', "ipc", "S1", "M", "2022-03-01", "@Müller.example", "7", "de"]
    text = end.join([separator.join(head), separator.join(row), separator * 7, ""])
    source.write_bytes(text.encode(encoding))
    unit = Registry.open(source, "p").look_up(["S1"])["S1"]
    assert unit.customer == f"Müller{separator} Söhne"
    assert (unit.customer_domain, unit.country, unit.extended_until) == ("müller.example", "DE", None)


def test_a_policy_sees_its_own_rows(source):
    """One file may serve two companies."""
    write(source, f"policy,{HEAD}", f"american-portwell,{ROW}", f"servertech,{ROW.replace('ipc', 'pdu')}")
    assert Registry.open(source, "american-portwell").look_up(["AH2F104432"])["AH2F104432"].family == "ipc"
    assert Registry.open(source, "servertech").look_up(["AH2F104432"])["AH2F104432"].family == "pdu"
    assert len(Registry.open(source, "other")) == 0


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["serial,model"], r"line 1: column 'family' is missing \(known: model, serial\)"),
        ([HEAD.replace("delivered_on", "delivery_date")], r"line 1: column 'delivered_on' is missing"),
        (
            [HEAD.replace("delivered_on", "deliverd_on")],
            r"line 1: column 'deliverd_on' is unknown; write 'delivered_on'",
        ),
        (
            [HEAD.replace("extended_until", "extended_untill")],
            r"line 1: .*'extended_untill' is unknown; write 'extended_",
        ),
        ([f"{HEAD},serial"], r"line 1: column 'serial' stands twice"),
        ([], r"line 1: column 'serial' is missing"),
        (
            [HEAD, ROW, ROW.replace("2022-03-01", "03/01/2022")],
            r"line 3, column delivered_on: '03/01/2022' is no date; write",
        ),
        ([HEAD, ROW.replace("2027-03-01", "2027-02-30")], r"line 2, column extended_until: '2027-02-30' is no date"),
        ([HEAD, ROW.replace("2022-03-01", "")], r"line 2, column delivered_on: it is empty"),
        ([HEAD, ROW.replace("AH2F-104432", " - ")], r"line 2, column serial: '-' is no serial"),
        ([HEAD, ROW.removesuffix(",no_video")], r"line 2: 9 cells, but the first line names 10 columns"),
        ([HEAD, f"{ROW},x"], r"line 2: 11 cells, but the first line names 10 columns"),
        ([f"{HEAD},country", f"{ROW},USA"], r"line 2, column country: 'USA' is no country code"),
        ([f"policy,{HEAD}", f",{ROW}"], r"line 2, column policy: it is empty"),
        (
            [HEAD, ROW, "", ROW.replace("AH2F-104432", "ah2f 104432").replace("ipc", "pdu")],
            r"line 4, .*in line 2 already",
        ),
        ([HEAD, ROW, f'"{"x" * 140_000}'], r"line 3: field larger than"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_mend(source, lines, says):
    """Whoever keeps the list is told which line, which column, and what to write."""
    write(source, *lines)
    with pytest.raises(RegistryError, match=rf"registry\.csv {says}"):
        Registry.open(source, "p")


def test_a_file_in_another_encoding(source):
    """A file that is not UTF-8 is refused, with the line and the way to save it."""
    write(source, HEAD, ROW, ROW.replace("Acme", "Müller"), encoding="latin-1")
    with pytest.raises(RegistryError, match=r"registry\.csv line 3: this is not UTF-8; save the file as CSV UTF-8"):
        Registry.open(source, "p")


def test_a_missing_file(source):
    """A registry that is not there is named."""
    with pytest.raises(RegistryError, match=r"registry\.csv: No such file"):
        Registry.open(source, "p")


def test_the_same_row_twice_is_one_unit(source):
    """A line that was pasted twice harms nobody."""
    registry = Registry.open(write(source, HEAD, ROW, ROW), "p")
    assert registry.look_up(["AH2F104432"]) == {"AH2F104432": UNIT}


@pytest.mark.parametrize("cached", [True, False])
def test_a_change_is_taken_over(source, tmp_path, cached):
    """A line added while mailbot runs counts from the next look on."""
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
def test_a_change_that_breaks_it_is_refused(source, tmp_path, cached):
    """A mistake made while mailbot runs is reported; the rows that were good stay in force until it is mended."""
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


def test_the_indexed_file_is_used_again(source, tmp_path, monkeypatch):
    """A start reads the list anew only if it has changed, is another policy's, or its indexed file is broken."""
    cache = tmp_path / "registry-p.db"
    Registry.open(write(source, HEAD, ROW), "p", cache).close()
    with monkeypatch.context() as patched:
        patched.setattr("mailbot.runtime.registry.registry.rows", None)  # whoever reads it fails
        assert len(Registry.open(source, "p", cache)) == 1
        with pytest.raises(TypeError):
            Registry.open(source, "q", cache)
    for content in (b"", b"no database", cache.read_bytes()[:100]):
        cache.write_bytes(content)
        assert Registry.open(source, "p", cache).look_up(["AH2F104432"])
    write(source, HEAD, ROW.replace("ipc", "pdu"))
    assert Registry.open(source, "p", cache).look_up(["AH2F104432"])["AH2F104432"].family == "pdu"


def test_an_indexed_file_that_cannot_be_written(source, tmp_path):
    """A folder that is not there is named."""
    with pytest.raises(RegistryError, match=r"nowhere.registry-p\.db"):
        Registry.open(write(source, HEAD, ROW), "p", tmp_path / "nowhere" / "registry-p.db")


def test_rows_at_hand(tmp_path):
    """A rehearsal brings its own rows."""
    given = {"serial": "S-1", "model": "M", "family": "ipc", "delivered_on": date(2022, 3, 1), "customer": "Acme"}
    registry = Registry.of_rows([{**given, "customer_domain": "acme.example"}, UNIT])
    assert set(registry.look_up(["s1", "ah2f104432"])) == {"S1", "AH2F104432"}
    assert registry.refresh() is False
    assert len(Registry.of_rows([])) == 0
    for row, says in [(given, "customer_domain"), ({**given, "colour": "red"}, "unknown column 'colour'")]:
        with pytest.raises(RegistryError, match=f"registry row 1: .*{says}"):
            Registry.of_rows([row])


def test_many_codes_are_looked_up_at_once(source):
    """A packing list of thousands of numbers is one look."""
    write(source, HEAD, *(ROW.replace("104432", str(n)) for n in range(2000)))
    registry = Registry.open(source, "p")
    assert len(registry.look_up(f"AH2F{n}" for n in range(5000))) == 2000


def test_memory_stays_flat(source, tmp_path):
    """A long list is never held in memory."""
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
