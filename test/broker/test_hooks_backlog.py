# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Receivers of events that are far behind: what is given up, and what is not."""

from typing import Callable

from harness.site import Site
from harness.wait import until
from test_hooks import (  # noqa: F401
    Receiver,
    add,
    change,
    hook,
    make_events,
    receivers,
    rows,
    wait_all,
)

MAX = 1_000_000  # events that may wait
LONG = 120  # seconds


def fill(site: Site, org: str, count: int) -> None:
    """Events of the org."""
    change(
        site,
        f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c "
        f"WHERE n < {count}) INSERT INTO event "
        f"(org, time, actor, kind, subject, detail) SELECT '{org}', unixepoch(), "
        f"'broker', 'session-closed', 'd:m:1', NULL FROM c",
    )


def test_too_long_a_backlog_is_cut(
    new_site: Callable[..., Site], receivers: Callable[..., Receiver]  # noqa: F811
) -> None:
    site, receiver = new_site(), receivers()
    receiver.answer = lambda request: 503
    site.broker.start()
    id_ = add(site, receiver, "--kind", "device-locked", "--kind", "setting-changed")
    make_events(site, 2)
    until(lambda: hook(site, id_)["failure"], "the failure")
    site.broker.stop()
    make_events(site, 1)  # allowed, locked, unlocked: the last two are kept
    fill(site, "default", MAX - 3)
    site.certid("set", "enrol", "listed")
    last = rows(site)[-1]["seq"]
    receiver.answer = lambda request: 204
    site.broker.start()
    until(lambda: hook(site, id_)["cursor"] == last, "the cursor", LONG)
    told = hook(site, id_)
    assert told["dropped"] == 3  # with the event of its own addition
    assert told["delivered"] == 2
    assert receiver.firsts() == [last - (MAX - 3) - 2, last]


def test_other_orgs_drop_nothing(
    new_site: Callable[..., Site], receivers: Callable[..., Receiver]  # noqa: F811
) -> None:
    site, receiver = new_site(), receivers()
    receiver.answer = lambda request: 503
    site.certid("org", "add", "noisy")
    site.broker.start()
    id_ = add(site, receiver)
    cursor = hook(site, id_)["cursor"]
    make_events(site, 2)
    until(lambda: hook(site, id_)["failure"], "the failure")
    site.broker.stop()
    fill(site, "noisy", MAX + 100)
    make_events(site, 1)
    receiver.answer = lambda request: 204
    site.broker.start()
    wait_all(site, receiver, id_, cursor)
    assert hook(site, id_)["dropped"] == 0
