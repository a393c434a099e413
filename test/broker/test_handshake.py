# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""plugin_opt_tls_verify plugin: the registered CAs decide the TLS handshake,
whatever the listener's cafile and capath say."""

import base64
from typing import Any, Callable, Iterator

import pytest
from harness.broker import is_2_1
from harness.pki import CA_EXTENSIONS, Ca, Leaf, Pki, in_seconds, openssl
from harness.raw import Raw
from harness.site import Site, topic
from harness.tls import (
    TLS,
    asked,
    bundle,
    context_of,
    enter,
    hand_over,
    knock,
    refused,
    stranger,
    turned_away,
)
from harness.wait import until

SECOND = 1.0


@pytest.fixture(scope="module")
def shared(pki: Pki, ca: Ca) -> Iterator[Site]:
    made = hand_over(Site(pki, ca))
    try:
        made.broker.start()
        yield made
    finally:
        made.close()


# The registered CAs alone


@pytest.mark.parametrize("kind", ["cafile", "capath", "both", "empty", "none"])
def test_whatever_the_listener_trusts(new_site: Callable[..., Site], kind: str) -> None:
    site = hand_over(new_site(), kind)
    site.broker.start()
    for tls in ("1.2", "1.3"):
        identity = site.new_id()
        assert knock(site, site.ca.leaf(identity), identity, tls=tls) == 0
        forged = stranger(site).leaf(site.new_id())
        fields = turned_away(site, forged, "ca-unknown", tls=tls)
        assert fields["addr"] == "127.0.0.1" and "serial" in fields
        assert knock(site, None, site.new_id(), tls=tls) == -1


def registered(site: Site, name: str, **options: Any) -> Ca:
    """One more root of the running broker."""
    ca = site.pki.root(name, **options)
    site.certid("ca", "add", ca.cert, "--name", name)
    site.settle()
    return ca


@TLS
def test_a_ca_is_added_while_the_broker_runs(site: Site, tls: str) -> None:
    ca = site.pki.root(f"late-{tls}")
    early, identity = ca.leaf(site.new_id()), site.new_id()
    turned_away(site, early, "ca-unknown", tls=tls)
    site.certid("ca", "add", ca.cert)
    leaf = ca.leaf(identity)
    until(lambda: knock(site, leaf, identity, tls) == 0, "the new CA", SECOND)


@TLS
@pytest.mark.parametrize(
    "verb,reason", [("deactivate", "ca-inactive"), ("remove", "ca-unknown")]
)
def test_a_ca_goes(site: Site, verb: str, reason: str, tls: str) -> None:
    """The handshake fails from then on; OpenSSL remembers nothing."""
    name = f"{verb}-{tls}"
    ca = registered(site, name)
    identity = site.new_id()
    assert knock(site, ca.leaf(identity), identity, tls) == 0
    site.certid("ca", verb, name)
    site.settle()
    turned_away(site, ca.leaf(identity), reason, tls=tls)
    turned_away(site, ca.leaf(site.new_id()), reason, tls=tls)
    if verb == "deactivate":
        site.certid("ca", "activate", name)
    else:
        site.certid("ca", "add", ca.cert, "--name", name)
    site.settle()
    assert knock(site, ca.leaf(identity), identity, tls) == 0


@pytest.mark.parametrize(
    "how,reason", [("inactive", "ca-inactive"), ("require-proof", "ca-unproven")]
)
def test_a_ca_that_is_not_active_yet(site: Site, how: str, reason: str) -> None:
    ca = site.pki.root(how)
    site.certid("ca", "add", ca.cert, f"--{how}")
    site.settle()
    turned_away(site, ca.leaf(site.new_id()), reason)


def test_a_ca_expires(site: Site) -> None:
    ca = registered(site, "brief", end=in_seconds(5))
    first, then = site.new_id(), site.new_id()
    leaf = ca.leaf(then)
    assert knock(site, ca.leaf(first), first) == 0
    until(lambda: knock(site, leaf, then) == -1, "the end of the CA")
    turned_away(site, ca.leaf(site.new_id()), "ca-expired")


