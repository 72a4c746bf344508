"""``python -m mailbot``: the same as ``mailbot``."""

from mailbot.commands import main

main()
