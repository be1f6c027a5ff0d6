"""Files in place: whole or not at all, and not for everybody's eyes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from asterisk_conf import NotWritten, readable_by_all, write


def test_files_are_written_for_their_group_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        done = write(tmp_path / "deep/etc", {"pasokh-a.conf": "a", "pasokh-b.conf": "سلام"})
    finally:
        os.umask(before)
    assert [path.read_text("utf-8") for path in done] == ["a", "سلام"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in done} == {0o640}
    assert stat.S_IMODE((tmp_path / "deep/etc").stat().st_mode) == 0o750
    assert readable_by_all(tmp_path / "deep/etc") == []
    done[0].chmod(0o644)
    assert readable_by_all(tmp_path / "deep/etc") == [done[0]]


def test_they_take_the_place_of_older_ones_and_leave_no_drafts(tmp_path: Path) -> None:
    (tmp_path / "pasokh-a.conf").write_text("old")
    (tmp_path / ".pasokh-a.conf.new").write_text("left over by a run that was killed")
    write(tmp_path, {"pasokh-a.conf": "new"})
    assert [path.name for path in tmp_path.iterdir()] == ["pasokh-a.conf"]
    assert (tmp_path / "pasokh-a.conf").read_text() == "new"


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "etc"
    folder.mkdir()
    for name in ("pasokh-a.conf", ".pasokh-a.conf.new"):
        (folder / name).symlink_to(outside)
    write(folder, {"pasokh-a.conf": "new"})
    assert outside.read_text() == "mine"
    assert not (folder / "pasokh-a.conf").is_symlink()


@pytest.mark.parametrize("name", ["../x.conf", "x", "/etc/x.conf", "x.conf/", "", "x\n.conf"])
def test_only_names_of_configuration_files_are_taken(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotWritten, match="nothing was written"):
        write(tmp_path, {"pasokh-a.conf": "a", name: "x"})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file")
    with pytest.raises(NotWritten, match="etc"):
        write(tmp_path / "etc", {"pasokh-a.conf": "a"})


def test_when_one_cannot_be_put_in_place_the_others_are_named(tmp_path: Path) -> None:
    (tmp_path / "pasokh-b.conf").mkdir()
    (tmp_path / "pasokh-b.conf/x").touch()
    with pytest.raises(NotWritten, match=r"already new: pasokh-a\.conf"):
        write(tmp_path, {"pasokh-a.conf": "a", "pasokh-b.conf": "b"})
    assert {path.name for path in tmp_path.iterdir()} == {"pasokh-a.conf", "pasokh-b.conf"}