def test_two_keys_of_one_name(site: Site) -> None:
    """Leaves that do not name the key of their issuer."""
    for key in ("first", "second"):
        turned_away(site, silent(twin(site, key), site.new_id()), "ca-unknown")
    for key in ("first", "second"):
        site.certid("ca", "add", twin(site, key).cert)
        site.settle()
        identity = site.new_id()
        leaf = silent(twin(site, key), identity)
        text = openssl("x509", "-in", leaf.cert, "-noout", "-text")
        assert "Authority Key Identifier" not in text
        assert knock(site, leaf, identity) == 0
    identity = site.new_id()
    assert knock(site, silent(twin(site, "first"), identity), identity) == 0
    turned_away(site, silent(twin(site, "third"), site.new_id()), "ca-unknown")


def twin(site: Site, key: str) -> Ca:
    return site.pki.root("double", key=f"double-{key}")


def silent(ca: Ca, identity: str) -> Leaf:
    """Without an authority key identifier."""
    return ca.leaf(identity, extensions=["authorityKeyIdentifier=none"])


def test_an_intermediate_alone(site: Site) -> None:
    """Its root is not needed, and admits nobody."""
    root = site.pki.root("above")
    middle = root.intermediate("below")
    site.certid("ca", "add", middle.cert)
    site.settle()
    for tls in ("1.2", "1.3"):
        bare, full, sibling = (site.new_id() for _ in range(3))
        assert knock(site, bundle(middle.leaf(bare)), bare, tls) == 0
        assert knock(site, bundle(middle.leaf(full), middle, root), full, tls) == 0
        turned_away(site, root.leaf(sibling), "ca-unknown", tls=tls)
        other = root.intermediate("beside").leaf(site.new_id())
        turned_away(site, other, "ca-unknown", tls=tls)


def test_as_many_cas_as_there_may_be(new_site: Callable[..., Site]) -> None:
    site = hand_over(new_site(), "none")
    many = [site.pki.root(f"many-{n}", key="many") for n in range(64)]
    for ca in many[:-1]:
        site.certid("ca", "add", ca.cert)
    site.broker.start()
    site.certid("ca", "add", many[-1].cert, expect=1)
    for ca in many[:-1:7]:
        identity = site.new_id()
        assert knock(site, ca.leaf(identity), identity) == 0
    turned_away(site, many[-1].leaf(site.new_id()), "ca-unknown")


@TLS
def test_the_names_of_cas(site: Site, tls: str) -> None:
    """Mosquitto 2.1 tells clients which CAs it accepts: those that are active
    now.  2.0 names none, so that any certificate may be sent."""
    port, name = site.broker.tls_port, f"named-{tls}"
    if not is_2_1():
        assert asked(port, tls) == []
        return

    def names() -> "set[str]":
        return set(asked(port, tls) or [])

    assert "CN=factory" in names() and "CN=stranger" not in names()
    site.certid("ca", "add", site.pki.root(name).cert, "--name", name)
    for verb, there in [("", True), ("deactivate", False), ("activate", True)]:
        if verb:
            site.certid("ca", verb, name)
        until(lambda: (f"CN={name}" in names()) == there, verb or "its name")
    site.certid("ca", "remove", name)
    until(lambda: f"CN={name}" not in names(), "the end of its name")
    assert "CN=factory" in names()


# Chains


def short(ca: Ca) -> Ca:
    """An intermediate that may have none below it."""
    lines = ("basicConstraints=critical,CA:TRUE,pathlen:0", *CA_EXTENSIONS[1:])
    return minted(ca, "short", lines)


def minted(above: Ca, name: str, lines: tuple, **options: Any) -> Ca:
    key = above.pki.key(f"ca-{name}")
    cert = above.pki.mint(above, f"/CN={name}", lines, key, 365, **options)
    return Ca(above.pki, name, cert, key, [cert, *above.above])


def deep(ca: Ca, count: int) -> Ca:
    for number in range(count):
        ca = ca.intermediate(f"deep-{number}")
    return ca


