"""What a speaker of each language says: one table of values, Persian and English side by side."""

from __future__ import annotations

import pytest

from ivr.say import speak, spell

NUMBERS = [
    ("0", "صفر", "zero"),
    ("1", "یک", "one"),
    ("9", "نه", "nine"),
    ("14", "چهارده", "fourteen"),
    ("20", "بیست", "twenty"),
    ("25", "بیست و پنج", "twenty five"),
    ("۲۵", "بیست و پنج", "twenty five"),
    ("٢٥", "بیست و پنج", "twenty five"),
    ("68", "شصت و هشت", "sixty eight"),
    ("100", "صد", "one hundred"),
    ("101", "صد و یک", "one hundred and one"),
    ("200", "دویست", "two hundred"),
    ("345", "سیصد و چهل و پنج", "three hundred and forty five"),
    ("500", "پانصد", "five hundred"),
    ("919", "نهصد و نوزده", "nine hundred and nineteen"),
    ("1000", "هزار", "one thousand"),
    ("1001", "هزار و یک", "one thousand and one"),
    ("1,405", "هزار و چهارصد و پنج", "one thousand four hundred and five"),
    ("۱٬۴۰۵", "هزار و چهارصد و پنج", "one thousand four hundred and five"),
    ("2000", "دو هزار", "two thousand"),
    ("21000", "بیست و یک هزار", "twenty one thousand"),
    ("100000", "صد هزار", "one hundred thousand"),
    ("101000", "صد و یک هزار", "one hundred and one thousand"),
    ("1000000", "یک میلیون", "one million"),
    ("1001000", "یک میلیون و هزار", "one million one thousand"),
    ("1001001", "یک میلیون و هزار و یک", "one million one thousand and one"),
    ("2500000", "دو میلیون و پانصد هزار", "two million five hundred thousand"),
    ("1000000000", "یک میلیارد", "one billion"),
    ("1000000001", "یک میلیارد و یک", "one billion and one"),
    ("1000000000000", "هزار میلیارد", "one trillion"),
    ("2300000000000", "دو هزار و سیصد میلیارد", "two trillion three hundred billion"),
    ("1000000000000000", "یک میلیون میلیارد", "one quadrillion"),
    ("-7", "منفی هفت", "minus seven"),
    ("−7", "منفی هفت", "minus seven"),
    ("-0", "صفر", "zero"),
    ("2.5", "دو ممیز پنج دهم", "two point five"),
    ("۲٫۵", "دو ممیز پنج دهم", "two point five"),
    ("2.25", "دو ممیز بیست و پنج صدم", "two point two five"),
    ("2.05", "دو ممیز پنج صدم", "two point zero five"),
    ("0.125", "صفر ممیز صد و بیست و پنج هزارم", "zero point one two five"),
    ("-1.50", "منفی یک ممیز پنج دهم", "minus one point five"),
    ("18.00", "هجده", "eighteen"),
    ("0018", "هجده", "eighteen"),
]

ORDINALS = [
    ("1", "اول", "first"),
    ("2", "دوم", "second"),
    ("3", "سوم", "third"),
    ("4", "چهارم", "fourth"),
    ("5", "پنجم", "fifth"),
    ("8", "هشتم", "eighth"),
    ("9", "نهم", "ninth"),
    ("10", "دهم", "tenth"),
    ("12", "دوازدهم", "twelfth"),
    ("20", "بیستم", "twentieth"),
    ("21", "بیست و یکم", "twenty first"),
    ("23", "بیست و سوم", "twenty third"),
    ("25", "بیست و پنجم", "twenty fifth"),
    ("30", "سی‌ام", "thirtieth"),
    ("40", "چهلم", "fortieth"),
    ("100", "صدم", "one hundredth"),
    ("101", "صد و یکم", "one hundred and first"),
    ("130", "صد و سی‌ام", "one hundred and thirtieth"),
    ("200", "دویستم", "two hundredth"),
    ("1000", "هزارم", "one thousandth"),
    ("1001", "هزار و یکم", "one thousand and first"),
    ("2,000,000", "دو میلیونم", "two millionth"),
]

