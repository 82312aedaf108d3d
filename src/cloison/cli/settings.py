"""The settings file on the command line: what it says becomes the options' defaults."""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from cloison.app.settingsfile import SettingsFile

FILE: Final = "cloison.yaml"
"""Name of the settings file."""
NONE: Final = ("", "none")
"""What `--config` is given to read no settings file."""
PARAMETERS: Final = {
    "values": "values",
    "render": "render",
    "namespace": "namespace",
    "cni": "cni",
    "kubernetesVersion": "kubernetes",
    "podCidrs": "pod_cidrs",
    "nodeCidrs": "node_cidrs",
    "serviceCidrs": "service_cidrs",
    "dnsTables": "dns_tables",
    "fieldValidation": "field_validation",
    "strict": "strict",
    "failOn": "fail_on",
    "flows": "store",
}
"""The option that each setting is the default of. `sources` is told apart in `run`: commands
differ in where they take them from."""
FILE_ONLY: Final = (
    "names",
    "clusterDomain",
    "platform",
    "components",
    "policyChannel",
    "annotationPrefix",
)
"""Settings without an option."""
FINDINGS: Final = ("show", "validate", "doctor", "cni", "egress")
"""Commands whose `--fail-on` is about findings; that of others is about something else."""
_META: Final = "cloison.settings"


def option() -> Callable[[Any], Any]:
    """Return the option that names the settings file."""
    return click.option(
        "--config",
        envvar="CLOISON_CONFIG",
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=_read,
        help="Settings file, or none for none.  [default: the nearest cloison.yaml, here or above]",
    )


def file(context: click.Context | None = None) -> "SettingsFile | None":
    """Return the settings file of the command that runs, if there is one."""
    context = context or click.get_current_context(silent=True)
    found: SettingsFile | None = context.meta.get(_META) if context is not None else None
    return found


def _read(context: click.Context, _param: click.Parameter, name: str | None) -> None:
    """Read the settings file and make it the defaults of the other options."""
    if context.resilient_parsing or name in NONE:
        return
    path = Path(name) if name else _nearest()
    if path is None:
        return
    from cloison.app import settingsfile

    found = settingsfile.read(path, found=not name)
    context.meta[_META] = found
    defaults = {
        parameter: found.resolved(key)
        for key, parameter in PARAMETERS.items()
        if key in found.values and (key != "failOn" or context.info_name in FINDINGS)
    }
    context.default_map = {**(context.default_map or {}), **defaults}


def find(start: Path) -> Path | None:
    """Return the settings file that holds in a directory: there, or in the nearest one above.

    A directory above in which everybody may write, such as the one for temporary files, is passed
    over: its settings need not be ours.

    Raises:
        SourceError: everybody may write in the directory itself, and someone else has put it there.
    """
    for directory in (start, *start.parents):
        file = directory / FILE
        with suppress(OSError):
            if not file.is_file():
                continue
            if not _anybody(directory):
                return file
            if directory == start:
                _check_owner(file, directory)
                return file
    return None


def _check_owner(file: Path, directory: Path) -> None:
    """Check that a file is ours, the administrator's or of whom its directory belongs to.

    Raises:
        SourceError: it is someone else's.
    """
    owner = file.lstat().st_uid
    if os.name == "posix" and owner not in (os.getuid(), 0, directory.stat().st_uid):
        from cloison.base import SourceError

        msg = f"{FILE} here is someone else's, in a directory where everybody may write"
        raise SourceError(msg, f"if you trust it, say --config {FILE}; --config none reads none")


def _nearest() -> Path | None:
    with suppress(OSError):
        return find(Path.cwd())
    return None


def _anybody(directory: Path) -> bool:
    return bool(directory.stat().st_mode & stat.S_IWOTH)