def ring(pki: Pki) -> list[Ca]:
    """Two CAs that vouch for each other."""
    one, two = pki.root("ring-one"), pki.root("ring-two")
    names = [("ring-one", two, one), ("ring-two", one, two)]
    return [
        Ca(pki, name, pki.mint(by, f"/CN={name}", CA_EXTENSIONS, of.key, 365), of.key)
        for name, by, of in names
    ]


# What is sent after a leaf of the intermediate "two", which is below "one",
# which is below the registered root.
Along = Callable[[Ca, Ca, Ca], list]
SENT: list[tuple[str, str, Along]] = [
    ("all", "", lambda root, one, two: [two, one]),
    ("with-the-root", "", lambda root, one, two: [two, one, root]),
    ("wrong-order", "", lambda root, one, two: [one, two]),
    ("duplicates", "", lambda root, one, two: [two, two, one, root, one]),
    ("junk", "", lambda root, one, two: [*junk(root, 3), two, *junk(root, 2), one]),
    ("a-ring", "", lambda root, one, two: [*ring(root.pki), two, one]),
    ("most", "", lambda root, one, two: [*junk(root, 62), two, one]),
    ("none", "ca-unknown", lambda root, one, two: []),
    ("root-alone", "ca-unknown", lambda root, one, two: [root]),
    ("lower-alone", "ca-unknown", lambda root, one, two: [two]),
    ("upper-alone", "ca-unknown", lambda root, one, two: [one, root]),
    ("junk-alone", "ca-unknown", lambda root, one, two: junk(root, 60)),
    ("ring-alone", "ca-unknown", lambda root, one, two: [two, *ring(root.pki)]),
    ("too-many", "cert-malformed", lambda root, one, two: [*junk(root, 63), two, one]),
    ("seventy", "cert-malformed", lambda root, one, two: [two, one, *junk(root, 67)]),
]


def junk(root: Ca, count: int) -> list:
    """Certificates that have nothing to do with anything, and a few that have."""
    strange = root.pki.root("stranger")
    some = [strange, root.leaf("d:junk:1").cert, strange.leaf("d:junk:2").cert]
    return [some[number % 3] for number in range(count)]


@TLS
@pytest.mark.parametrize(
    "reason,along", [c[1:] for c in SENT], ids=[c[0] for c in SENT]
)
def test_a_chain(site: Site, reason: str, along: Along, tls: str) -> None:
    one = site.ca.intermediate("one")
    two = one.intermediate("two")
    identity = site.new_id()
    leaf = bundle(two.leaf(identity), *along(site.ca, one, two))
    expect(site, leaf, identity, reason, tls)


def expect(site: Site, leaf: Leaf, identity: str, reason: str, tls: str = "") -> None:
    """The broker's answer, and that "certid explain" gives it too."""
    if reason:
        turned_away(site, leaf, reason, tls=tls)
        assert identity not in site.certid.identities()
    else:
        assert knock(site, leaf, identity, tls) == 0
    if len(leaf.chain.read_text().split("BEGIN")) <= 64:
        explained = site.certid.explain(leaf.cert, "--chain", leaf.chain)
        assert explained["reason"] == reason or explained["decision"] == "admit"


def fake(root: Ca, *lines: str) -> Ca:
    """A stranger by the name of the registered root."""
    lines = lines or CA_EXTENSIONS
    key = root.pki.key("ca-fake")
    cert = root.pki.mint(None, f"/CN={root.name}", lines, key, 365)
    return Ca(root.pki, root.name, cert, key)


def false_ca(root: Ca) -> Ca:
    """A device that signs others."""
    leaf = root.leaf("d:meter:signs", key="ca-false")
    return Ca(root.pki, "false", leaf.cert, root.pki.key("ca-false"), [leaf.cert])


