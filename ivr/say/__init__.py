"""Words that a machine puts together: numbers and a caller's place in line, in Persian and English.

Each is a list of phrases that join well when played one after another, so that a hundred recordings say every
number. Times, dates and money belong here when a flow needs them.
"""

from ivr.say.errors import InvalidSlot
from ivr.say.line import ahead_in_line, cannot_connect
from ivr.say.numbers import LARGEST, number, spell
from ivr.say.slots import KINDS, check_slot, speak
from ivr.say.vocabulary import vocabulary

__all__ = [
    "KINDS",
    "LARGEST",
    "InvalidSlot",
    "ahead_in_line",
    "cannot_connect",
    "check_slot",
    "number",
    "speak",
    "spell",
    "vocabulary",
]
