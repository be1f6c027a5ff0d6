"""Words that a machine puts together: numbers, money, days, times, telephone numbers and a caller's place in
line, in Persian and English.

Each is a list of phrases that join well when played one after another, so that a few hundred recordings say
every value. `speak` is the one way in for values that a flow fills in; `vocabulary` is all that can be said.
"""

from ivr.say.amounts import money
from ivr.say.clock import duration, time_of_day
from ivr.say.dates import gregorian_date, jalali_date
from ivr.say.digit_groups import card_ending, digits, phone
from ivr.say.errors import InvalidSlot
from ivr.say.line import ahead_in_line, cannot_connect, estimated_wait
from ivr.say.numbers import LARGEST, number, ordinal
from ivr.say.slots import KINDS, check_slot, speak
from ivr.say.vocabulary import vocabulary
from ivr.say.words import spell

__all__ = [
    "KINDS",
    "LARGEST",
    "InvalidSlot",
    "ahead_in_line",
    "cannot_connect",
    "card_ending",
    "check_slot",
    "digits",
    "duration",
    "estimated_wait",
    "gregorian_date",
    "jalali_date",
    "money",
    "number",
    "ordinal",
    "phone",
    "speak",
    "spell",
    "time_of_day",
    "vocabulary",
]