MADE: list[tuple[str, str, Callable[[Ca], Ca]]] = [
    ("four-deep", "", lambda root: deep(root, 4)),
    ("five-deep", "ca-unknown", lambda root: deep(root, 5)),
    ("nine-deep", "ca-unknown", lambda root: deep(root, 9)),
    ("path-length", "cert-invalid", lambda root: short(root).intermediate("too-low")),
    ("no-ca", "cert-invalid", false_ca),
    ("same-name", "ca-unknown", fake),
    (
        "expired",
        "ca-expired",
        lambda root: minted(root, "late", CA_EXTENSIONS, end=in_seconds(-60)),
    ),
    (
        "early",
        "cert-invalid",
        lambda root: minted(root, "soon", CA_EXTENSIONS, start=in_seconds(3600)),
    ),
    (
        "no-key-usage",
        "cert-invalid",
        lambda root: minted(root, "mute", (CA_EXTENSIONS[0], "keyUsage=cRLSign")),
    ),
    (
        "other-purpose",
        "cert-invalid",
        lambda root: minted(
            root, "web", (*CA_EXTENSIONS, "extendedKeyUsage=serverAuth")
        ),
    ),
]


@pytest.mark.parametrize(
    "reason,make", [c[1:] for c in MADE], ids=[c[0] for c in MADE]
)
def test_an_intermediate(site: Site, reason: str, make: Callable[[Ca], Ca]) -> None:
    identity = site.new_id()
    expect(site, make(site.ca).leaf(identity), identity, reason)


def test_a_chain_beyond_what_openssl_reads(site: Site) -> None:
    """More than 100 KiB: it ends the handshake by itself."""
    fat = site.ca.leaf("d:junk:fat", extensions=["nsComment=" + 3000 * "x"])
    identity = site.new_id()
    leaf = bundle(site.ca.leaf(identity), *(60 * [fat.cert]))
    assert knock(site, leaf, identity) == -1
    assert knock(site, site.ca.leaf(identity), identity) == 0


@pytest.mark.parametrize(
    "how,reason", [("inactive", "ca-inactive"), ("require-proof", "ca-unproven")]
)
def test_a_registered_intermediate_that_is_not_active(
    site: Site, how: str, reason: str
) -> None:
    middle = site.ca.intermediate(f"asleep-{how}")
    low = middle.intermediate(f"below-{how}")
    site.certid("ca", "add", middle.cert, f"--{how}")
    site.settle()
    turned_away(site, middle.leaf(site.new_id()), reason)
    turned_away(site, bundle(middle.leaf(site.new_id())), reason)
    turned_away(site, low.leaf(site.new_id()), reason)
    identity = site.new_id()
    assert knock(site, site.ca.leaf(identity), identity) == 0


# Sessions of clients that sent intermediates along


def wait_end(site: Site, raw: Raw, identity: str, reason: str, since: int) -> None:
    raw.socket.settimeout(SECOND)
    with pytest.raises(Raw.Gone):
        raw.read()
    form = rf"certid: closed reason={reason} identity={identity} "
    site.broker.wait_log(form, since=since)


@pytest.mark.alone
def test_the_root_goes_under_a_session(site: Site) -> None:
    root = registered(site, "uprooted")
    low = root.intermediate("uprooted-one").intermediate("uprooted-two")
    identity, stays = site.new_id(), site.new_id()
    with enter(site, low.leaf(identity), identity) as raw:
        with enter(site, site.ca.leaf(stays), stays) as other:
            since = site.broker.mark()
            site.certid("ca", "deactivate", "uprooted")
            wait_end(site, raw, identity, "ca-inactive", since)
            assert other.ask(stays) == -1  # it lives: a second CONNECT ends it
    turned_away(site, low.leaf(identity), "ca-inactive")


@pytest.mark.alone
@pytest.mark.parametrize(
    "what,reason",
    [
        ("inactive", "ca-inactive"),
        ("require-proof", "ca-unproven"),
        ("scope", "ca-scope"),
    ],
)
def test_an_intermediate_is_registered_under_a_session(
    site: Site, what: str, reason: str
) -> None:
    """What an operator says of it counts, though the root stands for it."""
    middle = site.ca.intermediate(f"later-{what}")
    low = middle.intermediate(f"lower-{what}")
    option = ["--scope", "d:other:*"] if what == "scope" else [f"--{what}"]
    identity = site.new_id()
    leaf = low.leaf(identity)
    with enter(site, leaf, identity) as raw:
        since = site.broker.mark()
        site.certid("ca", "add", middle.cert, *option)
        wait_end(site, raw, identity, reason, since)
    if what == "scope":
        refused(site, leaf, identity, reason)
    else:
        turned_away(site, leaf, reason)


