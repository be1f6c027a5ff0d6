"""Moves the call: Asterisk, through pyst2's vocabulary and a transport of our own.

pyst2 knows the words (37 AGI commands, 22 manager actions); its sockets, threads and quoting are not used.
The pure translators (`wire`, `signature`) know the bytes, the shells (`agi`, `fastagi`, `ami`) own the
sockets.
"""
