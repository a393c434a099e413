#!/usr/bin/python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""What clang-format does not see.  Prints every line that breaks a rule.

usage: style.py [--no-ctags] [ROOT]
"""

import pathlib
import re
import shutil
import subprocess
import sys

SPDX = "SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause"
COLUMNS = 80
FUNCTION_MAX = 70  # lines, from the name to the closing brace
FILE_MAX = 700

# Cut, overrun, or run what they are given.
BANNED = "gets strtok alloca system popen vsprintf"
# Tests fill their own arrays with their own constants.
UNBOUNDED = "strcpy strcat stpcpy sprintf"
# End the broker.  The command line and the tests may.
ENDING = "assert abort exit _exit _Exit quick_exit"

C_FILES = ["*.c", "*.h"]
SCRIPTS = ["*.py", "*.sh", "*.cmake", "CMakeLists.txt"]

# Comments, then literals; whichever begins first wins.
TOKEN = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


def list_files(root: pathlib.Path, patterns: list[str]) -> list[pathlib.Path]:
    return sorted(
        file for pattern in patterns for file in root.rglob(pattern)
        if not file.relative_to(root).parts[0].startswith(("build", ".")))


def line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def strip(text: str) -> tuple[str, list[int]]:
    """The code alone, at its place; and the lines of // comments."""
    slashes = []

    def blank(found: re.Match) -> str:
        if found.group().startswith("//"):
            slashes.append(line_of(text, found.start()))
        return re.sub(r"[^\n]", " ", found.group())

    return TOKEN.sub(blank, text), slashes


def check_lines(text: str) -> list[tuple[int, str]]:
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        width = len(line.expandtabs(8))
        if width > COLUMNS:
            faults.append((number, f"{width} columns; at most {COLUMNS}"))
        if line != line.rstrip():
            faults.append((number, "blanks at the end of the line"))
    if number_of_lines(text) > FILE_MAX:
        faults.append((FILE_MAX, f"a file of more than {FILE_MAX} lines"))
    return faults


def number_of_lines(text: str) -> int:
    return len(text.splitlines())


def check_calls(code: str, path: str) -> list[tuple[int, str]]:
    words = BANNED.split()
    if not path.startswith("test/"):
        words += UNBOUNDED.split()
    if not path.startswith(("ctl/", "test/")):
        words += ENDING.split()
    call = re.compile(rf"(?<![\w.>])({'|'.join(words)})\s*\(")
    return [(line_of(code, found.start()), f"{found.group(1)}() is banned")
            for found in call.finditer(code)]


def functions_by_ctags(file: pathlib.Path) -> list[tuple[str, int, int]]:
    output = subprocess.run(
        ["ctags", "-f", "-", "--language-force=C", "--kinds-C=f",
         "--fields=+ne", "--excmd=number", str(file)],
        check=True, capture_output=True, text=True).stdout
    return [(line.split("\t")[0], int(start), int(end))
            for line in output.splitlines()
            for start, end in re.findall(r"\tline:(\d+).*\tend:(\d+)", line)]


def functions_by_braces(code: str) -> list[tuple[str, int, int]]:
    """A name in the first column, then braces in the first column."""
    found, name, start = [], "", 0
    for number, line in enumerate(code.splitlines(), 1):
        if begin := re.match(r"(\w+)\(", line):
            name, start = begin.group(1), number
        elif line.startswith("}") and name:
            found.append((name, start, number))
            name = ""
        elif line.rstrip().endswith(";") and not line.startswith((" ", "\t")):
            name = ""
    return found


def has_ctags() -> bool:
    if shutil.which("ctags") is None:
        return False
    version = subprocess.run(
        ["ctags", "--version"], capture_output=True, text=True, check=False)
    return "Universal Ctags" in version.stdout


def check_c(file: pathlib.Path, path: str, ctags: bool) -> list[tuple[int, str]]:
    text = file.read_text(encoding="utf-8", errors="replace")
    code, slashes = strip(text)
    faults = check_lines(text)
    if not text.startswith(f"/* {SPDX} */\n"):
        faults.append((1, f"the first line is not /* {SPDX} */"))
    faults += [(line, "a // comment; write /* */") for line in slashes]
    faults += check_calls(code, path)
    functions = (functions_by_ctags(file) if ctags
                 else functions_by_braces(code))
    for name, start, end in functions:
        if end - start + 1 > FUNCTION_MAX:
            faults.append((start, f"{name}() has {end - start + 1} lines; "
                                  f"at most {FUNCTION_MAX}"))
    return faults


def check_script(file: pathlib.Path) -> list[tuple[int, str]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    first = 1 if lines and lines[0].startswith("#!") else 0
    if lines[first:first + 1] != [f"# {SPDX}"]:
        return [(first + 1, f"this line is not # {SPDX}")]
    return []


def main() -> int:
    words = sys.argv[1:]
    ctags = "--no-ctags" not in words and has_ctags()
    words = [word for word in words if word != "--no-ctags"]
    here = pathlib.Path(__file__).resolve().parents[2]
    root = pathlib.Path(words[0]) if words else here
    count = 0
    for file in list_files(root, C_FILES + SCRIPTS):
        path = file.relative_to(root).as_posix()
        faults = (check_c(file, path, ctags) if file.suffix in (".c", ".h")
                  else check_script(file))
        for line, fault in sorted(faults):
            print(f"{path}:{line}: {fault}")
            count += 1
    if count == 0:
        print("style: nothing to say")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