@pytest.mark.alone
def test_an_intermediate_is_revoked_under_a_session(site: Site) -> None:
    root = registered(site, "revoker")
    middle = root.intermediate("revoked-one")
    low = middle.intermediate("revoked-two")
    identity = site.new_id()
    with enter(site, low.leaf(identity), identity) as raw:
        since = site.broker.mark()
        site.certid("ca", "crl", "revoker", root.crl(1, middle))
        wait_end(site, raw, identity, "cert-revoked", since)
    turned_away(site, low.leaf(identity), "cert-revoked")


def test_another_root_takes_over_a_session(site: Site) -> None:
    """The intermediates that came with the certificate are still known: the
    session goes on below the root that comes before the other one leaves."""
    old = registered(site, "dynasty", key="dynasty")
    new = site.pki.root("dynasty", key="dynasty", days=730)
    low = old.intermediate("dynasty-one")
    identity = site.new_id()
    backend = site.backend("d/#")
    device = site.client(identity, low.leaf(identity)).open()
    site.certid("ca", "add", new.cert, "--name", "dynasty-new")
    site.certid("ca", "remove", "dynasty")
    site.settle()
    device.publish(topic(identity, "evt"), "still here")
    backend.wait_message(topic(identity, "evt"), "still here")
    assert device.is_open()


# Leaves


