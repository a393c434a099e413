# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""certid metrics, read by Prometheus's own parser."""
import datetime
import json
import sqlite3

import pytest
from ctl_tools import TIME
from prometheus_client.parser import text_string_to_metric_families

COUNTER = "# HELP certid_a_total How many.\n# TYPE certid_a_total counter\n"
HISTOGRAM = "# HELP certid_t Time.\n# TYPE certid_t histogram\n"


def write(ctl, source, body, at=1000):
    """As a broker does."""
    with sqlite3.connect(ctl.path) as file:
        file.execute("INSERT OR REPLACE INTO metrics (source, written_at, body) "
                     "VALUES (?, ?, ?)", (source, at, body))
    file.close()


def families(ctl, *args):
    return list(text_string_to_metric_families(ctl.ok(*args, "metrics")))


def samples(ctl, *args):
    return {(one.name, tuple(sorted(one.labels.items()))): one.value
            for family in families(ctl, *args) for one in family.samples}


def value(ctl, name, /, *args, **labels):
    return samples(ctl, *args)[name, tuple(sorted(labels.items()))]


def test_an_empty_registry(ctl):
    assert value(ctl, "certid_registry_schema") == 1
    assert value(ctl, "certid_cas", org="default", state="active") == 0
    last = ctl.json("event", "list")[-1]["seq"]
    assert value(ctl, "certid_events_last_seq") == last
    names = [family.name for family in families(ctl)]
    assert len(names) == len(set(names))


def test_devices_by_type_and_state(ctl):
    for identity in ("d:meter:1", "d:meter:2", "g:hub:1"):
        ctl.ok("device", "add", identity)
    ctl.ok("device", "lock", "d:meter:1")
    ctl.ok("org", "add", "acme")
    ctl.ok("--org", "acme", "device", "add", "d:meter:1")
    found = {labels: n for (name, labels), n in samples(ctl).items()
             if name == "certid_devices" and n}
    assert {tuple(dict(labels)[key] for key in ("org", "type", "state")): n
            for labels, n in found.items()} == {
        ("default", "d:meter", "allowed"): 2,
        ("default", "g:hub", "allowed"): 1,
        ("acme", "d:meter", "allowed"): 1,
    }


def test_cas_and_their_ends(ctl, certs):
    ctl.ok("ca", "add", certs.factory, "--name", "factory")
    ctl.ok("ca", "add", certs.soon, "--inactive")
    crl = certs.crl("metrics", certs.factory)
    ctl.ok("ca", "crl", "factory", crl)
    for state, count in (("active", 1), ("inactive", 1), ("unproven", 0)):
        assert value(ctl, "certid_cas", org="default", state=state) == count
    for ca in ctl.json("ca", "list"):
        end = value(ctl, "certid_ca_not_after_seconds", org="default",
                    ca=ca["ca"], name=ca["name"] or "")
        assert seconds(ca["not_after"]) == end
    ca = ctl.json("ca", "show", "factory")
    due = value(ctl, "certid_crl_next_update_seconds", org="default",
                ca=ca["ca"])
    assert seconds(ca["crl_next_update"]) == due
    assert len([1 for name, _ in samples(ctl)
                if name == "certid_crl_next_update_seconds"]) == 1


def seconds(text):
    assert TIME.match(text)
    return datetime.datetime.fromisoformat(text).timestamp()


def test_receivers_and_their_backlog(ctl):
    ctl.ok("hook", "add", "https://example.com/all")
    ctl.ok("hook", "add", "https://example.com/some", "--kind", "device-locked")
    every, some = (hook["hook"] for hook in sorted(
        ctl.json("hook", "list"), key=lambda hook: hook["url"]))
    start = value(ctl, "certid_hook_backlog", org="default", hook=every)
    ctl.ok("device", "add", "d:meter:1")
    ctl.ok("device", "lock", "d:meter:1")
    assert value(ctl, "certid_hook_backlog", org="default",
                 hook=every) == start + 2
    assert value(ctl, "certid_hook_backlog", org="default", hook=some) == 1
    with sqlite3.connect(ctl.path) as file:
        file.execute("UPDATE hook SET delivered = 7, dropped = 3 WHERE id = ?",
                     (some,))
    file.close()
    labels = {"org": "default", "hook": some}
    assert value(ctl, "certid_hook_delivered_total", **labels) == 7
    assert value(ctl, "certid_hook_dropped_total", **labels) == 3
    ctl.ok("org", "add", "acme")
    assert "hook" not in ctl.ok("--org", "acme", "metrics")


