# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The command line, from outside: what it prints, and how it ends.

CERTID_BUILD is the build directory, <repository>/build by default.
"""
import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from ctl_tools import (CERTID, DEVICE_KEYS, ROOT, TIME, Ctl, add_devices,
                       run, unchanged)

# The grammar

USAGE = [
    ((), 'a command is missing: see "certid help"'),
    (("nope",), 'unknown command "nope": see "certid help"'),
    (("ca",), '"ca" needs add, list, show, activate, deactivate, remove, set, '
     'code, verify or crl: see "certid help ca"'),
    (("rule", "set", "default"), '"rule set" needs LEVEL: see'),
    (("ca", "nope"), 'unknown command "ca nope": see "certid help ca"'),
    (("ca", "add", "x", "--foo", "y"),
     'unknown option --foo for "ca add": see "certid help ca add"'),
    (("ca", "add"), '"ca add" needs FILE: see "certid help ca add"'),
    (("status", "x"), 'surplus argument x for "status"'),
    (("status", "--json", "--json"), "given twice: option --json"),
    (("status", "--org", ""), "option --org needs a value that is not empty"),
    (("status", "--org"), "a value is missing after option --org"),
    (("status", "--json=1"), "no value may be given to option --json"),
    (("device", "show", ""), "an argument is empty"),
    (("status", "-x"), "unknown option -x"),
    (("status", "--js"), "unknown option --js"),
    (("ca", "code"), '"ca code" needs CA: see "certid help ca code"'),
    (("ca", "code", "x", "y"), 'surplus argument y for "ca code"'),
    (("ca", "code", ""), "an argument is empty"),
    (("ca", "code", "x", "--expires", "1h"), "unknown option --expires"),
    (("ca", "verify"), '"ca verify" needs CA FILE: see'),
    (("ca", "verify", "x"), '"ca verify" needs FILE: see'),
    (("ca", "verify", "x", ""), "an argument is empty"),
    (("ca", "verify", "x", "y", "z"), 'surplus argument z for "ca verify"'),
    (("ca", "crl"), '"ca crl" needs CA FILE: see'),
    (("ca", "crl", "x"), '"ca crl" needs FILE: see'),
    (("ca", "crl", "", "y"), "an argument is empty"),
    (("ca", "crl", "x", "y", "z"), 'surplus argument z for "ca crl"'),
    (("ca", "add", "x", "--crl", "off"), "unknown option --crl"),
    (("ca", "add", "x", "--require-proof=yes"),
     "no value may be given to option --require-proof"),
    (("ca", "set", "x", "--require-proof"), "unknown option --require-proof"),
    (("ca", "set", "x", "--crl"), "a value is missing after option --crl"),
    (("ca", "set", "x", "--crl", ""), "--crl needs a value that is not empty"),
    (("ca", "set", "x", "--crl-grace", ""), "--crl-grace needs a value"),
    (("ca", "set", "x", "--crl", "off", "--crl", "off"),
     "given twice: option --crl"),
    (("set", "", "x"), "an argument is empty"),
    (("set", ""), "an argument is empty"),
    (("help", "nope"), 'unknown command "nope"'),
    (("help", "--json", "ca"), "help takes no argument"),
    (("init", "--topics", "nope"), "--topics takes plain or iot-2"),
    (("import",), '"import" needs FILE'),
    (("admin", "add"), '"admin add" needs NAME'),
    (("import", "x", "--skip"), 'unknown option --skip for "import"'),
]


@pytest.mark.parametrize("args,words", USAGE)
def test_usage_errors_need_no_registry(args, words, tmp_path):
    Ctl(tmp_path / "none.db").fails(2, words, *args)


BAD_WORDS = [
    (("org", "add", "-x"), "unknown option -x"),
    (("org", "add", "a b"), "is not a name for an org"),
    (("org", "add", "a" * 65), "is not a name for an org"),
    (("ca", "add", "f", "--name", "a b"), "is not a name for a CA"),
    (("ca", "add", "f", "--scope", "d:meter"), "is not a scope"),
    (("ca", "add", "f", "--scope", "d:*meter:x"), "is not a scope"),
    (("ca", "add", "f", "--tag", "novalue"), "--tag takes NAME=VALUE"),
    (("ca", "add", "f", "--tag", "=x"), "--tag takes NAME=VALUE"),
    (("ca", "add", "f", "--tag", "a=\x1b"), "--tag takes NAME=VALUE"),
    (("ca", "add", "f", "--description", "a\nb"), "--description takes"),
    (("ca", "add", "f", "--scope", "d:a:*", "--scope", "d:a:*"),
     "--scope d:a:* is given twice"),
    (("ca", "add", "f", "--name", ""), "--name needs a value that is not"),
    (("ca", "add", "f", "--description", ""), "--description needs a value"),
    (("ca", "set", "x", "--enrol", ""), "--enrol needs a value that is not"),
    (("ca", "set", "x"), "there is nothing to set"),
    (("type", "show", "meter"), "is not a device type"),
    (("type", "set", "x:meter"), "is not a device type"),
    (("type", "set", "d:a b"), "is not a device type"),
    (("type", "unset", "d:"), "is not a device type"),
    (("type", "set", "d:meter", "--enrol", "never"), "--enrol takes"),
    (("type", "set", "d:meter", "--window", "48"), "--window takes"),
    (("type", "set", "d:meter", "--window", "0s"), "--window takes"),
    (("type", "set", "d:meter", "--id-format", "x"), "--id-format takes"),
    (("type", "set", "d:meter", "--id-length", "65"), "--id-length takes"),
    (("type", "set", "d:meter", "--id-length", "-1"), "--id-length takes"),
    (("type", "set", "d:meter", "--id-prefix", "a b"), "--id-prefix takes"),
    (("type", "set", "d:meter", "--id-prefix", "x" * 64), "--id-prefix"),
    (("type", "set", "d:meter", "--id-prefix", "xy", "--id-length", "63"),
     "longer than 64"),
    (("type", "set", "d:meter", "--id-format", "uuid4", "--id-length", "64"),
     "uuid4 has 36 characters"),
    (("type", "set", "d:meter", "--id-format", "mac", "--id-length", "5"),
     "mac has 12 characters"),
    (("type", "set", "d:meter", "--id-prefix", "a:"), "the prefix holds a ':'"),
    (("type", "set", "d:meter", "--id-length", ""), "needs a value"),
    (("type", "set", "d:meter", "--window", ""), "needs a value"),
    (("device", "add", "d:meter:1", "--window", "default"), "--window takes"),
    (("rule", "set", "default", "high"), "is not a level"),
    (("rule", "set", "default", "CERT"), "is not a level"),
    (("rule", "set", "meter", "cert"), "is not a device type"),
    (("rule", "unset", "default"), "can be set, but not unset"),
    (("rule", "unset", "x"), "is not a device type"),
    (("device", "add", "meter"), "is not an identity"),
    (("device", "add", "d:meter"), "is not an identity"),
    (("device", "add", "d:meter:a/b"), "is not an identity"),
    (("device", "add", "d:meter:" + "x" * 65), "is not an identity"),
    (("device", "add", "d:meter:1", "--window", "5"), "--window takes"),
    (("device", "add", "d:meter:1", "--tag", "x"), "--tag takes"),
    (("device", "show", "x"), "is not an identity"),
    (("device", "lock", "x"), "is not an identity"),
    (("device", "list", "--limit", "0"), "--limit takes a number from 1"),
    (("device", "list", "--limit", "100001"), "--limit takes"),
    (("device", "list", "--limit", "x"), "--limit takes"),
    (("device", "list", "--state", "locked"),
     "a device of any state may be locked"),
    (("device", "list", "--type", "meter"), "is not a device type"),
    (("device", "list", "--after", "x"), "is not an identity"),
    (("topic", "add", "x", "both", "a"), "is not a WHO"),
    (("topic", "add", "all", "write", "a"), "is not an ACCESS"),
    (("topic", "remove", "all", "none", "a"), "is not an ACCESS"),
    (("topic", "add", "all", "both"), "needs FILTER"),
    (("set", "topics"), '"set topics" needs VALUE'),
    (("set", "topics", "maybe"), "topics takes on or off"),
    (("set", "topics", "on off"), "topics takes on or off"),
    (("set", "types", "closed"), "types takes open or declared"),
    (("set", "enrol", "never"), "enrol takes auto, approve or listed"),
    (("set", "client-id", "{type}"), 'see "certid help set"'),
    (("set", "client-id", "{class}:{type}:{nope}"), 'see "certid help set"'),
    (("set", "nope", "x"), 'unknown setting "nope"'),
    (("set", "ca-proof", "yes"), "ca-proof takes on or off"),
    (("set", "ca-proof", ""), "ca-proof takes on or off"),
    (("set", "topics", ""), "topics takes on or off"),
    (("set", "client-id", ""), 'see "certid help set"'),
    (("set", "nope", ""), 'unknown setting "nope"'),
    (("set", "sni"), '"set sni" needs VALUE'),
    (("set", "sni", "."), "a label between its dots is empty"),
    (("set", "sni", ".example.com"), "a label between its dots is empty"),
    (("set", "sni", "example.com."), "without the dot at its end"),
    (("set", "sni", "192.0.2.1"), "it is an IP address"),
    (("set", "sni", "2001:db8::1"), "it is an IP address"),
    (("set", "sni", "a..b"), "a label between its dots is empty"),
    (("set", "sni", "*.example.com"), "only letters, digits"),
    (("set", "sni", "exa mple.com"), "only letters, digits"),
    (("set", "sni", "ex_ample.com"), "only letters, digits"),
    (("set", "sni", "--", "-a.com"), "a label begins or ends with a hyphen"),
    (("set", "sni", "a-.com"), "a label begins or ends with a hyphen"),
    (("set", "sni", "a" * 64), "a label is longer than 63 bytes"),
    (("set", "sni", ".".join(["a" * 50] * 4)), "longer than a DNS name may be"),
    (("explain",), '"explain" needs --cert FILE'),
    (("explain", "--cert", "f", "--tls", "maybe"), "--tls takes yes or no"),
    (("explain", "--cert", "f", "--at", "noon"), "--at takes a time"),
    (("event", "list", "--kind", "x"), "is not a kind of event"),
    (("event", "list", "--since", "x"), "--since takes"),
    (("event", "list", "--limit", "0"), "--limit takes"),
    (("event", "follow", "--kind", "x"), "is not a kind of event"),
]


@pytest.mark.parametrize("args,words", BAD_WORDS)
def test_bad_words_change_nothing(untouched, args, words):
    before = untouched.json("event", "list")
    untouched.fails(2, words, *args)
    assert untouched.json("event", "list") == before


def test_version_and_help():
    assert re.match(r"^certid \d+\.\d+\.\d+\n$", run("--version").stdout)
    general = run("help")
    assert general.returncode == 0 and general.stderr == ""
    assert run("--help").stdout == general.stdout
    assert "ca add" in general.stdout and "--registry" in general.stdout
    assert "ca activate" in run("help", "ca").stdout
    assert "org add" not in run("help", "ca").stdout
    one = run("help", "ca", "add").stdout
    assert one.startswith("usage: certid ca add FILE") and "--scope" in one
    assert run("ca", "add", "--help").stdout == one
    assert run("-h", "ca", "add").stdout == one


def test_every_command_has_help():
    table = json.loads(run("--json", "help").stdout)
    assert len(table["commands"]) > 30
    for command in table["commands"]:
        done = run("help", *command["command"].split())
        assert done.returncode == 0
        assert command["summary"] in done.stdout
        for option in command["options"]:
            assert "--" + option["name"] in done.stdout
        assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_completion_offers_commands_and_options():
    script = ROOT / "packaging" / "certid.bash"

    def complete(*words):
        quoted = " ".join(f"'{w}'" for w in ("certid", *words))
        done = subprocess.run(
            ["bash", "-c", f". '{script}'; COMP_WORDS=({quoted}); "
             f"COMP_CWORD={len(words)}; _certid; echo \"${{COMPREPLY[@]}}\""],
            capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout.split()

    assert "device" in complete("")
    assert complete("ca", "dea") == ["deactivate"]
    assert complete("ca", "add", "x", "--sc") == ["--scope"]
    assert complete("--org", "ca", "ca", "sh") == ["show"]
    assert complete("--json", "ty", "") == []
    assert "cert+token" in complete("rule", "set", "d:meter", "")
    assert complete("type", "set", "d:x", "--enrol", "a") == ["auto", "approve"]
    assert "--registry" in complete("--re")
    assert complete("set", "") == ["topics", "client-id", "types", "enrol",
                                   "max-devices", "ca-proof", "sni",
                                   "clone-action", "event-days"]
    assert complete("set", "clone-action", "") == ["event", "lock"]
    assert complete("device", "pin", "d:x:1", "--no") == ["--none"]
    assert complete("device", "pin", "d:x:1", "--none", "--re") == [
        "--registry"]
    assert complete("rule", "set", "d:x", "--preview", "to") == ["token"]
    assert complete("type", "set", "d:x", "--rotate", "same") == [
        "same-key", "same-ca"]
    assert complete("compliance", "--li") == ["--limit"]
    assert complete("set", "ca-proof", "") == ["on", "off"]
    assert complete("set", "sni", "") == []
    assert complete("ca", "c") == ["code", "crl"]
    assert complete("ca", "add", "x", "--re") == ["--registry",
                                                  "--require-proof"]
    assert complete("ca", "add", "--require-proof", "--ina") == ["--inactive"]
    assert complete("ca", "set", "x", "--crl", "") == ["off", "if-present",
                                                       "required"]
    assert complete("ca", "set", "x", "--crl-") == ["--crl-grace", "--crl-url"]
    assert complete("event", "list", "--kind", "crl-") == ["crl-updated",
                                                           "crl-failed"]
    for command in ("verify", "crl"):
        assert complete("ca", command, "") == []
        assert complete("ca", command, "x", str(script)[:-1]) == [str(script)]
        assert complete("ca", command, "x", "y", str(script)[:-1]) == []
    assert complete("set", "topics", "") == ["on", "off"]
    assert complete("set", "types", "") == ["open", "declared"]
    assert complete("set", "enrol", "a") == ["auto", "approve"]
    assert complete("set", "nope", "") == []
    assert "deactivate" in complete("help", "ca", "")
    assert complete("help", "status", "") == []
    assert "default" in complete("type", "set", "d:x", "--window", "")
    assert "default" not in complete("device", "add", "d:x:1", "--window", "")


def test_completion_offers_what_the_registry_holds(ctl, certs):
    script = ROOT / "packaging" / "certid.bash"

    def complete(*words):
        """The words as bash breaks them at every ':'."""
        broken = [part for word in words
                  for part in (re.findall(":|[^:]+", word) or [""])]
        quoted = " ".join(f"'{w}'" for w in (CERTID, "--registry", ctl.path,
                                             *broken))
        done = subprocess.run(
            ["bash", "-c", f". '{script}'; COMP_WORDS=({quoted}); COMP_CWORD="
             f"{len(broken) + 2}; _certid; printf '%s\\n' "
             "\"${COMPREPLY[@]}\""], capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout.split()

    ctl.ok("org", "add", "acme")
    ca = ctl.json("ca", "add", certs.factory, "--name", "factory", "--tag",
                  "site=south")["ca"]
    ctl.ok("ca", "add", certs.other, "--name", "other", "--org", "acme")
    ctl.ok("type", "set", "d:meter")
    add_devices(ctl, "d:meter:0001", "d:meter:0002", "g:hub:1")
    ctl.ok("device", "add", "d:x:1", "--org", "acme")
    for verb in ("show", "activate", "deactivate", "remove", "set", "code",
                 "verify", "crl"):
        assert complete("ca", verb, "") == [ca, "factory"]
    assert complete("ca", "show", "fa") == ["factory"]
    assert complete("--org", "acme", "ca", "show", "o") == ["other"]
    assert complete("org", "remove", "") == ["acme", "default"]
    assert complete("--org", "a") == ["acme"]
    for verb in ("show", "lock", "unlock", "approve", "remove"):
        assert complete("device", verb, "g") == ["g:hub:1"]
    assert complete("device", "show", "d:meter:00") == ["0001", "0002"]
    assert complete("device", "show", "d:meter:") == ["0001", "0002"]
    assert complete("device", "show", "d:meter:0001", "") == []
    assert complete("--org", "acme", "device", "show", "") == ["d:x:1"]
    assert "d:meter" in complete("type", "set", "")
    assert complete("type", "show", "d:m") == ["meter"]
    assert complete("type", "set", "d:meter", "--enrol", "au") == ["auto"]
    ctl.path.unlink()
    assert complete("ca", "show", "") == []
    assert complete("--org", "") == []


# The registry file

def test_registry_that_is_missing(tmp_path):
    none = Ctl(tmp_path / "none.db")
    for args in (("status",), ("ca", "list"), ("set", "topics", "on"),
                 ("org", "add", "x"), ("event", "follow")):
        assert "none.db" in none.fails(3, "", *args)
    assert list(tmp_path.iterdir()) == []


def test_registry_by_option_or_environment(tmp_path):
    path = tmp_path / "other.db"
    assert run("init", "--registry", path).returncode == 0
    assert run("--registry", path, "status").returncode == 0
    assert run("status", registry=path).returncode == 0
    # The option is stronger than the environment.
    assert run("status", "--registry", tmp_path / "no.db",
               registry=path).returncode == 3


def test_registry_that_is_corrupt(ctl):
    for suffix in ("", "-wal", "-shm"):
        Path(str(ctl.path) + suffix).unlink(missing_ok=True)
    ctl.path.write_bytes(b"this is no database, but long enough" * 400)
    before = ctl.path.read_bytes()
    ctl.fails(3, "", "status")
    ctl.fails(3, "", "set", "topics", "off")
    ctl.fails(5, "", "init")
    assert ctl.path.read_bytes() == before


def test_registry_that_is_newer(ctl):
    with sqlite3.connect(ctl.path) as file:
        file.execute("PRAGMA user_version = 999")
    file.close()
    ctl.fails(3, "", "status")
    ctl.fails(3, "", "set", "topics", "off")


def test_registry_of_somebody_else(tmp_path):
    path = tmp_path / "foreign.db"
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE t (x)")
    file.close()
    Ctl(path).fails(3, "", "status")


@pytest.fixture
def open_folder():
    """A folder that every user may enter, as pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="certid-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def as_nobody(*args):
    """certid without root's rights; as it is if we are not root."""
    drop = []
    if os.getuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv")
        drop = ["setpriv", "--reuid", "65534", "--regid", "65534",
                "--clear-groups"]
        if subprocess.run([*drop, "test", "-x", str(CERTID)]).returncode:
            pytest.skip("the build directory is not open to others")
    return subprocess.run([*drop, str(CERTID), *map(str, args)],
                          capture_output=True, text=True, timeout=60)


