"""HTTP: who may knock, reading requests, writing answers. No SQL here."""
