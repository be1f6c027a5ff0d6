"""Listens to the caller: flows as documents, prompts as sound files, numbers as speech.

A flow is data (`flow`), proved playable before it is used (`check`), walked by a pure script (`script`).
What is to be said is a `Phrase`; which sound file says it is the business of `prompts` alone. Nothing here
touches a call.
"""