def expect_no_registry(done):
    assert done.returncode == 3, (done.stdout, done.stderr)
    assert done.stderr.startswith("certid: ") and done.stdout == ""
    assert done.stderr.count("\n") == 1


def test_registry_that_cannot_be_written(open_folder):
    it = Ctl(open_folder / "registry.db")
    it.ok("init")
    it.path.chmod(0o444)
    open_folder.chmod(0o555)
    before = it.path.read_bytes()
    expect_no_registry(as_nobody("--registry", it.path, "set", "topics", "off"))
    expect_no_registry(as_nobody("--registry", it.path, "org", "add", "x"))
    assert it.path.read_bytes() == before


def test_registry_that_cannot_be_read(open_folder):
    it = Ctl(open_folder / "registry.db")
    it.ok("init")
    it.path.chmod(0o000)
    expect_no_registry(as_nobody("--registry", it.path, "status"))


def test_init_where_nothing_can_be_made(open_folder):
    open_folder.chmod(0o555)
    expect_no_registry(as_nobody("--registry", open_folder / "r.db", "init"))
    expect_no_registry(
        as_nobody("--registry", open_folder / "no" / "such" / "r.db", "init"))
    assert list(open_folder.iterdir()) == []


def test_init(tmp_path):
    it = Ctl(tmp_path / "new" / "registry.db")
    assert str(it.path) in it.ok("init")
    assert it.path.stat().st_mode & 0o777 == 0o640
    it.fails(5, "", "init")
    assert [o["org"] for o in it.json("org", "list")] == ["default"]
    assert it.json("topic", "list") == [
        {"who": "all", "access": "both", "filter": "{class}/{type}/{id}/#"}]