def ber(ca: Ca, identity: str, change: Callable[[bytes], bytes]) -> Leaf:
    """A certificate whose signed part is not DER, but BER that OpenSSL reads.
    The CA has signed these very bytes: they have no other spelling."""
    leaf = ca.leaf(identity)
    der = leaf.cert.with_suffix(".der")
    openssl("x509", "-in", leaf.cert, "-outform", "DER", "-out", der)
    parts = elements(elements(der.read_bytes())[0][1])
    part = leaf.cert.with_suffix(".tbs")
    part.write_bytes(change(whole(*parts[0])))
    signature = leaf.cert.with_suffix(".sig")
    openssl("dgst", "-sha256", "-sign", ca.key.private, "-out", signature, part)
    bits = whole(0x03, b"\x00" + signature.read_bytes())
    body = part.read_bytes() + whole(*parts[1]) + bits
    der.write_bytes(whole(0x30, body))
    text = base64.encodebytes(der.read_bytes()).decode()
    out = leaf.cert.with_suffix(".ber.pem")
    out.write_text(f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n")
    return Leaf(out, leaf.key, out)


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """Tags and contents."""
    found = []
    while data:
        size, head = data[1], 2
        if size & 0x80:
            head += size & 0x7F
            size = int.from_bytes(data[2:head], "big")
        found.append((data[0], data[head : head + size]))
        data = data[head + size :]
    return found


def whole(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    return bytes([tag, 0x82]) + size.to_bytes(2, "big") + content


def endless(tbs: bytes) -> bytes:
    """Of indefinite length."""
    return b"\x30\x80" + elements(tbs)[0][1] + b"\x00\x00"


def odd_true(tbs: bytes) -> bytes:
    """TRUE is FF in DER."""
    return tbs.replace(b"\x01\x01\xff", b"\x01\x01\x01")


def long_length(tbs: bytes) -> bytes:
    """A length in more octets than it takes."""
    content = elements(tbs)[0][1]
    return b"\x30\x84" + len(content).to_bytes(4, "big") + content


LEAVES: list[tuple[str, str, Callable[[Ca, str], Leaf]]] = [
    (
        "too-large",
        "cert-too-large",
        lambda ca, name: ca.leaf(name, extensions=["nsComment=" + 17000 * "x"]),
    ),
    (
        "many-names",
        "cert-too-large",
        lambda ca, name: ca.leaf(name, [f"DNS:n{n}.example" for n in range(33)]),
    ),
    (
        "many-extensions",
        "cert-too-large",
        lambda ca, name: ca.leaf(
            name, extensions=[f"1.2.3.4.{n}=DER:0500" for n in range(70)]
        ),
    ),
    ("no-der-length", "", lambda ca, name: ber(ca, name, endless)),
    ("no-der-true", "", lambda ca, name: ber(ca, name, odd_true)),
    ("long-length", "", lambda ca, name: ber(ca, name, long_length)),
    ("the-ca", "cert-is-ca", lambda ca, _: Leaf(ca.cert, ca.key.private, ca.cert)),
    ("purpose", "cert-purpose", lambda ca, name: ca.leaf(name, eku="serverAuth")),
    ("expired", "cert-expired", lambda ca, name: ca.leaf(name, end=in_seconds(-60))),
    (
        "early",
        "cert-not-yet-valid",
        lambda ca, name: ca.leaf(name, start=in_seconds(3600)),
    ),
]


@pytest.mark.parametrize(
    "reason,make", [c[1:] for c in LEAVES], ids=[c[0] for c in LEAVES]
)
def test_a_leaf(site: Site, reason: str, make: Callable[[Ca, str], Leaf]) -> None:
    identity = site.new_id()
    expect(site, make(site.ca, identity), identity, reason)


LATER: list[tuple[str, Callable[[Ca, str], Leaf]]] = [
    ("identity-none", lambda ca, _: ca.leaf("Meter 0001")),
    ("identity-none", lambda ca, _: ca.leaf()),
    ("identity-syntax", lambda ca, _: ca.leaf("d:meter:")),
    ("identity-conflict", lambda ca, name: ca.leaf(name, ["email:d:meter:other"])),
    ("client-id", lambda ca, name: ca.leaf(name + "x")),
]


@TLS
@pytest.mark.parametrize("reason,make", LATER)
def test_what_is_no_matter_of_tls_is_refused_at_connect(
    site: Site, reason: str, make: Callable[[Ca, str], Leaf], tls: str
) -> None:
    identity = site.new_id()
    refused(site, make(site.ca, identity), identity, reason, tls=tls)


# What the client is told


ALERTS: list[tuple[str, Callable[[Ca, str], Leaf]]] = [
    ("unknown ca", lambda ca, name: ca.pki.root("stranger").leaf(name)),
    ("unknown ca", lambda ca, name: ca.pki.root("alert-inactive").leaf(name)),
    ("certificate expired", lambda ca, name: ca.leaf(name, end=in_seconds(-60))),
    ("bad certificate", lambda ca, name: ca.leaf(name, start=in_seconds(3600))),
    ("unsupported certificate", lambda ca, name: ca.leaf(name, eku="serverAuth")),
    ("certificate revoked", lambda ca, name: revoked(ca.pki).leaf(name)),
    ("unknown ca", lambda ca, name: overdue(ca.pki).leaf(name)),
]


def revoked(pki: Pki) -> Ca:
    """Below a root that has revoked it."""
    return pki.root("alert-revoker").intermediate("alert-revoked")


def overdue(pki: Pki) -> Ca:
    """It demands a CRL, and there is none."""
    return pki.root("alert-overdue")


@pytest.fixture(scope="module")
def with_bad_cas(shared: Site) -> Site:
    """Registered CAs whose devices are not let in."""
    pki, certid = shared.pki, shared.certid
    certid("ca", "add", pki.root("alert-inactive").cert, "--inactive")
    certid("ca", "add", pki.root("alert-revoker").cert, "--name", "revoker-2")
    certid("ca", "crl", "revoker-2", pki.root("alert-revoker").crl(1, revoked(pki)))
    certid("ca", "add", overdue(pki).cert, "--name", "overdue")
    certid("ca", "set", "overdue", "--crl", "required")
    shared.settle()
    return shared


@TLS
@pytest.mark.parametrize("alert,make", ALERTS)
def test_the_alert_tells_why(
    site: Site,
    with_bad_cas: Site,
    alert: str,
    make: Callable[[Ca, str], Leaf],
    tls: str,
) -> None:
    leaf = make(site.ca, site.new_id())
    with pytest.raises(Raw.Gone, match=alert):
        with Raw(site.broker.tls_port, context_of(site, leaf, tls)) as raw:
            raw.read()  # in TLS 1.3 the client believes that it is through
