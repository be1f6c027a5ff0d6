"""A line-of-business system as a bank or an insurer has one: HTTP, JSON, and every way to be ill.

    async with LineOfBusiness().listening() as lob:
        ...f"http://127.0.0.1:{lob.port}/accounts/c-1001/balance"...

It has the same people as the example data that ships (`crm_lookup/example/records.json`), so a flow must say the
same with either. It needs nothing but the loop's own server, so it also runs on virtual time. Codes are not sent by
SMS: `codes` has them. `ill` makes it behave as it should not, and `asked` says what it was asked.
"""

from tests.lob.service import Ill, LineOfBusiness, settings_toml

__all__ = ["Ill", "LineOfBusiness", "settings_toml"]
