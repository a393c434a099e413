#!/usr/bin/python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Plants one fault at a time in a small tree; each lint has to find it.

usage: selftest.py rooms|style|format
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SPDX = "SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause"
TOP = f"/* {SPDX} */\n"

# A tree without a fault.
CLEAN = {
    "common/text.h": TOP + "#include <stddef.h>\n",
    "common/json.c": TOP + '#include "common/text.h"\n\n'
                           "#include <cjson/cJSON.h>\n",
    "identity/identity.h": TOP + '#include "common/text.h"\n',
    "trust/trust.h": TOP + '#include "identity/identity.h"\n',
    "trust/trust.c": TOP + "#include <openssl/x509.h>\n",
    "policy/policy.h": TOP + '#include "identity/identity.h"\n',
    "registry/registry.h": TOP,
    "registry/sqlite.c": TOP + "#include <sqlite3.h>\n",
    "admission/admission.h": TOP + '#include "policy/policy.h"\n'
                                   '#include "registry/registry.h"\n'
                                   '#include "trust/trust.h"\n',
    "plugin/plugin.h": TOP + "#include <mosquitto_plugin.h>\n"
                             "#include <uthash.h>\n\n"
                             '#include "admission/admission.h"\n',
    "ctl/main.c": TOP + '#include "admission/admission.h"\n\nvoid\nend(void)\n'
                        "{\n\texit(1);\n}\n",
    "test/support/test.h": TOP + "#include <cmocka.h>\n\n"
                                 '#include "plugin/plugin.h"\n',
    "build/generated.c": "// not ours\n",
    "CMakeLists.txt": f"# {SPDX}\n",
    "test/run.sh": f"#!/bin/sh\n# {SPDX}\n",
}

LONG = "void\nlong_one(void)\n{\n" + "\tstep();\n" * 68 + "}\n"
FITS = "void\nlong_one(void)\n{\n" + "\tstep();\n" * 67 + "}\n"