def test_init_with_the_iot_2_topics(tmp_path):
    it = Ctl(tmp_path / "registry.db")
    made = it.json("init", "--topics", "iot-2")
    assert made["registry"] == str(it.path) and made["schema"] == 1
    topics = {(t["access"], t["filter"]) for t in it.json("topic", "list")}
    assert topics == {
        ("publish", "iot-2/type/{type}/id/{id}/evt/+/fmt/+"),
        ("subscribe", "iot-2/type/{type}/id/{id}/cmd/+/fmt/+")}


def test_init_makes_no_other_org(tmp_path):
    it = Ctl(tmp_path / "registry.db")
    it.fails(4, "certid org add", "init", "--org", "x")
    assert not it.path.exists()


def test_two_certid_at_once(ctl):
    env = {**os.environ, "CERTID_REGISTRY": str(ctl.path)}
    started = [subprocess.Popen([str(CERTID), "device", "add", f"d:m:{i}"],
                                env=env, stdout=subprocess.DEVNULL)
               for i in range(8)]
    assert [p.wait(timeout=60) for p in started] == [0] * 8
    assert len(ctl.json("device", "list")) == 8


def test_two_certid_at_once_on_one_thing(ctl):
    env = {**os.environ, "CERTID_REGISTRY": str(ctl.path)}
    started = [subprocess.Popen([str(CERTID), "device", "add", "d:m:1"],
                                env=env, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL) for _ in range(6)]
    codes = sorted(p.wait(timeout=60) for p in started)
    assert codes == [0, 5, 5, 5, 5, 5]


