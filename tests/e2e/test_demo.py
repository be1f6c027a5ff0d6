"""`pasokh demo --for 8 --json`, as a person runs it first."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.e2e.house import pasokh
from tests.ports import unused_tcp_port


@pytest.mark.needs("espeak")
async def test_a_demonstration_ends_with_its_totals(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    words = ("demo", "--for", "8", "--json", "--port", str(unused_tcp_port()))
    async with pasokh(*words, env={"TMPDIR": str(temporary)}) as child:
        status, out, said = await child.end(60)
    assert status == 0, said
    totals = json.loads(out.splitlines()[-1])
    assert totals["card_before_ring"] == 1.0
    assert totals["offered"] == totals["answered"] + totals["abandoned"] + totals["waiting"]
    # The PBX counts callers from their first ring, we count those in line: some are still in the menu.
    assert 0 < totals["offered"] <= totals["pbx_offered"]
    assert totals["answered"] == totals["pbx_answered"]
    assert totals["wallboard_messages"] > 8
    assert "Not as it should be" not in said
    assert os.listdir(temporary) == []