# File -> its text; and what the lint has to print, None where it must not
# complain.
FAULTS = {
    "rooms": [
        ("common/a.c", '#include "identity/identity.h"', "common/a.c:2"),
        ("identity/a.c", '#include "trust/trust.h"', "identity/a.c:2"),
        ("identity/a.c", '#include "policy/policy.h"', "identity/a.c:2"),
        ("trust/a.c", '#include "policy/policy.h"', "trust/a.c:2"),
        ("policy/a.c", '#include "trust/trust.h"', "policy/a.c:2"),
        ("policy/a.c", '\n\n#include "registry/registry.h"', "policy/a.c:4"),
        ("registry/a.c", '#include "policy/policy.h"', "registry/a.c:2"),
        ("admission/a.c", '#include "plugin/plugin.h"', "admission/a.c:2"),
        ("plugin/a.c", '#include "ctl/ctl.h"', "plugin/a.c:2"),
        ("ctl/a.c", '#include "plugin/plugin.h"', "ctl/a.c:2"),
        ("ctl/a.c", '#include "test/support/test.h"', "ctl/a.c:2"),
        ("common/a.h", '# include "test/support/test.h"', "common/a.h:2"),
        ("common/sub/a.c", '#include "trust/trust.h"', "common/sub/a.c:2"),
        ("plugin/a.c", '#include "plugin.h"', "plugin/a.c:2"),
        ("plugin/a.c", '#include "../trust/trust.h"', "plugin/a.c:2"),
        ("plugin/a.c", "#include HEADER", "plugin/a.c:2"),
        ("policy/a.c", "#include <openssl/sha.h>", "policy/a.c:2"),
        ("plugin/a.c", "#include <openssl/ssl.h>", "plugin/a.c:2"),
        ("plugin/handshake.c", "#include <openssl/ssl.h>", None),
        ("registry/a.c", "#include <sqlite3.h>", "registry/a.c:2"),
        ("registry/schema.c", "#include <sqlite3.h>", None),
        ("ctl/a.c", "#include <sqlite3.h>", "ctl/a.c:2"),
        ("ctl/a.c", "#include <mosquitto.h>", "ctl/a.c:2"),
        ("trust/a.h", "#include <mosquitto_plugin.h>", "trust/a.h:2"),
        ("ctl/a.c", "#include <cjson/cJSON.h>", "ctl/a.c:2"),
        ("trust/a.c", "#include <curl/curl.h>", "trust/a.c:2"),
        ("plugin/a.c", "#include <curl/curl.h>", "plugin/a.c:2"),
        ("plugin/fetch.h", "#include <curl/curl.h>", "plugin/fetch.h:2"),
        ("plugin/fetch.c", "#include <curl/curl.h>", None),
        ("trust/a.c", "#include <glib.h>", "trust/a.c:2"),
        ("common/a.c", "#include <cmocka.h>", "common/a.c:2"),
        ("common/a.c", "#include <uthash.h>", None),
        ("attic/a.c", "", "attic/a.c:1"),
    ],
    "style": [
        ("common/a.c", "// a remark", "common/a.c:2: a //"),
        ("common/a.c", "int a; // a remark", "common/a.c:2: a //"),
        ("common/a.c", '/* see https://example.org */\nchar *b = "//";', None),
        ("common/a.c", "/* " + "x" * 75 + " */", "common/a.c:2: 81"),
        ("common/a.c", "/* " + "x" * 74 + " */", None),
        ("common/a.c", "\t" * 10 + "a", "common/a.c:2: 81"),
        ("common/a.c", "int a; ", "common/a.c:2: blanks"),
        ("common/a.c", "\n" * 699 + "int a;", "common/a.c:700: a file"),
        ("common/a.c", "\tstrcpy(a, b);", "common/a.c:2: strcpy()"),
        ("common/a.c", "\tstrcat (a, b);", "common/a.c:2: strcat()"),
        ("common/a.c", "\tsprintf(a, b);", "common/a.c:2: sprintf()"),
        ("common/a.c", "\tgets(a);", "common/a.c:2: gets()"),
        ("common/a.c", "\tstrtok(a, b);", "common/a.c:2: strtok()"),
        ("common/a.c", "\talloca(1);", "common/a.c:2: alloca()"),
        ("ctl/a.c", "\tsystem(a);", "ctl/a.c:2: system()"),
        ("trust/a.c", "\tstrcpy(a, b);", "trust/a.c:2: strcpy()"),
        ("test/a.c", "\tstrcpy(a, b);", None),
        ("test/a.c", "\tsystem(a);", "test/a.c:2: system()"),
        ("common/a.c", "\tassert(a);", "common/a.c:2: assert()"),
        ("plugin/a.c", "\tabort();", "plugin/a.c:2: abort()"),
        ("plugin/a.c", "\n\texit(1);", "plugin/a.c:3: exit()"),
        ("ctl/a.c", "\texit(1);", None),
        ("test/a.c", "\tassert(a);\n\tabort();", None),
        ("common/a.c", "\tsnprintf(a, b);\n\tstrtok_r(a, b, c);", None),
        ("common/a.c", '/* strcpy() */\nchar *a = "exit(1)";', None),
        ("common/a.c", '_Static_assert(1, "one");', None),
        ("common/a.c", LONG, "common/a.c:3: long_one() has 71"),
        ("common/a.c", FITS, None),
        ("cmake/a.cmake", None, "cmake/a.cmake:2"),
        ("common/CMakeLists.txt", None, "common/CMakeLists.txt:2"),
        ("test/a.py", None, "test/a.py:2"),
        ("common/b.c", None, "common/b.c:1: the first line"),
    ],
    "format": [
        ("common/a.c", "int  a;", "common/a.c:2"),
        ("test/unit/a.c", "void\na(void) {\n}", "test/unit/a.c:3"),
        ("build/a.c", "int  a;", None),
        ("common/a.c", "int a;", None),
    ],
}

COMMANDS = {
    "rooms": [[sys.executable, str(HERE / "rooms.py")]],
    "style": [[sys.executable, str(HERE / "style.py")],
              [sys.executable, str(HERE / "style.py"), "--no-ctags"]],
    "format": [["sh", str(HERE / "format.sh")]],
}


def plant(root: pathlib.Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def run(command: list[str], root: pathlib.Path) -> tuple[int, str]:
    done = subprocess.run(command + [str(root)], capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def check(command: list[str], root: pathlib.Path, want: str | None) -> bool:
    """One line about it if the lint did not say what it had to."""
    code, output = run(command, root)
    if want is None:
        if code == 0:
            return True
        print(f"{command[-1]}: complains without a cause:\n{output}")
        return False
    if code != 0 and want in output:
        return True
    print(f"{command[-1]}: exit {code}, and not a word of {want}:\n{output}")
    return False


def main() -> int:
    lint = sys.argv[1]
    if lint == "format" and shutil.which("clang-format") is None:
        print("format: no clang-format here; skipped")
        return 77
    good = True
    for command in COMMANDS[lint]:
        for path, text, want in [("common/z.h", "int z;", None), *FAULTS[lint]]:
            with tempfile.TemporaryDirectory() as directory:
                root = pathlib.Path(directory)
                for name, clean in CLEAN.items():
                    plant(root, name, clean)
                if lint == "format":
                    shutil.copy(HERE.parents[1] / ".clang-format", root)
                plant(root, path, "#!/bin/sh\nnothing\n" if text is None
                      else TOP + text + "\n")
                good = check(command, root, want) and good
    print(f"{lint}: {len(FAULTS[lint])} planted files, "
          + ("all as expected" if good else "NOT all as expected"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
