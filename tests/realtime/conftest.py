from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.realtime.house import House, house


@pytest.fixture
async def a_house(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as built:
        yield built
