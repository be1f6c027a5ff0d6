"""SHOWS AND LISTENS TO STAFF: walls, agents' pages, the HTTP API, who may do what.

Nothing here decides about a call. What is shown is folded from the center's view; what people ask for goes to
the engine as a command and comes back as one answer.
"""
