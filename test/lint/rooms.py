#!/usr/bin/python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Who may include whom.  Prints every #include that breaks the table.

usage: rooms.py [ROOT]
"""

import fnmatch
import pathlib
import re
import sys

# Room -> the rooms that it may know besides itself.  CMakeLists.txt says the
# same in its ROOMS lines.
ROOMS = {
    "common": "",
    "identity": "common",
    "trust": "common identity",
    "policy": "common identity",
    "registry": "common identity",
    "admission": "common identity trust policy registry",
    "manage": "common identity trust policy registry admission",
    "plugin": "common identity trust policy registry admission manage",
    "ctl": "common identity trust policy registry admission manage",
}

# These may know every room, and none of the rooms may know them.
OUTSIDE = ["test", "bench", "fuzz"]

# Third-party header -> the files of the rooms that are its home.
HOMES = {
    "openssl/*": ["identity/*", "trust/*", "plugin/handshake.c"],
    "sqlite3*.h": ["registry/sqlite*.c", "registry/schema.c"],
    "mosquitto.h": ["ctl/remote.c"],
    "mosquitto*": ["plugin/*"],
    "mqtt_protocol.h": ["plugin/*"],
    "cjson/*": ["common/json.[ch]", "common/json_value.c"],
    "csv.h": ["manage/csv.c"],
    "ut*.h": ["*"],
    "curl/*": ["plugin/fetch.c", "plugin/post.c"],
}

# What C11 and POSIX bring along.
SYSTEM = """
    arpa/inet.h assert.h ctype.h dirent.h dlfcn.h errno.h fcntl.h float.h
    getopt.h inttypes.h limits.h locale.h math.h netdb.h netinet/in.h poll.h
    pthread.h pwd.h grp.h sched.h setjmp.h signal.h spawn.h stdalign.h stdarg.h
    stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h
    sys/file.h sys/mman.h sys/random.h sys/resource.h sys/socket.h sys/stat.h
    sys/statfs.h sys/time.h sys/types.h sys/uio.h sys/un.h sys/vfs.h sys/wait.h
    termios.h sys/ioctl.h threads.h time.h unistd.h
""".split()

INCLUDE = re.compile(r'^\s*#\s*include\b\s*(.*)$')


def check_system(path: str, header: str) -> str | None:
    for pattern, homes in HOMES.items():
        if fnmatch.fnmatch(header, pattern):
            if any(fnmatch.fnmatch(path, home) for home in homes):
                return None
            return f"<{header}> belongs in {', '.join(homes) or 'no room'}"
    if header in SYSTEM:
        return None
    return f"<{header}> is not known; give it a home in test/lint/rooms.py"


def check_own(root: pathlib.Path, path: str, header: str) -> str | None:
    room, target = path.split("/")[0], header.split("/")[0]
    if not (root / header).is_file():
        return f'"{header}" is no file; write "room/file.h"'
    if target != room and target not in ROOMS[room].split():
        return f'{room} may not know {target} ("{header}")'
    return None


def check_line(root: pathlib.Path, path: str, line: str) -> str | None:
    found = INCLUDE.match(line)
    if found is None:
        return None
    what = found.group(1).strip()
    if system := re.match(r"<([^>]+)>", what):
        return check_system(path, system.group(1))
    if own := re.match(r'"([^"]+)"', what):
        return check_own(root, path, own.group(1))
    return f"cannot tell what is included: {what}"


def check_room(root: pathlib.Path, room: str) -> list[str]:
    faults = []
    for file in sorted((root / room).rglob("*.[ch]")):
        path = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if fault := check_line(root, path, line):
                faults.append(f"{path}:{number}: {fault}")
    return faults


def check_strays(root: pathlib.Path) -> list[str]:
    """C files in a directory that no line of the table speaks of."""
    return [
        f"{file.relative_to(root)}:1: a room that test/lint/rooms.py "
        "does not know"
        for file in sorted(root.glob("*/**/*.[ch]"))
        if (top := file.relative_to(root).parts[0]) not in ROOMS
        and top not in OUTSIDE
        and not top.startswith(("build", "."))
    ]


def main() -> int:
    here = pathlib.Path(__file__).resolve().parents[2]
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    faults = check_strays(root)
    for room in ROOMS:
        faults += check_room(root, room)
    print("\n".join(faults) or "rooms: every include is where it belongs")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