def test_a_full_disk_is_no_success(ctl):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [str(CERTID), "--registry", str(ctl.path), "status"], stdout=full,
            stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "cannot write the output" in done.stderr


# Orgs and status

def test_orgs(ctl):
    added = ctl.json("org", "add", "acme")
    assert added["org"] == "acme" and TIME.match(added["created_at"])
    ctl.fails(5, "acme", "org", "add", "acme")
    assert [o["org"] for o in ctl.json("org", "list")] == ["acme", "default"]
    assert "acme" in ctl.ok("org", "list")
    ctl.ok("--org", "acme", "device", "add", "d:meter:1")
    assert ctl.json("device", "list") == []
    assert len(ctl.json("device", "list", "--org", "acme")) == 1
    rule, = ctl.json("rule", "list", "--org", "acme")
    assert rule["rule"] == "default" and rule["devices"] == 1
    assert "removed the org acme" in ctl.ok("org", "remove", "acme")
    ctl.fails(4, "no org acme: certid org list", "org", "remove", "acme")
    ctl.fails(1, "", "org", "remove", "default")
    for args in (("ca", "list"), ("status",), ("set",), ("event", "list"),
                 ("device", "add", "d:meter:1"), ("explain", "--cert", "x")):
        ctl.fails(4, 'there is no org "acme"', "--org", "acme", *args)


def test_org_add_says_how_clients_reach_it(ctl):
    done = ctl("org", "add", "acme")
    assert done.returncode == 0 and done.stdout == "added the org acme\n"
    assert done.stderr == (
        "certid: warning: clients reach the org acme through SNI alone, with "
        "plugin_opt_tls_verify plugin: begin with certid set sni SUFFIX --org "
        "acme\n")
    ctl.ok("set", "sni", "mqtt.example.com")
    assert ("the org beta as beta.mqtt.example.com through SNI, with "
            "plugin_opt_tls_verify plugin\n") in ctl("org", "add", "beta").stderr
    ctl.ok("set", "sni", "")
    assert "SNI alone" in ctl("org", "add", "gamma").stderr


def test_orgs_differ_in_more_than_letter_case(ctl):
    ctl.ok("org", "add", "acme")
    for name, other in (("ACME", "acme"), ("Acme", "acme"),
                        ("Default", "default")):
        with unchanged(ctl):
            assert ctl.fails(5, "in letter case alone", "org", "add",
                             name).startswith(
                f"certid: there is an org {other} already, which differs from "
                f"{name} ")
    with unchanged(ctl):
        assert "letter case" not in ctl.fails(5, "there is an org acme already",
                                              "org", "add", "acme")
    assert [o["org"] for o in ctl.json("org", "list")] == ["acme", "default"]
    ctl.ok("org", "remove", "acme")
    ctl.ok("org", "add", "ACME")


def test_json_before_and_after(ctl):
    for args in (("org", "list"), ("set",), ("rule", "list"),
                 ("topic", "list"), ("ca", "list"), ("type", "list"),
                 ("device", "list"), ("event", "list"), ("status",)):
        before, after = ctl.ok("--json", *args), ctl.ok(*args, "--json")
        assert before == after and before.count("\n") == 1
        json.loads(before)
        middle = ctl.ok(args[0], "--json", *args[1:])
        assert middle == before
        assert not ctl.ok(*args).startswith(("[", "{"))


def test_status(ctl, certs):
    ctl.path.chmod(0o640)
    status = ctl.json("status")
    assert status["registry"] == str(ctl.path)
    assert status["schema"] == 1 and status["orgs"] == 1
    assert status["per_org"] == [{
        "org": "default",
        "cas": {"active": 0, "inactive": 0, "unproven": 0, "expired": 0,
                "revoked": 0},
        "devices": {"pending": 0, "allowed": 0, "provisioned": 0,
                    "locked": 0, "waiting": 0, "lapsed": 0},
        "event_days": 90, "hooks": []}]
    assert len(status["warnings"]) == 1
    assert status["warnings"][0] == (
        "org default: there is no active CA, so no certificate is accepted: "
        "certid ca add FILE adds one")
    assert status["findings"] == [{
        "kind": "no-active-ca", "org": "default", "ca": None,
        "level": "critical", "text": status["warnings"][0][13:]}]
    assert ctl("status", "--check").returncode == 1
    assert ctl("--json", "status", "--check").returncode == 1
    ctl.ok("ca", "add", certs.soon)
    ctl.ok("ca", "add", certs.factory, "--inactive")
    ctl.ok("device", "add", "d:meter:1")
    ctl.path.chmod(0o644)
    status = ctl.json("status")
    assert status["per_org"][0]["cas"] == {
        "active": 1, "inactive": 1, "unproven": 0, "expired": 0,
        "revoked": 0}
    assert status["per_org"][0]["devices"]["allowed"] == 1
    assert len(status["warnings"]) == 2
    assert "expires within 30 days, at " in status["warnings"][0]
    assert "chmod 0640" in status["warnings"][1]
    people = ctl("status")
    assert people.returncode == 0 and "default" in people.stdout
    table = people.stdout.splitlines()[2:]
    assert re.split(" {2,}", table[0]) == [
        "ORG", "ACTIVE CAs", "INACTIVE", "PROVISIONED", "ALLOWED", "EVENT DAYS"]
    assert table[1].split() == ["default", "1", "1", "0", "1", "90"]
    assert len(table[0]) == len(table[1]) <= 80
    assert people.stderr.count("certid: warning: ") == 2
    assert ctl("status", "--check").returncode == 0
    assert [(f["kind"], f["level"]) for f in status["findings"]] == [
        ("ca-expiring", "warning"), ("registry-readable", "warning")]


def test_status_tells_what_is_critical_to_people_too(ctl, certs):
    ctl.path.chmod(0o644)
    said = ctl("status").stderr.splitlines()
    assert said[0].startswith(
        "certid: critical: org default: there is no active CA")
    assert said[1].startswith("certid: warning: the registry can be read")
    ctl.ok("ca", "add", certs.factory)
    assert "critical" not in ctl("status").stderr


