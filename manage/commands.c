/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/commands.h"

#define READ_ORG  (NEED_REGISTRY | NEED_ORG)
#define WRITE_ORG (NEED_REGISTRY | NEED_WRITE | NEED_ORG)
#define WRITE_ALL (NEED_REGISTRY | NEED_WRITE)

const struct option global_options[] = {
    {"registry", "PATH", USE_ONCE, "the registry file"},
    {"org", "ORG", USE_ONCE, "the org to work on, \"default\" by default"},
    {"json", NULL, USE_ONCE, "print JSON, for programs"},
    {"help", NULL, USE_ONCE, "explain the command"},
    {"version", NULL, USE_ONCE, "print the version"},
    {"broker", "URL", USE_REMOTE, "mqtts://HOST[:PORT]; needed for the others"},
    {"cert", "FILE", USE_REMOTE, "the certificate to show to the broker"},
    {"key", "FILE", USE_REMOTE, "the private key of that certificate"},
    {"ca-file", "FILE", USE_REMOTE,
        "CAs that the broker may have; else the system's"},
    {"username", "NAME", USE_REMOTE, "the user name of an admin"},
    {"password-file", "FILE", USE_REMOTE, "its first line is the password"},
    {"client-id", "ID", USE_REMOTE,
        "the MQTT client id; else the certificate's identity"},
    {"timeout", "DUR", USE_REMOTE, "how long to wait; 30s by default"},
    {0},
};

static const struct option init_options[] = {
    {"topics", "plain|iot-2", USE_ONCE, "the topics to start with"},
    {0},
};

static const struct option status_options[] = {
    {"check", NULL, USE_ONCE, "exit code 1 if something keeps devices out"},
    {0},
};

static const struct option ca_add_options[] = {
    {"name", "NAME", USE_ONCE, "a name for the CA, unique in its org"},
    {"description", "TEXT", USE_ONCE, "a note for people"},
    {"scope", "PATTERN", USE_REPEATED, "identities that the CA may assert"},
    {"require-proof", NULL, USE_ONCE, "admit nobody until it is proven"},
    {"inactive", NULL, USE_ONCE, "admit nobody until it is activated"},
    {"tag", "NAME=VALUE", USE_REPEATED, "a tag for the devices of this CA"},
    {0},
};

static const struct option ca_set_options[] = {
    {"name", "NAME", USE_CLEARABLE, "a new name; \"\" for none"},
    {"description", "TEXT", USE_CLEARABLE, "a new note; \"\" for none"},
    {"scope", "PATTERN", USE_REPEATED,
        "the new scope; replaces all of the old one"},
    {"enrol", "MODE", USE_ONCE,
        "narrow enrolment to auto, approve, listed; or default"},
    {"rate", "N|none", USE_ONCE, "new identities a minute that it may bring"},
    {"crl", "POLICY", USE_ONCE, "off, if-present or required"},
    {"crl-grace", "DUR", USE_ONCE,
        "how long a CRL counts past its next update"},
    {"crl-url", "URL", USE_CLEARABLE,
        "where the broker fetches the CRL; \"\" for nowhere"},
    {0},
};

static const struct option type_set_options[] = {
    {"enrol", "MODE", USE_ONCE, "auto, approve, listed, or default: the org's"},
    {"window", "DUR|none", USE_ONCE,
        "time that an added device has to connect, or default"},
    {"id-format", "KIND", USE_ONCE,
        "any, decimal, hex, mac, mac-colon, mac-dash, uuid4"},
    {"id-length", "N", USE_ONCE, "length of the id without prefix; 0 for any"},
    {"id-prefix", "TEXT", USE_CLEARABLE,
        "what every id begins with; \"\" for nothing"},
    {"pin", "MODE", USE_ONCE,
        "hold devices to a certificate: none, first, listed"},
    {"rotate", "MODE", USE_ONCE,
        "what takes its place: none, same-key, same-ca, approve"},
    {"overlap", "DUR", USE_ONCE,
        "how long the old one counts after that; 7d by default"},
    {"max-devices", "N|none", USE_ONCE, "how many devices there may be"},
    {"address", "CIDR", USE_REPEATED_CLEARABLE,
        "where new ones may come from; \"\" for anywhere"},
    {"privileged", "yes|no", USE_ONCE,
        "gateways: whether they register devices"},
    {0},
};