MONEY = [
    ("0", "صفر ریال", "zero rials"),
    ("1", "یک ریال", "one rial"),
    ("1000", "هزار ریال", "one thousand rials"),
    ("2500000", "دو میلیون و پانصد هزار ریال", "two million five hundred thousand rials"),
    ("2,500,000", "دو میلیون و پانصد هزار ریال", "two million five hundred thousand rials"),
    ("۲٬۵۰۰٬۰۰۰", "دو میلیون و پانصد هزار ریال", "two million five hundred thousand rials"),
    ("2500000.00", "دو میلیون و پانصد هزار ریال", "two million five hundred thousand rials"),
    ("2500000 rial", "دو میلیون و پانصد هزار ریال", "two million five hundred thousand rials"),
    ("250000 toman", "دو میلیون و پانصد هزار ریال", "two million five hundred thousand rials"),
    ("۲۵۰۰۰۰ تومان", "دو میلیون و پانصد هزار ریال", "two million five hundred thousand rials"),
    ("-50000", "منفی پنجاه هزار ریال", "minus fifty thousand rials"),
    ("1000000000000", "هزار میلیارد ریال", "one trillion rials"),
    ("1 usd", "یک دلار", "one dollar"),
    ("12.50 USD", "دوازده دلار و پنجاه سنت", "twelve dollars and fifty cents"),
    ("12.5 usd", "دوازده دلار و پنجاه سنت", "twelve dollars and fifty cents"),
    ("0.01 usd", "یک سنت", "one cent"),
    ("-3 eur", "منفی سه یورو", "minus three euros"),
    ("-3.20 eur", "منفی سه یورو و بیست سنت", "minus three euros and twenty cents"),
    ("1,200.00 gbp", "هزار و دویست پوند", "one thousand two hundred pounds"),
    ("1.01 gbp", "یک پوند و یک پنی", "one pound and one penny"),
    ("40 aed", "چهل درهم", "forty dirhams"),
    ("40.05 aed", "چهل درهم و پنج فلس", "forty dirhams and five fils"),
]

TOMAN = [
    ("0", "صفر تومان", "zero tomans"),
    ("10", "یک تومان", "one toman"),
    ("2500000", "دویست و پنجاه هزار تومان", "two hundred and fifty thousand tomans"),
    ("250000 toman", "دویست و پنجاه هزار تومان", "two hundred and fifty thousand tomans"),
    ("10000", "هزار تومان", "one thousand tomans"),
    ("-10000", "منفی هزار تومان", "minus one thousand tomans"),
    ("15", "پانزده ریال", "fifteen rials"),
    ("12 usd", "دوازده دلار", "twelve dollars"),
]

DATES = [
    ("1405/9/1", "اول آذر هزار و چهارصد و پنج", "the twenty second of November twenty twenty six"),
    ("1405-09-01", "اول آذر هزار و چهارصد و پنج", "the twenty second of November twenty twenty six"),
    ("۱۴۰۵/۰۹/۰۱", "اول آذر هزار و چهارصد و پنج", "the twenty second of November twenty twenty six"),
    ("2026-11-22", "اول آذر هزار و چهارصد و پنج", "the twenty second of November twenty twenty six"),
    (
        "2026-11-22T08:30:00Z",
        "اول آذر هزار و چهارصد و پنج",
        "the twenty second of November twenty twenty six",
    ),
    ("1405/1/13", "سیزدهم فروردین هزار و چهارصد و پنج", "the second of April twenty twenty six"),
    ("1404/12/29", "بیست و نهم اسفند هزار و چهارصد و چهار", "the twentieth of March twenty twenty six"),
    ("1403/12/30", "سی‌ام اسفند هزار و چهارصد و سه", "the twentieth of March twenty twenty five"),
    ("1400/1/1", "اول فروردین هزار و چهارصد", "the twenty first of March twenty twenty one"),
    ("1402/6/31", "سی و یکم شهریور هزار و چهارصد و دو", "the twenty second of September twenty twenty three"),
    ("1399/10/21", "بیست و یکم دی هزار و سیصد و نود و نه", "the tenth of January twenty twenty one"),
    ("2000-01-01", "یازدهم دی هزار و سیصد و هفتاد و هشت", "the first of January two thousand"),
    ("2005-06-03", "سیزدهم خرداد هزار و سیصد و هشتاد و چهار", "the third of June two thousand and five"),
    ("1999-12-31", "دهم دی هزار و سیصد و هفتاد و هشت", "the thirty first of December nineteen ninety nine"),
    ("1905-05-05", "پانزدهم اردیبهشت هزار و دویست و هشتاد و چهار", "the fifth of May nineteen oh five"),
    ("1900-02-28", "نهم اسفند هزار و دویست و هفتاد و هشت", "the twenty eighth of February nineteen hundred"),
]

