"""Words that a machine puts together: numbers and a caller's place in line, in Persian and English.

Each is a list of phrases that join well when played one after another, so that a hundred recordings say every
number. Times, dates and money belong here when a flow needs them.
"""

from ivr.say.line import ahead_in_line, cannot_connect
from ivr.say.numbers import LARGEST, number, spell
from ivr.say.vocabulary import vocabulary

__all__ = ["LARGEST", "ahead_in_line", "cannot_connect", "number", "spell", "vocabulary"]
