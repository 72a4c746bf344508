"""mailbot turns an rma@ mailbox into a returns desk: mail in, a cited decision out, nothing lost."""