JALALI = [
    ("2026-11-22", "اول آذر هزار و چهارصد و پنج", "the first of Azar fourteen oh five"),
    ("1399/10/21", "بیست و یکم دی هزار و سیصد و نود و نه", "the twenty first of Dey thirteen ninety nine"),
    ("1400/1/1", "اول فروردین هزار و چهارصد", "the first of Farvardin fourteen hundred"),
]

GREGORIAN = [
    (
        "1405/09/01",
        "بیست و دوم نوامبر دو هزار و بیست و شش",
        "the twenty second of November twenty twenty six",
    ),
    ("2024-05-03", "سوم مه دو هزار و بیست و چهار", "the third of May twenty twenty four"),
]

TIMES = [
    ("00:00", "ساعت دوازده نیمه‌شب", "twelve midnight"),
    ("24:00", "ساعت دوازده نیمه‌شب", "twelve midnight"),
    ("00:05", "ساعت دوازده و پنج دقیقهٔ نیمه‌شب", "twelve oh five a.m."),
    ("01:00", "ساعت یک بامداد", "one a.m."),
    ("04:45", "ساعت چهار و چهل و پنج دقیقهٔ بامداد", "four forty five a.m."),
    ("5:00", "ساعت پنج صبح", "five a.m."),
    ("07:30", "ساعت هفت و نیم صبح", "seven thirty a.m."),
    ("10:20", "ساعت ده و بیست دقیقهٔ صبح", "ten twenty a.m."),
    ("۱۰:۳۰", "ساعت ده و نیم صبح", "ten thirty a.m."),
    ("11:01", "ساعت یازده و یک دقیقهٔ صبح", "eleven oh one a.m."),
    ("12:00", "ساعت دوازده ظهر", "twelve noon"),
    ("12:15", "ساعت دوازده و پانزده دقیقهٔ ظهر", "twelve fifteen p.m."),
    ("13:00", "ساعت یک بعدازظهر", "one p.m."),
    ("14:30:59", "ساعت دو و نیم بعدازظهر", "two thirty p.m."),
    ("17:00", "ساعت پنج عصر", "five p.m."),
    ("19:40", "ساعت هفت و چهل دقیقهٔ عصر", "seven forty p.m."),
    ("20:00", "ساعت هشت شب", "eight p.m."),
    ("23:59", "ساعت یازده و پنجاه و نه دقیقهٔ شب", "eleven fifty nine p.m."),
    ("2026-11-22T10:20:00+03:30", "ساعت ده و بیست دقیقهٔ صبح", "ten twenty a.m."),
]

DURATIONS = [
    ("0", "کمتر از یک دقیقه", "less than a minute"),
    ("59", "کمتر از یک دقیقه", "less than a minute"),
    ("60", "حدود یک دقیقه", "about one minute"),
    ("89", "حدود یک دقیقه", "about one minute"),
    ("90", "حدود دو دقیقه", "about two minutes"),
    ("180", "حدود سه دقیقه", "about three minutes"),
    ("۱۸۰", "حدود سه دقیقه", "about three minutes"),
    ("172.4", "حدود سه دقیقه", "about three minutes"),
    ("1500", "حدود بیست و پنج دقیقه", "about twenty five minutes"),
    ("3600", "حدود یک ساعت", "about one hour"),
    ("3580", "حدود یک ساعت", "about one hour"),
    ("4800", "حدود یک ساعت و بیست دقیقه", "about one hour and twenty minutes"),
    ("7330", "حدود دو ساعت", "about two hours"),
    ("9000", "حدود دو ساعت و سی دقیقه", "about two hours and thirty minutes"),
    ("86400", "حدود یک روز", "about one day"),
    ("250000", "حدود سه روز", "about three days"),
]

