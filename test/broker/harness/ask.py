# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Connect, and tell how it was decided."""

import re
from typing import Any

from harness.broker import quote
from harness.pki import Leaf, serial_of
from harness.raw import Raw, tls_context

DECISION = r"certid: (?:admitted|refused) reason=(\S+) .*client={}.*{}"


def ask(site: Any, identity: str, leaf: Leaf, broker: Any = None) -> str:
    """The reason.  The log tells a refusal that repeats itself only once in a
    while: then it is the last one of this certificate."""
    broker = broker or site.broker
    since = broker.mark()
    with Raw(broker.tls_port, tls_context(site.server_ca, leaf)) as raw:
        code = raw.ask(identity)
    if code == 0:
        return broker.wait_decision(identity, since)["reason"]
    # Its line, if there is one, came before the answer.
    name = re.escape(quote(identity))
    told = re.findall(DECISION.format(name, ""), broker.log()[since:])
    if not told:
        serial = rf"serial=0x{serial_of(leaf.cert).lower()}\b"
        told = re.findall(DECISION.format(name, serial), broker.log())
    assert told, f"{identity} was answered {code}\n{broker.story()}"
    assert told[-1] not in ("known", "provisioned"), told
    return told[-1]
