"""The decision on each trigger: customer emails, staff commands, due dates, bounces, unreadable emails."""