def test_lapsed_windows_are_seen(ctl):
    ctl.ok("device", "add", "d:m:1")
    ctl.ok("device", "add", "d:m:2", "--window", "none")
    ctl.ok("device", "add", "d:m:3")
    ctl.ok("device", "add", "d:m:4")
    with contextlib.closing(sqlite3.connect(ctl.path)) as db, db:
        db.execute("UPDATE device SET window_ends_at = 1790000000 "
                   "WHERE identity IN ('d:m:3', 'd:m:4')")
        db.execute("UPDATE device SET state = 'provisioned' "
                   "WHERE identity = 'd:m:4'")
        db.execute("UPDATE device SET window_ends_at = unixepoch() + 7000 "
                   "WHERE identity = 'd:m:1'")
    rows = [line.split() for line in ctl.ok("device", "list").splitlines()]
    assert [row[2] for row in rows] == ["WINDOW", "116m", "none", "lapsed", "-"]
    show = ctl.ok("device", "show", "d:m:3")
    assert "window ends        2026-09-21T14:13:20Z, lapsed\n" in show
    assert "lapsed" not in ctl.ok("device", "show", "d:m:4")
    devices = ctl.json("status")["per_org"][0]["devices"]
    assert (devices["allowed"], devices["lapsed"]) == (3, 1)
    assert "LAPSED" in ctl.ok("status")


def test_tags_are_shown_as_they_are_given(ctl, certs):
    ctl.ok("device", "add", "d:m:1", "--tag", "site=south", "--tag", "n=a=b")
    ctl.ok("device", "add", "d:m:2")
    ctl.ok("ca", "add", certs.factory, "--name", "f", "--tag", "site=north")
    ctl.ok("ca", "add", certs.soon, "--name", "s")
    assert "tags               site=south, n=a=b\n" in ctl.ok(
        "device", "show", "d:m:1")
    assert "tags               -\n" in ctl.ok("device", "show", "d:m:2")
    assert re.search("^tags +site=north$", ctl.ok("ca", "show", "f"), re.M)
    assert re.search("^tags +-$", ctl.ok("ca", "show", "s"), re.M)


def test_status_of_another_org_says_so_in_its_commands(ctl):
    ctl.ok("org", "add", "acme")
    assert any(w.endswith("certid ca add FILE --org acme adds one")
               for w in ctl.json("status", "--org", "acme")["warnings"])


# Types and rules

def test_types(ctl):
    ctl.fails(4, "nothing is known", "type", "show", "d:meter")
    ctl.fails(4, "", "type", "unset", "d:meter")
    it = ctl.json("type", "set", "d:meter", "--enrol", "approve", "--window",
                  "7d", "--id-format", "decimal", "--id-length", "4",
                  "--id-prefix", "M-")
    assert it == {
        "type": "d:meter", "class": "d", "name": "meter", "declared": True,
        "enrol": "approve", "window": "7d", "id_format": "decimal",
        "id_length": 4, "id_prefix": "M-", "pin": "none", "rotate": "none",
        "overlap": "7d", "max_devices": None, "address": [],
        "privileged": False, "rule": "default", "level": "cert", "devices": 0}
    assert ctl.json("type", "show", "d:meter") == it
    it = ctl.json("type", "set", "d:meter", "--window", "none",
                  "--id-length", "0")
    assert it["window"] == "none" and it["id_length"] is None
    assert it["enrol"] == "approve" and it["id_prefix"] == "M-"
    assert "approve" in ctl.ok("type", "show", "d:meter")
    ctl.fails(2, "uuid4 has 36 characters", "type", "set", "d:meter",
              "--id-format", "uuid4", "--id-length", "4")
    assert ctl.json("type", "show", "d:meter") == it
    it = ctl.json("type", "set", "d:meter", "--window", "default", "--enrol",
                  "default", "--id-prefix", "")
    assert it["window"] is it["enrol"] is it["id_prefix"] is None
    assert ctl.json("type", "show", "d:meter") == it and it["declared"]
    assert ctl.json("type", "unset", "d:meter")["declared"] is False
    assert ctl.json("type", "list") == []


def test_type_list_finds_what_is_there(ctl):
    """Declared types, types with a rule, types of devices: each once."""
    ctl.ok("type", "set", "d:declared")
    ctl.ok("rule", "set", "g:ruled", "token")
    add_devices(ctl, "d:seen:zzzz", "d:seen:0", "d:seen.x:1", "d:seen-x:1",
                "g:ruled:1", "d:Seen:1", "d:see:" + "z" * 64, "d:s:" + "z" * 63)
    listed = {t["type"]: t for t in ctl.json("type", "list")}
    assert list(listed) == sorted(listed)
    assert {k: v["devices"] for k, v in listed.items()} == {
        "d:declared": 0, "d:seen": 2, "d:seen.x": 1, "d:seen-x": 1,
        "d:Seen": 1, "d:see": 1, "d:s": 1, "g:ruled": 1}
    assert listed["g:ruled"]["level"] == "token"
    assert listed["g:ruled"]["rule"] == "g:ruled"
    assert listed["d:seen"]["rule"] == "default"
    assert listed["d:seen"]["declared"] is False
    people = ctl.ok("type", "list").splitlines()
    assert people[0].split() == ["TYPE", "DECLARED", "ENROL", "PIN", "RULE",
                                 "LEVEL", "DEVICES", "MAX"]
    assert len(people) == 9


def test_rules(ctl):
    add_devices(ctl, "d:meter:1", "d:meter:2", "d:lamp:1")
    def rule(who, level, devices):
        return {"rule": who, "level": level, "devices": devices,
                "connected": 0, "never_connected": devices, "compliant": 0,
                "compliance": None}
    assert ctl.json("rule", "list") == [rule("default", "cert", 3)]
    assert ctl.json("rule", "set", "d:meter", "cert+token") == rule(
        "d:meter", "cert+token", 2)
    assert ctl.json("rule", "set", "default", "tls-optional") == rule(
        "default", "tls-optional", 1)
    assert ctl.json("rule", "list") == [rule("default", "tls-optional", 1),
                                        rule("d:meter", "cert+token", 2)]
    assert "cert+token" in ctl.ok("rule", "list")
    for level in ("token", "cert", "cert-or-token"):
        ctl.ok("rule", "set", "d:meter", level)
    assert "default" in ctl.ok("rule", "unset", "d:meter")
    ctl.fails(4, "", "rule", "unset", "d:meter")
    assert len(ctl.json("rule", "list")) == 1


# Devices

def test_device_add(ctl, tmp_path):
    info = tmp_path / "info.json"
    info.write_text('{"serialNumber": "7",\n "location": {"x": 1}}')
    it = ctl.json("device", "add", "d:meter:0001", "--tag", "a=b=c", "--tag",
                  "k=v", "--info", info, "--window", "2h")
    assert DEVICE_KEYS <= set(it)
    assert it["identity"] == "d:meter:0001" and it["class"] == "d"
    assert it["type"] == "meter" and it["id"] == "0001"
    assert it["state"] == "allowed" and it["locked"] is False
    assert it["tags"] == [{"name": "a", "value": "b=c"},
                          {"name": "k", "value": "v"}]
    assert it["info"] == {"serialNumber": "7", "location": {"x": 1}}
    assert it["pins"] == [] and it["gateway"] is None
    for key in ("provisioned_at", "last_seen_at", "last_address", "ca",
                "fingerprint"):
        assert it[key] is None
    assert TIME.match(it["window_ends_at"])
    assert ctl.json("device", "show", "d:meter:0001") == it
    assert "serialNumber" in ctl.ok("device", "show", "d:meter:0001")
    ctl.fails(5, "in the org default already, allowed: ", "device", "add",
              "d:meter:0001")
    ctl.ok("device", "lock", "d:meter:0001")
    ctl.fails(5, "allowed and locked: certid device unlock", "device", "add",
              "d:meter:0001")
    it["locked"] = True
    ctl.fails(4, "there is no device d:meter:0002", "device", "show",
              "d:meter:0002")


