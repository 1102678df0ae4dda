"""The first moment of a child: it registers with the guardian, then becomes the program that it is to be.

    python -I -S launcher.py PIPE SIGNAL USER COMMAND...

PIPE is the guardian's pipe, SIGNAL the number that stops the command, USER the id of the user to become or -1 to stay.
This file runs by itself, with the standard library alone.
"""

import fcntl
import os
import sys


def main(arguments: list[str]) -> None:
    """Register and exec; returns only by an exit with the reason."""
    pipe, stop_signal, user = map(int, arguments[:3])
    command = arguments[3:]
    os.write(pipe, f"+{os.getpid()} {stop_signal}\n".encode())
    fcntl.fcntl(pipe, fcntl.F_SETFD, fcntl.FD_CLOEXEC)  # or the guardian would wait for this child to end, too
    if user >= 0:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    try:
        os.execvp(command[0], command)  # noqa: S606 - a list of arguments, no shell
    except OSError as error:
        sys.exit(f"{command[0]} could not be started: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