static const struct option rule_set_options[] = {
    {"preview", NULL, USE_ONCE, "tell what it would do, and change nothing"},
    {0},
};

static const struct option compliance_options[] = {
    {"limit", "N", USE_ONCE, "this many devices at most; 100 by default"},
    {"after", "IDENTITY", USE_ONCE, "the page that follows this identity"},
    {0},
};

static const struct option device_token_options[] = {
    {"expires", "DUR", USE_ONCE, "how long it is valid; else without end"},
    {"revoke", NULL, USE_ONCE, "take the token back, and give out none"},
    {0},
};

static const struct option device_pin_options[] = {
    {"cert", "FILE|HASH", USE_REPEATED,
        "one that it may use; twice: an old and a new one"},
    {"none", NULL, USE_ONCE, "hold it to none"},
    {0},
};

static const struct option device_approve_options[] = {
    {"cert", "FILE|HASH", USE_ONCE,
        "nothing but this certificate, which it is held to"},
    {0},
};

static const struct option device_add_options[] = {
    {"window", "DUR|none", USE_ONCE,
        "time to connect first; else the type's, else 48h"},
    {"cert", "FILE|HASH", USE_REPEATED,
        "hold it to a certificate; twice: an old and a new one"},
    {"tag", "NAME=VALUE", USE_REPEATED, "a tag"},
    {"info", "FILE", USE_ONCE, "a JSON object about the device"},
    {0},
};

static const struct option device_set_options[] = {
    {"tag", "NAME=VALUE", USE_REPEATED_CLEARABLE,
        "a tag; they replace all old ones; \"\" for none"},
    {"info", "FILE", USE_ONCE, "a JSON object about the device; {} for none"},
    {"window", "DUR|none", USE_ONCE,
        "time to connect first, from now on, if it is allowed"},
    {0},
};

static const struct option device_list_options[] = {
    {"type", "CLASS:TYPE", USE_ONCE, "of this type only"},
    {"state", "STATE", USE_ONCE, "only allowed, pending or provisioned ones"},
    {"gateway", "IDENTITY", USE_ONCE, "only those attached to this gateway"},
    {"locked", NULL, USE_ONCE, "only those that are locked"},
    {"waiting", NULL, USE_ONCE, "only those whose new certificate waits"},
    {"limit", "N", USE_ONCE, "this many at most; 100 by default"},
    {"after", "IDENTITY", USE_ONCE, "the page that follows this identity"},
    {0},
};

static const struct option import_options[] = {
    {"type", "CLASS:TYPE", USE_ONCE, "the type of ids without one"},
    {"skip-bad", NULL, USE_ONCE, "leave bad rows out, and import the others"},
    {0},
};

static const struct option export_options[] = {
    {"type", "CLASS:TYPE", USE_ONCE, "of this type only"},
    {"state", "STATE", USE_ONCE, "only allowed, pending or provisioned ones"},
    {"output", "PATH", USE_ONCE, "write this file, readable for you alone"},
    {0},
};

static const struct option explain_options[] = {
    {"cert", "FILE", USE_ONCE, "its certificate, or with its chain behind it"},
    {"chain", "FILE", USE_ONCE, "intermediate certificates that it sends"},
    {"client-id", "ID", USE_ONCE, "its MQTT client id; else the right one"},
    {"address", "IP", USE_ONCE, "where it comes from"},
    {"token", "T", USE_ONCE, "the token it presents"},
    {"tls", "yes|no", USE_ONCE, "whether it uses TLS; yes by default"},
    {"at", "TIME", USE_ONCE, "decide as of this time; else now"},
    {0},
};

static const struct option event_options[] = {
    {"kind", "KIND", USE_ONCE, "of this kind only"},
    {"since", "TIME|DUR", USE_ONCE, "not older than this"},
    {"limit", "N", USE_ONCE, "the newest N; 100 by default"},
    {0},
};

static const struct option follow_options[] = {
    {"kind", "KIND", USE_ONCE, "of this kind only"},
    {"since", "TIME|DUR", USE_ONCE, "begin with the events since then"},
    {"limit", "N", USE_ONCE, "end after N events"},
    {0},
};

