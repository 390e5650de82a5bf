"""SQL targets: how to come in by a validated address, how to name a table, and what a server's refusals mean."""
