"""The configuration as the program gets it: joingate.toml and the files it names are looked at here, nowhere below."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from joingate.codecs.config_keys import FileFacts, Reading
from joingate.codecs.config_sections import Settings
from joingate.codecs.configfile import parse_settings, settings_json_schema
from joingate.core.errors import RefusedInputError

__all__ = ["Settings", "load_settings", "settings_json_schema"]

_LONGEST = 1_048_576  # bytes; a thousand [[join]] tables are a tenth of it


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read joingate.toml and the JOINGATE_SECTION__KEY variables over it.

    Args:
        path: the file; relative paths in it start from its folder.
        environ: the environment. `joingate.codecs.configfile` says how a variable is read.

    Raises:
        RefusedInputError: the file cannot be read, or every problem in it and in the environment, one line each.
    """
    reading = Reading(path.absolute().parent, _look)
    return parse_settings(_content(path), environ, str(path), reading)


def _content(path: Path) -> bytes:
    if (refusal := _look(path).refusal) is not None:
        raise RefusedInputError(
            f"{path}: {refusal}; write one (deploy/joingate.toml is a commented example), or name another with --config"
        )
    with path.open("rb") as file:
        data = file.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise RefusedInputError(
            f"{path}: is larger than 1 MiB, so it is hardly a configuration; name another with --config"
        )
    return data


def _look(path: Path) -> FileFacts:
    """Say what there is to know of a file. Only regular files are opened: a pipe would wait for its writer."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return FileFacts("is not a file")
        with path.open("rb") as file:
            blank = not file.read(65_536).strip()
    except FileNotFoundError:
        return FileFacts("does not exist")
    except OSError as error:
        return FileFacts(f"cannot be read ({error.strerror})")
    of_root = status.st_uid == 0 != os.geteuid()
    return FileFacts(None, stat.S_IMODE(status.st_mode), blank, of_root)
