"""mailbot turns an rma@ mailbox into a returns desk: mail in, a cited decision out, nothing lost."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("mailbot")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