DIGITS = [
    ("7", "هفت", "seven"),
    ("0123", "صفر یک دو سه", "zero one two three"),
    ("۰۱۲۳", "صفر یک دو سه", "zero one two three"),
    ("12-34", "یک دو سه چهار", "one two three four"),
    ("9 9 9", "نه نه نه", "nine nine nine"),
]

PHONES = [
    (
        "09123456789",
        "صفر نهصد و دوازده سیصد و چهل و پنج شصت و هفت هشتاد و نه",
        "zero nine one two three four five six seven eight nine",
    ),
    (
        "۰۹۱۲ ۳۴۵ ۶۷ ۸۹",
        "صفر نهصد و دوازده سیصد و چهل و پنج شصت و هفت هشتاد و نه",
        "zero nine one two three four five six seven eight nine",
    ),
    (
        "+98 912 345 6789",
        "صفر نهصد و دوازده سیصد و چهل و پنج شصت و هفت هشتاد و نه",
        "zero nine one two three four five six seven eight nine",
    ),
    (
        "09350050700",
        "صفر نهصد و سی و پنج صفر صفر پنج صفر هفت صفر صفر",
        "zero nine three five zero zero five zero seven zero zero",
    ),
    (
        "02188776655",
        "صفر بیست و یک هشتاد و هشت هفتاد و هفت شصت و شش پنجاه و پنج",
        "zero two one eight eight seven seven six six five five",
    ),
    (
        "00982188776655",
        "صفر بیست و یک هشتاد و هشت هفتاد و هفت شصت و شش پنجاه و پنج",
        "zero two one eight eight seven seven six six five five",
    ),
    (
        "031-3222 0105",
        "صفر سی و یک سی و دو بیست و دو صفر یک صفر پنج",
        "zero three one three two two two zero one zero five",
    ),
    ("88776655", "هشتاد و هشت هفتاد و هفت شصت و شش پنجاه و پنج", "eight eight seven seven six six five five"),
    ("3456789", "سیصد و چهل و پنج شصت و هفت هشتاد و نه", "three four five six seven eight nine"),
    ("110", "صد و ده", "one one zero"),
    ("1500", "هزار و پانصد", "one five zero zero"),
    ("1818", "هجده هجده", "one eight one eight"),
    ("12345", "صد و بیست و سه چهل و پنج", "one two three four five"),
    ("12", "دوازده", "one two"),
    (
        "+442079460018",
        "مثبت چهل و چهار بیست هفتاد و نه چهل و شش صفر صفر هجده",
        "plus four four two zero seven nine four six zero zero one eight",
    ),
]

CARDS = [
    ("5678", "کارت منتهی به پنجاه و شش هفتاد و هشت", "the card ending in five six seven eight"),
    ("0408", "کارت منتهی به صفر چهار صفر هشت", "the card ending in zero four zero eight"),
    ("6219-8610-1234-1200", "کارت منتهی به دوازده صفر صفر", "the card ending in one two zero zero"),
    ("6219-86**-****-1234", "کارت منتهی به دوازده سی و چهار", "the card ending in one two three four"),
]

TABLE = [
    (kind, *case)
    for kind, cases in {
        "number": NUMBERS,
        "ordinal": ORDINALS,
        "money": MONEY,
        "toman": TOMAN,
        "date": DATES,
        "jalali": JALALI,
        "gregorian": GREGORIAN,
        "time": TIMES,
        "duration": DURATIONS,
        "digits": DIGITS,
        "phone": PHONES,
        "card": CARDS,
    }.items()
    for case in cases
]


@pytest.mark.parametrize(("kind", "value", "persian", "english"), TABLE)
def test_a_value_is_said_as_people_say_it(kind: str, value: str, persian: str, english: str) -> None:
    assert spell(speak(kind, value, "fa")) == persian
    assert spell(speak(kind, value, "en")) == english


def test_the_table_is_long_enough_to_trust() -> None:
    assert len(TABLE) >= 150