def test_status_tells_how_long_events_are_kept(ctl):
    ctl.ok("org", "add", "acme")
    ctl.ok("--org", "acme", "set", "event-days", "7")
    kept = {org["org"]: org["event_days"] for org in ctl.json("status")["per_org"]}
    assert kept == {"default": 90, "acme": 7}
    lines = ctl.ok("status").splitlines()
    assert [line.split()[-1] for line in lines if line.startswith("acme")] == ["7"]


def test_brokers_are_put_together(ctl):
    for source, count in (("b:2", 7), ("a:1", 5)):
        write(ctl, source, COUNTER +
              f'certid_a_total{{broker="{source}"}} {count}\n' + HISTOGRAM +
              f'certid_t_bucket{{broker="{source}",le="0.5"}} 1\n'
              f'certid_t_bucket{{broker="{source}",le="+Inf"}} {count}\n'
              f'certid_t_sum{{broker="{source}"}} 0.25\n'
              f'certid_t_count{{broker="{source}"}} {count}\n')
    text = ctl.ok("metrics")
    for line in ("# HELP certid_a_total ", "# TYPE certid_a_total ",
                 "# TYPE certid_t "):
        assert text.count(line) == 1
    assert value(ctl, "certid_a_total", broker="a:1") == 5
    assert value(ctl, "certid_a_total", broker="b:2") == 7
    assert value(ctl, "certid_t_count", broker="b:2") == 7
    assert value(ctl, "certid_metrics_written_seconds", broker="a:1") == 1000
    # A family stands in one piece, and the parser finds all of it.
    assert len([f for f in families(ctl) if f.name == "certid_t"]) == 1
    assert [f.type for f in families(ctl) if f.name == "certid_t"] == ["histogram"]


def test_programs_get_the_same(ctl, certs):
    ctl.ok("ca", "add", certs.factory, "--name", "factory")
    ctl.ok("device", "add", "d:meter:1")
    write(ctl, "a:1", COUNTER + 'certid_a_total{broker="a:1"} 5\n' + HISTOGRAM +
          'certid_t_sum{broker="a:1"} 0.000025\n')
    found = ctl.json("metrics")
    assert all(set(one) == {"name", "labels", "value"} for one in found)
    assert {(one["name"], tuple(sorted(one["labels"].items()))): one["value"]
            for one in found} == samples(ctl)


def test_an_org_alone(ctl):
    ctl.ok("org", "add", "acme")
    ctl.ok("device", "add", "d:meter:1")
    ctl.ok("--org", "acme", "device", "add", "d:lamp:1")
    write(ctl, "a:1", COUNTER + 'certid_a_total{broker="a:1"} 5\n')
    text = ctl.ok("--org", "acme", "metrics")
    assert 'org="default"' not in text and "broker=" not in text
    assert value(ctl, "certid_devices", "--org", "acme", org="acme",
                 type="d:lamp", state="allowed") == 1
    ctl.fails(4, "there is no org", "--org", "nowhere", "metrics")


@pytest.mark.parametrize("body", [
    "certid_a_total 5\n",
    COUNTER + 'certid_b_total{broker="a:1"} 5\n',
    COUNTER + 'certid_a_total{broker="a:1"} many\n',
    COUNTER + 'certid_a_total{broker="a:1} 5\n',
    "# TYPE certid_a_total summary\n",
    "\x01\n",
])
def test_what_is_not_understood_is_told(ctl, body):
    write(ctl, "a:1", body)
    ctl.fails(1, "the metrics of the broker a:1 cannot be read", "metrics")
    ctl.fails(1, "the metrics of the broker a:1 cannot be read",
              "metrics", "--json")
    # What an org has is told all the same.
    assert "certid_cas" in ctl.ok("--org", "default", "metrics")


def test_an_odd_source_stays_a_label(ctl):
    write(ctl, 'a"b\\c\nd', COUNTER)
    assert value(ctl, "certid_metrics_written_seconds",
                 broker='a"b\\c\nd') == 1000
    found = json.loads(ctl.ok("--json", "metrics"))
    assert 'a"b\\c\nd' in [one["labels"].get("broker") for one in found]
