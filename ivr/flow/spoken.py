"""Prompts that every flow has: what is said when a flow does not say otherwise.

A flow replaces one by a prompt of the same name under its `prompts`. Where a text tells keys, the script takes
exactly those keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ivr.flow.base import Prompt

_TEXTS = {
    "no-input": ("عددی از شما دریافت نشد.", "We did not receive a choice."),
    "no-match": ("این گزینه درست نیست.", "That choice is not valid."),
    "read-back": (
        "شما {value} را وارد کردید. اگر درست است عدد یک، و برای ورود دوباره عدد دو را فشار دهید.",
        "You entered {value}. If this is right, press one. To enter it again, press two.",
    ),
    # authenticate
    "ask-customer-number": (
        "لطفاً شمارهٔ مشتری خود را وارد کنید و سپس مربع را فشار دهید.",
        "Please enter your customer number, followed by the hash key.",
    ),
    "ask-national-id": (
        "لطفاً کد ملی ده رقمی خود را وارد کنید.",
        "Please enter your ten digit national ID.",
    ),
    "ask-card": (
        "لطفاً شمارهٔ شانزده رقمی کارت خود را وارد کنید.",
        "Please enter the sixteen digits of your card number.",
    ),
    "ask-card-last4": (
        "لطفاً چهار رقم آخر شمارهٔ کارت خود را وارد کنید.",
        "Please enter the last four digits of your card number.",
    ),
    "ask-birth-year": (
        "لطفاً سال تولد خود را با چهار رقم وارد کنید.",
        "Please enter the four digits of your year of birth.",
    ),
    "ask-pin": (
        "لطفاً رمز تلفنی خود را وارد کنید و سپس مربع را فشار دهید.",
        "Please enter your telephone PIN, followed by the hash key.",
    ),
    "ask-code": (
        "کد یک‌بارمصرف برای شما پیامک شد. لطفاً آن را وارد کنید و سپس مربع را فشار دهید.",
        "A one-time code has been sent to you. Please enter it, followed by the hash key.",
    ),
    "not-verified": (
        "اطلاعات واردشده درست نیست.",
        "The information entered is not correct.",
    ),
    "locked": (
        "برای حفظ امنیت شما، این خدمت تا مدتی در دسترس نیست.",
        "For your security, this service is locked for a while.",
    ),
    # waiting
    "estimated-wait": (
        "زمان تقریبی انتظار شما {minutes:number} دقیقه است.",
        "Your estimated wait is {minutes:number} minutes.",
    ),
    "estimated-wait-short": (
        "زمان تقریبی انتظار شما کمتر از دو دقیقه است.",
        "Your estimated wait is less than two minutes.",
    ),
    # voicemail
    "leave-message": (
        "لطفاً پس از شنیدن بوق، پیام خود را بگویید و در پایان مربع را فشار دهید.",
        "Please leave your message after the tone, and press hash when you have finished.",
    ),
    "no-message": (
        "پیامی از شما شنیده نشد.",
        "We did not hear a message.",
    ),
    "message-keys": (
        "برای ثبت پیام عدد یک، و برای ضبط دوباره عدد دو را فشار دهید.",
        "To keep your message, press one. To record it again, press two.",
    ),
    "message-kept": (
        "پیام شما ثبت شد. خدا نگهدار.",
        "Your message has been kept. Goodbye.",
    ),
    # callback
    "callback-offer": (
        "می‌توانیم با شمارهٔ {number:phone} با شما تماس بگیریم. برای تأیید عدد یک، برای شمارهٔ دیگر عدد دو، "
        "و برای انصراف ستاره را فشار دهید.",
        "We can call you back on {number:phone}. To confirm, press one. For another number, press two. "
        "To decline, press star.",
    ),
    "callback-offer-here": (
        "می‌توانیم با شمارهٔ {number:phone} با شما تماس بگیریم. برای تأیید عدد یک، "
        "و برای انصراف ستاره را فشار دهید.",
        "We can call you back on {number:phone}. To confirm, press one. To decline, press star.",
    ),
    "callback-number": (
        "لطفاً شماره‌ای را که با آن تماس بگیریم وارد کنید و سپس مربع را فشار دهید. برای انصراف ستاره را فشار دهید.",
        "Please enter the number we should call, followed by the hash key. To decline, press star.",
    ),
    "callback-confirm": (
        "شمارهٔ {number:phone}. اگر درست است عدد یک، و برای ورود دوباره عدد دو را فشار دهید.",
        "The number is {number:phone}. If this is right, press one. To enter it again, press two.",
    ),
    "not-a-number": (
        "با این شماره نمی‌توان تماس گرفت.",
        "That number cannot be called.",
    ),
    "callback-noted": (
        "درخواست شما ثبت شد و در نخستین فرصت با شما تماس می‌گیریم. خدا نگهدار.",
        "Your request has been noted. We will call you back as soon as we can. Goodbye.",
    ),
    # survey
    "survey-score": (
        "لطفاً به این تماس از یک تا پنج نمره بدهید؛ پنج یعنی بسیار خوب.",
        "Please rate this call from one to five, where five is excellent.",
    ),
    "survey-words": (
        "اگر سخنی دارید، پس از بوق بگویید و در پایان مربع را فشار دهید.",
        "If you wish to add anything, please speak after the tone, and press hash when you have finished.",
    ),
    "survey-thanks": (
        "از پاسخ شما سپاسگزاریم. خدا نگهدار.",
        "Thank you for your answers. Goodbye.",
    ),
}

BUILT_IN: Mapping[str, Prompt] = MappingProxyType(
    {name: Prompt(fa=fa, en=en, recorded=name) for name, (fa, en) in _TEXTS.items()}
)