INFO = [
    (b'{"n":12345678901234567890, "f": 1.10}',
     '{"n":12345678901234567890,"f":1.10}'),
    (b'{"n": 1e999}', '{"n":1e999}'),
    (b' {"t" :\n\t"a  b \\u00fc \\/"}\r\n', '{"t":"a  b \\u00fc \\/"}'),
    ('{"k": "Süd"}'.encode(), '{"k":"Süd"}'),
]


@pytest.mark.parametrize("text,want", INFO)
def test_info_stays_as_it_was_written(ctl, tmp_path, text, want):
    info = tmp_path / "info"
    info.write_bytes(text)
    assert f'"info":{want}' in ctl.ok("--json", "device", "add", "d:m:1",
                                      "--info", info)
    for args in (("show", "d:m:1"), ("list",)):
        said = ctl.ok("--json", "device", *args)
        assert f'"info":{want}' in said and said.count("\n") == 1


BAD_INFO = [
    (b'{"a":"\xff"}', "no UTF-8"),
    (b'{"a":"\xc3\x28"}', "no UTF-8"),
    (b'{"a":"\\u0000"}', "\\u0000, which no text may hold"),
    (b'{"a":"\x1b[2J"}', "a control character"),
    (b'{"a":1,"a":2}', 'the key "a" twice'),
    (b'{"a":01}', "a number that is not written as JSON wants it"),
    (b"\xef\xbb\xbf{}", "a byte order mark"),
    (b'{"a":}', "is not valid: see byte"),
]


@pytest.mark.parametrize("text,words", BAD_INFO)
def test_info_that_is_refused(ctl, tmp_path, text, words):
    info = tmp_path / "info"
    info.write_bytes(text)
    ctl.fails(1, words, "device", "add", "d:m:1", "--info", info)
    assert ctl.json("device", "list") == []


def test_a_tag_must_be_utf_8(ctl, certs):
    for command in (["device", "add", "d:m:1"], ["ca", "add", certs.factory]):
        done = subprocess.run(
            [CERTID, "--registry", ctl.path, *command, "--tag", b"a=\xff"],
            capture_output=True)
        assert done.returncode == 2 and b"UTF-8" in done.stderr
    assert ctl.json("device", "list") == []


def seconds_left(device):
    def parse(text):
        return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    return parse(device["window_ends_at"]) - parse(device["created_at"])


def test_device_windows(ctl):
    assert seconds_left(ctl.json("device", "add", "d:m:1")) == 48 * 3600
    ctl.ok("type", "set", "d:t", "--window", "90s")
    assert seconds_left(ctl.json("device", "add", "d:t:1")) == 90
    longer = ctl.json("device", "add", "d:t:2", "--window", "7d")
    assert seconds_left(longer) == 7 * 86400
    ctl.ok("type", "set", "d:t", "--window", "none")
    assert ctl.json("device", "add", "d:t:3")["window_ends_at"] is None
    never = ctl.json("device", "add", "d:m:2", "--window", "none")
    assert never["window_ends_at"] is None


def test_device_add_refuses(ctl, tmp_path):
    for name, text in (("array", "[]"), ("bad", "{"), ("two", "{} {}"),
                       ("nul", '{"a":1}\0'), ("empty", ""),
                       ("large", '{"a":"' + "x" * 65536 + '"}')):
        (tmp_path / name).write_text(text)
        ctl.fails(1, name, "device", "add", "d:m:1", "--info", tmp_path / name)
    ctl.fails(1, "there is no file", "device", "add", "d:m:1", "--info", "/no/such")
    ctl.fails(1, "mac-colon", "device", "add", "d:m:00:11:22:33:44:55")
    ctl.ok("type", "set", "d:m", "--id-format", "mac-colon")
    ctl.ok("device", "add", "d:m:00:11:22:33:44:55")
    ctl.fails(1, "format of its type", "device", "add", "d:m:0011")
    ctl.ok("type", "set", "d:n", "--id-format", "decimal", "--id-length", "4",
           "--id-prefix", "M-")
    for bad in ("0001", "M-001", "M-00001", "M-00a1", "m-0001"):
        ctl.fails(1, "format of its type", "device", "add", "d:n:" + bad)
    ctl.ok("device", "add", "d:n:M-0001")
    ctl.ok("device", "add", "d:o:Abc")
    ctl.fails(5, "d:o:Abc already, which differs from d:o:aBC in letter case",
              "device", "add", "d:o:aBC")
    assert "letter case" in ctl.fails(4, "", "device", "show", "d:o:abc")


def test_device_pages(ctl):
    every = [f"d:m:{i:03}" for i in range(103)]
    add_devices(ctl, *every)
    people = ctl("device", "list")
    assert len(people.stdout.splitlines()) == 101
    assert people.stderr == (
        "certid: there are more: repeat with --after d:m:099\n")
    rest = ctl("device", "list", "--after", "d:m:099")
    assert len(rest.stdout.splitlines()) == 4 and rest.stderr == ""
    full = ctl("device", "list", "--limit", "103")
    assert len(full.stdout.splitlines()) == 104 and full.stderr == ""
    quiet = ctl("--json", "device", "list")
    assert len(json.loads(quiet.stdout)) == 100 and quiet.stderr == ""
    seen, after = [], []
    while True:
        page = ctl.json("device", "list", "--limit", "25", *after)
        seen += [d["identity"] for d in page]
        if not page:
            break
        after = ["--after", page[-1]["identity"]]
    assert seen == every
    assert ctl.json("device", "list", "--after", "d:z:0") == []


def test_device_list_selects(ctl):
    add_devices(ctl, "d:a:1", "d:b:1", "d:b:2", "g:b:1")
    def names(*args):
        return [d["identity"] for d in ctl.json("device", "list", *args)]
    assert names("--type", "d:b") == ["d:b:1", "d:b:2"]
    assert names("--type", "d:b", "--after", "d:b:1") == ["d:b:2"]
    assert names("--type", "d:c") == []
    assert names("--state", "allowed") == ["d:a:1", "d:b:1", "d:b:2", "g:b:1"]
    assert names("--state", "provisioned") == []
    assert names("--state", "allowed", "--limit", "1") == ["d:a:1"]


