"""The demo: a cast of customers, a stage of embedded mail servers, and what can be looked at when the play is over."""
