"""A new login shell of a new user completes msgrctl: a TAB on a pseudo-terminal.

    completions.py ROOT      ROOT is a Debian tree with a user ada
"""

import os
import pty
import select
import signal
import sys
import time

# Debian's zsh leaves compinit to the user: the one line that all of them have.
ZSHRC = "autoload -Uz compinit && compinit -u\n"


def until(terminal, wanted, seconds=30):
    """What was printed until `wanted` came."""
    seen = b""
    end = time.monotonic() + seconds
    while wanted not in seen:
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            sys.exit(f"{wanted!r} did not come; there is {seen!r}")
        try:
            seen += os.read(terminal, 4096)
        except OSError:
            sys.exit(f"the shell ended; there is {seen!r}")
        # fish asks the terminal what it is, and waits for the answer.
        if seen.endswith((b"\x1b[c", b"\x1b[0c")):
            os.write(terminal, b"\x1b[?62c")
    return seen


def main():
    root = sys.argv[1]
    with open(os.path.join(root, "home/ada/.zshrc"), "w", encoding="utf-8") as file:
        file.write(ZSHRC)
    for shell in ["bash", "zsh", "fish"]:
        child, terminal = pty.fork()
        if child == 0:
            os.chroot(root)
            os.chdir("/")
            environment = {"TERM": "xterm", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
            os.execvpe("su", ["su", "--login", "--shell", f"/usr/bin/{shell}", "ada"], environment)
        os.write(terminal, b"echo re''ady\n")
        until(terminal, b"ready\r\n")
        for typed, shown in [(b"msgrctl acc\t", b"account"), (b"\x15msgrctl doc\t", b"doctor")]:
            os.write(terminal, typed)
            until(terminal, shown)
        os.kill(child, signal.SIGHUP)
        os.close(terminal)
        os.waitpid(child, 0)
        print(f"  {shell}: completes")


main()