static const struct option hook_add_options[] = {
    {"kind", "KIND", USE_REPEATED, "events of this kind; of every kind else"},
    {"format", "FORMAT", USE_ONCE, "cloudevents, the default, or watson"},
    {"secret", "FILE", USE_ONCE, "sign with what is in it, 16 bytes or more"},
    {"ca-file", "FILE", USE_ONCE,
        "PEM: trust these CAs alone, not the system's"},
    {0},
};

#define CA_HELP                                                                \
	"CA is the id of a CA, the beginning of it (four digits or more), "    \
	"or\n"                                                                 \
	"its name.  Running brokers follow within a second."

#define SCOPE_HELP                                                             \
	"A PATTERN is CLASS:TYPE:ID where each part may end in one '*', as "   \
	"in\n"                                                                 \
	"d:meter:* or d:meter:A*.  Without a scope a CA may assert any "       \
	"identity;"                                                            \
	"\n*:*:* says so explicitly."

#define POLICY_HELP                                                            \
	"What holds for the CRL of a CA, by POLICY:\n"                         \
	"  off         it is not looked at\n"                                  \
	"  if-present  one that is stored counts, and must be up to date\n"    \
	"  required    without one that is up to date the CA admits nobody\n"  \
	"DUR is a number with a unit, as in 0s, 90s, 15m, 48h, 7d; at most "   \
	"365d.  URL is\nhttps://HOST/... or file:///PATH."

#define CODE_HELP                                                              \
	"The code is valid for 7 days, or until the next one is given out.  "  \
	"With openssl,\nwhere CODE is the code, and ca.pem and ca.key are "    \
	"the "                                                                 \
	"CA:\n"                                                                \
	"  openssl req -new -newkey rsa:2048 -nodes -keyout proof.key \\\n"    \
	"      -subj /CN=CODE -out proof.csr\n"                                \
	"  openssl x509 -req -in proof.csr -CA ca.pem -CAkey ca.key \\\n"      \
	"      -set_serial 1 -days 1 -out proof.pem\n"                         \
	"  certid ca verify CA proof.pem\n" CA_HELP

#define LEVEL_HELP                                                             \
	"A client must, by LEVEL:\n"                                           \
	"  cert+token     use TLS, present a certificate and a token\n"        \
	"  cert           use TLS and present a certificate\n"                 \
	"  token          use TLS and present a token\n"                       \
	"  cert-or-token  use TLS and present either\n"                        \
	"  tls-optional   present either, over TLS or not\n"                   \
	"--preview tells who would be locked out, by how each device "         \
	"connected last."

#define PIN_HELP                                                               \
	"A FILE holds the device's own certificate, PEM or DER.  A HASH is "   \
	"the SHA-256\nfingerprint of one, 64 hex digits, with or without "     \
	"colons:\n"                                                            \
	"  openssl x509 -in device.pem -noout -fingerprint -sha256"

#define WHO_HELP                                                               \
	"WHO is all, a class (d or g) or a type (d:meter).  ACCESS is "        \
	"publish,\n"                                                           \
	"subscribe or both.  FILTER is an MQTT topic filter that may hold "    \
	"the\n"                                                                \
	"words {class} {type} {id} {org}, filled in for each client."

#define HOOK_HELP "HOOK is the id, the beginning of it, or the URL."

#define ADMIN_HELP                                                             \
	"NAME is an identity of the org, such as d:ops:1; or, in the org "     \
	"\"default\",\nthe user name of a client that another plugin or the "  \
	"password file\nauthenticates.  It holds at once, for every broker."

