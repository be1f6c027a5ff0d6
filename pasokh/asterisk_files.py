"""Asterisk's files from the settings and the site, with secrets read from their own files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from acd.site import Site
from asterisk_conf.errors import AsteriskConfError
from asterisk_conf.generate import complete, includes
from asterisk_conf.settings import AsteriskConfSettings
from asterisk_conf.writing import write
from pasokh.errors import NotReadyError, SettingsError
from pasokh.settings import Settings, read_or_make_secret

MODULES = ("res_pjsip.so", "pbx_config.so", "app_queue.so", "res_musiconhold.so")


def conf_settings(settings: Settings) -> AsteriskConfSettings:
    """What the generator must know of this process."""
    to = settings.asterisk
    if not to.agi_address and to.agi_host in ("0.0.0.0", "::"):
        raise SettingsError(
            f"We listen for Asterisk's calls at {to.agi_host}, which is no address Asterisk can call; "
            "set [asterisk] agi_address to this machine's."
        )
    return AsteriskConfSettings(
        agi_secret=settings.secret("agi"),
        ami_secret=settings.secret("ami"),
        agi_servers=((to.agi_address or to.agi_host, to.agi_port),),
        ami_user=to.ami_user,
        ami_port=to.ami_port,
        ami_bind=to.ami_host,
        ami_permit=to.ami_permit,
        systemname=to.systemname,
        sip_bind=to.sip_bind,
        sip_port=to.sip_port,
    )


def write_config(settings: Settings, site: Site, folder: Path, whole: bool) -> list[Path]:
    """Write the files; a phone's or trunk's secret that is not there yet is made. Raises SettingsError."""

    def secret(name: str) -> str:
        return read_or_make_secret(settings.secrets.parent / name)

    generate = complete if whole else includes
    try:
        return write(folder, generate(site, conf_settings(settings), secret))
    except AsteriskConfError as error:
        raise SettingsError(str(error)) from None


def reload(program: str) -> Iterator[str]:
    """What Asterisk says while it reads its files again. Raises NotReadyError."""
    if shutil.which(program) is None:
        raise NotReadyError(
            f"There is no program {program} here; run this on Asterisk's machine, or name it with --program."
        )
    for command in (*(f"module reload {module}" for module in MODULES), "manager reload"):
        done = subprocess.run([program, "-rx", command], capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise NotReadyError(
                f"Asterisk did not take `{command}`: {(done.stderr or done.stdout).strip()}; is it running?"
            )
        yield f"{command}: {done.stdout.strip() or 'done'}"
