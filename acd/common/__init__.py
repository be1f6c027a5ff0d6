"""Pure helpers that every room may use: written numbers, hours, Persian text, money, redaction, documents.

A thing two rooms need lives here, on the ground floor. Nothing here opens a socket, reads a clock, rolls
dice or starts a thread: instants, secrets and texts are handed in.
"""
