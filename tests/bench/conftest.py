"""One report for a whole run, shown at its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bench.measure import Report


@pytest.fixture(scope="session")
def report() -> Iterator[Report]:
    shown = Report()
    yield shown
    shown.show()