def test_device_lock_and_remove(ctl):
    add_devices(ctl, "d:m:1")
    assert ctl.json("device", "lock", "d:m:1")["locked"] is True
    table = ctl.ok("device", "list").splitlines()
    assert table[0].split() == ["IDENTITY", "STATE", "WINDOW", "LOCKED", "LAST",
                                "SEEN", "ADDRESS"]
    assert table[1].split() in (
        ["d:m:1", "allowed", left, "yes", "-", "-"] for left in ("2d", "47h"))
    count = len(ctl.json("event", "list"))
    assert "d:m:1 is locked already" in ctl.ok("device", "lock", "d:m:1")
    assert len(ctl.json("event", "list")) == count
    assert ctl.json("device", "unlock", "d:m:1")["locked"] is False
    assert "is unlocked already" in ctl.ok("device", "unlock", "d:m:1")
    assert ctl.ok("device", "list").splitlines()[1].split()[3] == "no"
    ctl.fails(1, "", "device", "approve", "d:m:1")
    assert ctl.json("device", "remove", "d:m:1")["identity"] == "d:m:1"
    for verb in ("lock", "unlock", "approve", "remove", "show"):
        ctl.fails(4, "d:m:1", "device", verb, "d:m:1")


# Topics and settings

def test_topics(ctl):
    rule = ("d:meter", "publish", "data/{id}/+")
    assert ctl.json("topic", "add", *rule) == dict(
        zip(("who", "access", "filter"), rule))
    ctl.fails(5, "", "topic", "add", *rule)
    assert len(ctl.json("topic", "list")) == 2
    assert "data/{id}/+" in ctl.ok("topic", "list")
    for who, access, bad in (("all", "both", "a/#/b"), ("all", "both", "a+"),
                             ("all", "both", "$share/g/a"),
                             ("all", "both", "$CONTROL/x"),
                             ("all", "publish", "$SYS/x"),
                             ("all", "both", "{nope}/x")):
        ctl.fails(1, "", "topic", "add", who, access, bad)
    assert ctl.json("topic", "remove", *rule)["who"] == "d:meter"
    ctl.fails(4, "", "topic", "remove", *rule)
    assert len(ctl.json("topic", "list")) == 1


def test_settings(ctl):
    first = {"topics": "on", "client-id": "{class}:{type}:{id}",
             "types": "open", "enrol": "auto", "ca-proof": "off",
             "sni": None, "max-devices": "none", "clone-action": "event",
             "event-days": "90"}
    def settings():
        return {s["key"]: s["value"] for s in ctl.json("set")}
    assert settings() == first
    new = {"topics": "off", "client-id": "{class}:{org}:{type}:{id}*",
           "types": "declared", "enrol": "listed", "ca-proof": "on",
           "sni": "mqtt.example.com", "max-devices": "1000000",
           "clone-action": "lock", "event-days": "1"}
    for key, value in new.items():
        assert ctl.json("set", key, value) == {"key": key, "value": value}
    assert settings() == new
    assert "declared" in ctl.ok("set")
    ctl.ok("org", "add", "acme")
    assert {s["key"]: s["value"]
            for s in ctl.json("set", "--org", "acme")} == first


def cautions(done):
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("certid: warning: ")
               for line in done.stderr.splitlines())
    return [line[len("certid: warning: "):] for line in done.stderr.splitlines()]


PLUGIN_ALONE = ("only a broker with plugin_opt_tls_verify plugin looks at the "
                "name that clients ask for")


def test_sni(ctl):
    def shown(org):
        return {s["key"]: s["value"]
                for s in ctl.json("set", "--org", org)}["sni"]
    ctl.ok("org", "add", "acme")
    done = ctl("set", "sni", "MQTT.Example.COM", "--org", "acme")
    assert done.stdout == "set sni to mqtt.example.com\n"
    assert cautions(done) == [
        PLUGIN_ALONE,
        "org acme: devices of two orgs that have one name cannot be connected "
        "at the same time, and share topics: certid set client-id "
        "'{org}:{class}:{type}:{id}' --org acme; certid topic add all both "
        "'{org}/{class}/{type}/{id}/#' --org acme, and certid topic remove for "
        "every rule without {org}"]
    assert shown("acme") == "mqtt.example.com" and shown("default") is None
    assert ctl.json("set", "sni", "a.b", "--org", "acme") == {
        "key": "sni", "value": "a.b"}
    for bad in ("", "-"):
        with unchanged(ctl):
            ctl.fails(2, "", "set", "sni", f".{bad}", "--org", "acme")
    assert shown("acme") == "a.b"
    assert ctl.ok("set", "sni", "", "--org", "acme") == "cleared sni\n"
    assert shown("acme") is None
    assert ctl.json("set", "sni", "") == {"key": "sni", "value": None}
    assert re.search(r"sni +-\n", ctl.ok("set", "--org", "acme"))
    with unchanged(ctl):
        assert ctl.ok("set", "sni", "", "--org", "acme") == (
            "sni is clear already\n")
    # 188 bytes before which the longest name of an org still fits.
    longest = ".".join(["a" * 63, "b" * 63, "c" * 60])
    assert ctl.json("set", "sni", longest)["value"] == longest
    ctl.fails(2, "longer than a DNS name", "set", "sni", longest + "c")


def test_sni_cautions_of_the_orgs_that_it_is_for(ctl):
    apart = ("--org", "acme")
    ctl.ok("org", "add", "acme")
    ctl.ok("set", "client-id", "{org}:{class}:{type}:{id}", *apart)
    ctl.ok("topic", "remove", "all", "both", "{class}/{type}/{id}/#", *apart)
    ctl.ok("topic", "add", "all", "both", "{org}/{class}/{type}/{id}/#", *apart)
    assert cautions(ctl("set", "sni", "a.b", *apart)) == [PLUGIN_ALONE]
    # That of the org default is for all of them.
    both = cautions(ctl("set", "sni", "a.b"))
    assert len(both) == 2 and both[1].startswith("org default: ")
    ctl.ok("topic", "add", "d", "publish", "news", *apart)
    both = cautions(ctl("set", "sni", "a.b"))
    assert len(both) == 3
    assert both[1] == (
        "org acme: devices of two orgs that have one name share topics: certid "
        "topic add d publish '{org}/news' --org acme, and certid topic remove "
        "for every rule without {org}")
    # Without grants of ours there is nothing to share through them.
    ctl.ok("set", "topics", "off", *apart)
    assert len(cautions(ctl("set", "sni", "a.b"))) == 2
    done = ctl("--json", "set", "sni", "a.b")
    assert json.loads(done.stdout)["value"] == "a.b"
    assert len(cautions(done)) == 2
    assert cautions(ctl("set", "sni", "")) == []
    # One org alone shares with nobody.
    ctl.ok("org", "remove", "acme")
    assert cautions(ctl("set", "sni", "a.b")) == [PLUGIN_ALONE]


def test_a_setting_that_is_so_already_is_no_event(ctl):
    with unchanged(ctl):
        assert ctl.ok("set", "topics", "on") == "topics is on already\n"
    ctl.ok("set", "topics", "off")
    with unchanged(ctl):
        assert ctl.json("set", "topics", "off") == {
            "key": "topics", "value": "off"}


# Events

