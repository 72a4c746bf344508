"""The demo: simulated customers and staff, embedded mail servers, and the output: emails, cases, and HTML pages."""
