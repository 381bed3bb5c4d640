"""`python -m joingate` and `joingate` are the same program, and this is where it begins."""

import signal
import sys


def main() -> int:
    """Run one command and return its exit status."""
    if sys.argv[1:2] == ["serve"]:
        # By default a SIGHUP ends a process. One that comes while this one is still importing waits until there is
        # somebody to act on it (app.run).
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        # A SIGINT ends the process like a SIGTERM: as an exception in the midst of an import it can get lost.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from joingate import cli  # noqa: PLC0415 - after the line above, since this is what takes time

        return cli.main()
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as shells report it


if __name__ == "__main__":
    sys.exit(main())