def test_event_list(ctl, certs):
    ctl.ok("ca", "add", certs.factory, "--name", "f")
    ctl.ok("ca", "deactivate", "f")
    ctl.ok("ca", "activate", "f")
    ctl.ok("rule", "set", "default", "token")
    ctl.ok("type", "set", "d:m")
    ctl.ok("set", "topics", "off")
    ctl.ok("device", "add", "d:m:1")
    ctl.ok("device", "lock", "d:m:1")
    ctl.ok("device", "unlock", "d:m:1")
    ctl.ok("device", "remove", "d:m:1")
    ctl.ok("ca", "remove", "f")
    events = ctl.json("event", "list")
    for event in events:
        assert set(event) == {"seq", "time", "actor", "kind", "subject",
                              "detail", "org"}
        assert TIME.match(event["time"]) and event["actor"] == "operator"
    seqs = [e["seq"] for e in events]
    assert seqs == sorted(set(seqs))
    kinds = [e["kind"] for e in events]
    wanted = ["ca-added", "ca-deactivated", "ca-activated", "rule-changed",
              "type-changed", "setting-changed", "device-allowed",
              "device-locked", "device-unlocked", "device-removed", "ca-removed"]
    assert kinds[-len(wanted):] == wanted
    assert ctl.json("event", "list", "--limit", "2") == events[-2:]
    assert [e["kind"] for e in ctl.json("event", "list", "--kind",
                                        "ca-added")] == ["ca-added"]
    assert ctl.json("event", "list", "--since", "2100-01-01") == []
    assert ctl.json("event", "list", "--since", "1h") == events
    assert ctl.json("event", "list", "--since", "2001-01-01T00:00:00Z") == events
    people = ctl.ok("event", "list").splitlines()
    assert people[0].split()[:4] == ["SEQ", "TIME", "ACTOR", "KIND"]
    assert len(people) == len(events) + 1


class Follower:
    """certid event follow, line by line."""

    def __init__(self, ctl, *args):
        self.process = subprocess.Popen(
            [str(CERTID), "--registry", str(ctl.path), "event", "follow",
             *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.buffer = b""

    def line(self, timeout=20):
        end = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            assert left > 0, "no line came"
            if select.select([self.process.stdout], [], [], left)[0]:
                got = os.read(self.process.stdout.fileno(), 65536)
                assert got, self.process.stderr.read()
                self.buffer += got
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def wait(self):
        code = self.process.wait(timeout=20)
        assert self.process.stderr.read() == b""
        return code


def start_follower(ctl, *args):
    """One that is known to listen: it has printed a first event."""
    it = Follower(ctl, *args)
    end = time.monotonic() + 20
    value = ["on", "off"]
    while time.monotonic() < end:
        ctl.ok("set", "topics", value[0])
        value.reverse()
        if select.select([it.process.stdout], [], [], 0.3)[0]:
            while select.select([it.process.stdout], [], [], 0.3)[0]:
                os.read(it.process.stdout.fileno(), 65536)
            return it
    raise AssertionError("the follower prints nothing")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_event_follow_until_interrupted(ctl, how):
    ctl.ok("device", "add", "d:m:0")
    it = start_follower(ctl, "--json")
    ctl.ok("device", "add", "d:m:1")
    event = json.loads(it.line())
    assert event["kind"] == "device-allowed" and "d:m:1" in event["subject"]
    ctl.ok("device", "lock", "d:m:1")
    assert json.loads(it.line())["kind"] == "device-locked"
    it.process.send_signal(how)
    assert it.wait() == 0


def test_event_follow_for_people(ctl):
    it = start_follower(ctl)
    ctl.ok("device", "add", "d:m:1")
    assert "device-allowed" in it.line()
    it.process.terminate()
    assert it.wait() == 0


def test_event_follow_is_a_table(ctl):
    ctl.ok("device", "add", "d:m:1")
    ctl.ok("device", "lock", "d:m:1")
    lines = ctl.ok("event", "follow", "--since", "1h", "--limit",
                   "9").splitlines()
    assert lines[0].split() == ["SEQ", "TIME", "ACTOR", "KIND", "SUBJECT",
                                "DETAIL"]
    for column in ("TIME", "ACTOR", "KIND", "SUBJECT", "DETAIL"):
        at = lines[0].index(column)
        assert all(line[at - 2:at] == "  " and line[at] != " "
                   for line in lines[1:])
    assert ctl.ok("event", "follow", "--since", "1h", "--limit", "1",
                  "--json").count("\n") == 1


def test_event_follow_begins_now_or_at_since(ctl):
    add_devices(ctl, "d:m:1")
    it = Follower(ctl, "--json", "--since", "1h", "--kind",
                  "device-allowed", "--limit", "2")
    assert json.loads(it.line())["kind"] == "device-allowed"
    add_devices(ctl, "d:m:2", "d:m:3")
    assert "d:m:2" in json.loads(it.line())["subject"]
    assert it.wait() == 0
    fresh = start_follower(ctl, "--json", "--kind", "setting-changed")
    fresh.process.terminate()
    assert fresh.wait() == 0


def test_event_follow_ends_with_its_reader(ctl):
    it = start_follower(ctl)
    it.process.stdout.close()
    assert it.wait() == 0


def test_event_follow_keeps_to_its_org(ctl):
    ctl.ok("org", "add", "acme")
    it = Follower(ctl, "--json", "--org", "acme", "--since", "1h", "--kind",
                  "device-allowed")
    add_devices(ctl, "d:m:1")
    ctl.ok("device", "add", "d:m:2", "--org", "acme")
    assert "d:m:2" in json.loads(it.line())["subject"]
    it.process.terminate()
    assert it.wait() == 0


# Terminals

def on_a_terminal(ctl, *args, env=None):
    main, side = pty.openpty()
    full = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    full.update(env or {})
    done = subprocess.run([str(CERTID), "--registry", str(ctl.path), *args],
                          stdout=side, stderr=subprocess.DEVNULL, env=full)
    os.close(side)
    text = b""
    try:
        while True:
            got = os.read(main, 65536)
            if not got:
                break
            text += got
    except OSError:
        pass
    os.close(main)
    assert done.returncode == 0
    return text.decode()


def test_colours_only_on_a_terminal(ctl, certs):
    ctl.ok("ca", "add", certs.factory)
    ctl.ok("device", "add", "d:m:1")
    assert "\033[32mactive\033[0m" in on_a_terminal(ctl, "ca", "list")
    assert "\033[33mallowed\033[0m" in on_a_terminal(ctl, "device", "list")
    ctl.ok("device", "lock", "d:m:1")
    assert "\033[31myes\033[0m" in on_a_terminal(ctl, "device", "list")
    assert "\033" not in on_a_terminal(ctl, "ca", "list",
                                       env={"NO_COLOR": "1"})
    assert "\033" not in ctl.ok("ca", "list")
    assert "\033" not in on_a_terminal(ctl, "--json", "ca", "list")


def test_what_a_peer_wrote_moves_no_cursor(ctl, tmp_path):
    info = tmp_path / "info"
    info.write_text('{"a": "\x1b[2J"}')
    done = ctl("device", "add", "d:m:1", "--info", info)
    if done.returncode == 0:
        assert "\x1b" not in ctl.ok("device", "show", "d:m:1")
        assert "\x1b" not in ctl.ok("--json", "device", "show", "d:m:1")