const struct command commands[] = {
    {"init", "", 0, 0, init_options, NEED_LOCAL, run_init,
        "make a registry with the org \"default\"",
        "An existing file is never touched.  The topics are {class}/{type}/"
        "{id}/#\nfor everybody (plain) or the Watson IoT names (iot-2)."},
    {"status", "", 0, 0, status_options, READ_ORG, run_status,
        "show what the registry holds, and what to look after",
        "Columns of nothing but 0 are left out; LOCKED and WAITING are of "
        "devices in any\nstate, LAPSED of the allowed ones: their window has "
        "ended.  What needs attention\nfollows the table, the most urgent "
        "first; what keeps devices out is critical."},

    {"org add", "ORG", 1, 1, NULL, WRITE_ALL, run_org_add, "add an org",
        "It starts with the settings and topics of a new registry.  Clients "
        "reach an org\nother than \"default\" through SNI, with "
        "plugin_opt_tls_verify plugin: see\n\"certid help set\"."},
    {"org list", "", 0, 0, NULL, NEED_REGISTRY, run_org_list, "list the orgs",
        NULL},
    {"org remove", "ORG", 1, 1, NULL, WRITE_ALL, run_org_remove,
        "remove an org and everything in it",
        "The org \"default\" cannot be removed."},

    {"ca add", "FILE", 1, 1, ca_add_options, WRITE_ORG, run_ca_add,
        "register a CA certificate as a source of trust",
        "FILE holds exactly one certificate, PEM or DER.  Weaknesses that do "
        "not\nforbid its use are printed as warnings.  With --require-proof, "
        "or where the\norg has ca-proof on, it waits for \"certid ca code\" "
        "and "
        "\"certid ca verify\".\n" SCOPE_HELP},
    {"ca list", "", 0, 0, NULL, READ_ORG, run_ca_list, "list the CAs",
        "CRL is the revocation list: fresh; in its grace, past its next "
        "update, but still\ncounted; stale; or missing, which keep the "
        "devices of the CA out; - where none\nis looked at."},
    {"ca show", "CA", 1, 1, NULL, READ_ORG, run_ca_show, "show a CA", CA_HELP},
    {"ca activate", "CA", 1, 1, NULL, WRITE_ORG, run_ca_activate,
        "let a CA admit clients", CA_HELP},
    {"ca deactivate", "CA", 1, 1, NULL, WRITE_ORG, run_ca_deactivate,
        "let a CA admit nobody, but keep it", CA_HELP},
    {"ca remove", "CA", 1, 1, NULL, WRITE_ORG, run_ca_remove, "forget a CA",
        CA_HELP},
    {"ca set", "CA", 1, 1, ca_set_options, WRITE_ORG, run_ca_set,
        "change the settings of a CA",
        CA_HELP "\n" SCOPE_HELP "\n" POLICY_HELP},
    {"ca code", "CA", 1, 1, NULL, WRITE_ORG, run_ca_code,
        "give out a code that proves possession of a CA", CODE_HELP},
    {"ca verify", "CA FILE", 2, 2, NULL, WRITE_ORG, run_ca_verify,
        "prove possession of a CA, which makes it active",
        "FILE holds exactly one certificate, PEM or DER, that the CA signed "
        "and whose\ncommon name is the code of \"certid ca code\".\n" CA_HELP},
    {"ca crl", "CA FILE", 2, 2, NULL, WRITE_ORG, run_ca_crl,
        "store the revocation list of a CA",
        "FILE holds exactly one CRL, PEM or DER: complete, signed by the CA "
        "itself, with\na CRL number that is not lower than that of the stored "
        "one, and not out of date.\n" CA_HELP},

    {"type list", "", 0, 0, NULL, READ_ORG, run_type_list,
        "list the device types",
        "These are the declared ones, those with a rule, and those of which "
        "there\nare devices."},
    {"type show", "CLASS:TYPE", 1, 1, NULL, READ_ORG, run_type_show,
        "show a device type", NULL},
    {"type set", "CLASS:TYPE", 1, 1, type_set_options, WRITE_ORG, run_type_set,
        "declare a device type, or change its settings",
        "What is not given stays as it is; \"default\" as MODE or DUR, an "
        "empty prefix\nor address, the length 0 and none take a setting back; "
        "\"type unset\" all of them.\n"
        "With --pin first a device is held to the first certificate that it "
        "shows; with\nlisted, to those of \"device add\" and \"device pin\", "
        "which hold in every mode."},
    {"type unset", "CLASS:TYPE", 1, 1, NULL, WRITE_ORG, run_type_unset,
        "forget the settings of a device type",
        "Its rule and its devices stay."},

    {"rule list", "", 0, 0, NULL, READ_ORG, run_rule_list,
        "list the connection security rules",
        "With each rule the devices that it holds for.  COMPLIANT are those "
        "whose last\nconnection meets the level, COMPLIANCE their share of "
        "all that have connected."},
    {"rule set", "default|CLASS:TYPE LEVEL", 2, 2, rule_set_options,
        WRITE_ORG | NEED_READ_TO_PREVIEW, run_rule_set,
        "set the level that devices must meet", LEVEL_HELP},
    {"rule unset", "CLASS:TYPE", 1, 1, rule_set_options,
        WRITE_ORG | NEED_READ_TO_PREVIEW, run_rule_unset,
        "let the default rule hold for a type again",
        "--preview tells who would be locked out, by how each device "
        "connected last."},
    {"compliance", "[CLASS:TYPE]", 0, 1, compliance_options, READ_ORG,
        run_compliance, "list the devices that do not meet their rule",
        "The rules come first, as in \"certid rule list\"; then the devices "
        "whose last\nconnection does not meet the level, and what it "
        "lacked."},

    {"device add", "IDENTITY", 1, 1, device_add_options, WRITE_ORG,
        run_device_add, "allow a device before it is first seen",
        "Its first admitted connection within the window provisions it.  "
        "DUR is a\nnumber with a unit, as in 90s, 15m, 48h, "
        "7d.\n" PIN_HELP},
    {"device set", "IDENTITY", 1, 1, device_set_options, WRITE_ORG,
        run_device_set, "change what is noted of a device, or its window",
        "What is not given stays as it is, and so do token, certificates and "
        "gateway."},
    {"device list", "", 0, 0, device_list_options, READ_ORG, run_device_list,
        "list devices, ordered by identity",
        "WINDOW is the time that is left to an allowed device to connect "
        "first; none is\nno limit.  --state pending lists the devices that "
        "wait for approval, --waiting\nthose of which a new certificate does: "
        "\"device approve\" lets in either."},
    {"device show", "IDENTITY", 1, 1, NULL, READ_ORG, run_device_show,
        "show a device", NULL},
    {"device lock", "IDENTITY", 1, 1, NULL, WRITE_ORG, run_device_lock,
        "refuse a device from now on", "Its session is closed at once."},
    {"device unlock", "IDENTITY", 1, 1, NULL, WRITE_ORG, run_device_unlock,
        "let a locked device connect again", NULL},
    {"device approve", "IDENTITY", 1, 1, device_approve_options, WRITE_ORG,
        run_device_approve,
        "let in a pending device, or a certificate that waits",
        "With --cert only if that is what waits; a pending device is held to "
        "it from then\non, whatever its type says of pins.\n" PIN_HELP},
    {"device pin", "IDENTITY", 1, 1, device_pin_options, WRITE_ORG,
        run_device_pin, "set the certificates that a device is held to",
        "They replace all that it was held to before.\n" PIN_HELP},
    {"device token", "IDENTITY", 1, 1, device_token_options, WRITE_ORG,
        run_device_token, "give a device a new token, shown this once",
        "It takes the place of an older one.  The device presents it as its "
        "password,\nwith the user name use-token-auth or its identity."},
    {"device attach", "IDENTITY GATEWAY", 2, 2, NULL, WRITE_ORG,
        run_device_attach, "let a gateway speak for a device", NULL},
    {"device detach", "IDENTITY", 1, 1, NULL, WRITE_ORG, run_device_detach,
        "let no gateway speak for a device any more", NULL},
    {"device remove", "IDENTITY", 1, 1, NULL, WRITE_ORG, run_device_remove,
        "forget a device", "It may enrol again; to keep it out, lock it."},

    {"topic list", "", 0, 0, NULL, READ_ORG, run_topic_list,
        "list the topic rules", NULL},
    {"topic add", "WHO ACCESS FILTER", 3, 3, NULL, WRITE_ORG, run_topic_add,
        "grant topics", WHO_HELP},
    {"topic remove", "WHO ACCESS FILTER", 3, 3, NULL, WRITE_ORG,
        run_topic_remove, "take back a grant, written as it is listed",
        WHO_HELP},

    {"set", "[KEY VALUE]", 0, 2, NULL,
        READ_ORG | NEED_WRITE_WITH_ARGS | NEED_NO_VALUE, run_set,
        "change a setting of the org, or list all",
        "  topics on|off          off: other ACL sources decide on topics\n"
        "  client-id TEMPLATE     MQTT client ids, {class}:{type}:{id} at "
        "first\n"
        "  types open|declared    declared: refuse types not \"type set\"\n"
        "  enrol MODE             of types without a mode: auto, approve, "
        "listed\n"
        "  max-devices N|none     how many devices there may be\n"
        "  ca-proof on|off        on: CAs that are added wait for proof of "
        "possession\n"
        "  sni SUFFIX             clients reach the org NAME as NAME.SUFFIX; "
        "\"\" for none\n"
        "  clone-action ACTION    of two that use one identity: event, or lock "
        "it as well\n"
        "  event-days N           how long events are kept, 90 at first\n"
        "A SUFFIX is the end of a DNS name.  That of the org \"default\" "
        "holds for every\norg.  Only a broker with plugin_opt_tls_verify "
        "plugin looks at it."},
    {"import", "FILE", 1, 1, import_options, WRITE_ORG, run_import,
        "allow many devices, from a CSV file",
        "FILE is - for stdin.  The first row names the columns: ID and any "
        "of\n"
        "  TLS Client Certificate  PEM, DER in base64, or a SHA-256 "
        "fingerprint\n"
        "  Tags                    [{\"name\": \"site\", \"value\": "
        "\"south\"}]\n"
        "  Type, Class             of an ID that is no whole identity\n"
        "  Window                  DUR, none, or a time\n"
        "  Info                    a JSON object\n"
        "and those that export adds.  All rows are imported, or none; every "
        "bad one is\ntold with its line."},
    {"export", "", 0, 0, export_options, READ_ORG | NEED_TEXT, run_export,
        "write all devices as CSV, for import",
        "Gateways come first.  What it writes holds hashes of tokens: keep "
        "it as you\nkeep the registry."},
    {"explain", "", 0, 0, explain_options, READ_ORG, run_explain,
        "tell how a connection would be decided, and why",
        "The file of --cert is PEM or DER; if it holds several certificates, "
        "the first\none is the device's and the others are its chain.  Of a "
        "client "
        "without one, give\n--client-id and --token.\n"
        "No broker is needed and nothing is written.  Exit code 0: admit; "
        "1: refuse."},
    {"event list", "", 0, 0, event_options, READ_ORG, run_event_list,
        "list what happened, the newest last",
        "--since takes a time, as in 2026-11-21T14:00:00Z, or a span before "
        "now,\nas in 24h."},
    {"event follow", "", 0, 0, follow_options, READ_ORG | NEED_LOCAL,
        run_event_follow, "print events as they come, until interrupted",
        "With --json every line is one document."},
    {"metrics", "", 0, 0, NULL, READ_ORG, run_metrics,
        "print what is counted, for Prometheus",
        "Text format 0.0.4, of all brokers on this registry.  With --org "
        "what is of that\norg alone."},
    {"hook add", "URL", 1, 1, hook_add_options, WRITE_ORG, run_hook_add,
        "have events delivered to an https server",
        "The broker posts each event from now on to URL until the server "
        "answers 2xx.\nFormat watson tells of device-provisioned alone."},
    {"hook list", "", 0, 0, NULL, READ_ORG, run_hook_list,
        "list the receivers of events, and how delivery does", NULL},
    {"hook show", "HOOK", 1, 1, NULL, READ_ORG, run_hook_show,
        "show a receiver of events, and how delivery does", HOOK_HELP},
    {"hook remove", "HOOK", 1, 1, NULL, WRITE_ORG, run_hook_remove,
        "deliver nothing more to a server", HOOK_HELP},
    {"admin add", "NAME", 1, 1, NULL, WRITE_ORG, run_admin_add,
        "let somebody manage the org over MQTT", ADMIN_HELP},
    {"admin list", "", 0, 0, NULL, READ_ORG, run_admin_list,
        "list who may manage the org over MQTT", NULL},
    {"admin remove", "NAME", 1, 1, NULL, WRITE_ORG, run_admin_remove,
        "take the right to manage the org back", ADMIN_HELP},
    {"help", "[COMMAND]", 0, 2, NULL, NEED_LOCAL, run_help,
        "explain a command, or list all",
        "With --json the table of all commands and options."},
    {0},
};
