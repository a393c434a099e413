/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "registry/change.h"
#include "registry/sqlite_private.h"

/* What a decision needs; the long texts come last in the table, so that
 * reading these touches no overflow page. */
#define DEVICE_SHORT                                                           \
	"identity, state, locked, created_at, provisioned_at, "                \
	"last_seen_at, window_ends_at, last_address, seen_with, token, pins, " \
	"gateway, ca, fingerprint, serial, not_after"
#define DEVICE_FULL DEVICE_SHORT ", subject, tags, info"

/* Every query names its index: where one is missing the file does not open,
 * rather than being slow, or doubling a name.  This one gives the exact row,
 * or the one that clashes, in one look-up. */
#define DEVICE_GET                                                             \
	" FROM device INDEXED BY device_nocase "                               \
	"WHERE org = ?1 AND identity = ?2 COLLATE NOCASE"

/* A CA, and its CRL, whose columns are NULL without one.  The order comes from
 * an index: sorting would copy the lists. */
#define CA_COLUMNS                                                             \
	"ca.id, ca.org, ca.fingerprint, ca.der, ca.subject, ca.not_before, "   \
	"ca.not_after, ca.name, ca.description, ca.state, ca.scope, "          \
	"ca.enrol, ca.rate, ca.tags, ca.added_at, ca.code, "                   \
	"ca.code_expires_at, "                                                 \
	"ca.told, ca.crl_policy, ca.crl_grace, ca.crl_url, ca.crl_failure"
#define CRL_COLUMNS                                                            \
	"ca.crl_fingerprint, crl.crl_fingerprint, crl.number AS crl_number, "  \
	"crl.this_update AS crl_this_update, "                                 \
	"crl.next_update AS crl_next_update, crl.entries AS crl_entries, "     \
	"crl.stored_at AS crl_stored_at, crl.fetched AS crl_fetched, "         \
	"crl.modified_at AS crl_modified_at, crl.told AS crl_told, "           \
	"crl.der AS crl_der"
#define CA_AND_CRL                                                             \
	" FROM ca LEFT JOIN crl ON crl.org = ca.org "                          \
	"AND crl.fingerprint = ca.fingerprint "
#define ONE_CA "WHERE org = ?1 AND fingerprint = ?2"

#define RANGE        " WHERE org = ?1 AND identity > ?2 AND identity < ?3"
#define DEVICE_RANGE " FROM device" RANGE

/* SQLite would rather walk the key and look at every state. */
#define DEVICE_STATE                                                           \
	" FROM device INDEXED BY device_state" RANGE " AND state = ?4"
#define DEVICE_GATEWAY                                                         \
	" FROM device INDEXED BY device_gateway" RANGE " AND gateway = ?6"
#define DEVICE_GATEWAY_STATE DEVICE_GATEWAY " AND state = ?4"
/* As its index says it, so that this can be used: the mark of a certificate
 * that waits is a letter that nothing else in pins holds. */
#define WAITS  "instr(pins, 'w') > 0"
#define LAPSED "state = 'allowed' AND window_ends_at <= ?9"
/* The rest of a query behind the index that it goes by. */
#define REST                                                                   \
	" AND (?4 IS NULL OR state = ?4) AND (?6 IS NULL OR gateway = ?6) "    \
	"AND (?7 IS NULL OR seen_with = ?7) AND (?8 IS NULL OR " WAITS ") "    \
	"AND (?9 IS NULL OR (" LAPSED "))"
#define DEVICE_SEEN                                                            \
	" FROM device INDEXED BY device_seen" RANGE " AND seen_with = ?7" REST
#define DEVICE_LOCKED                                                          \
	" FROM device INDEXED BY device_locked" RANGE " AND locked <> 0" REST
#define DEVICE_WAITING                                                         \
	" FROM device INDEXED BY device_waiting" RANGE " AND " WAITS REST
/* No index of windows: each device that is imported would pay for it. */
#define DEVICE_LAPSED                                                          \
	" FROM device INDEXED BY device_state" RANGE " AND " LAPSED REST
#define PAGE       " ORDER BY identity LIMIT ?5"
#define ONE_DEVICE "WHERE org = ?1 AND identity = ?2"

#define TALLY_SUM                                                              \
	"SELECT coalesce(sum(count), 0) FROM tally WHERE org = ?1 "            \
	"AND (?2 IS NULL OR state = ?2)"
#define TALLIES "SELECT type, state, seen_with, count FROM tally "
#define HOOK                                                                   \
	"id, org, url, kinds, format, secret, ca_pem, created_at, cursor, "    \
	"delivered, dropped, failure, failing_since"

static const char *const texts[SQL_COUNT] = {
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_END] = "END",
    [SQL_DATA_VERSION] = "PRAGMA data_version",
    [SQL_MARK] = "SELECT seq FROM sqlite_sequence WHERE name = 'event'",
    [SQL_ORGS] = "SELECT name, created_at FROM org ORDER BY name",
    [SQL_CAS] = "SELECT " CA_COLUMNS ", " CRL_COLUMNS CA_AND_CRL
                "ORDER BY ca.org, ca.fingerprint",
    [SQL_TYPES] = "SELECT type, org, enrol, window, id_format, id_length, "
                  "id_prefix, pin, rotate, overlap, max_devices, addresses, "
                  "privileged FROM type ORDER BY org, type",
    [SQL_RULES] = "SELECT who, org, level FROM rule ORDER BY org, who",
    [SQL_TOPICS] = "SELECT filter, org, who, access FROM topic "
                   "ORDER BY org, seq",
    [SQL_SETTINGS] = "SELECT key, org, value FROM setting ORDER BY org, key",
    [SQL_HOOKS] = "SELECT " HOOK " FROM hook ORDER BY org, id",
    [SQL_ADMINS] = "SELECT name, org, added_at FROM admin ORDER BY org, name",
    [SQL_HAS_TRIGGER] =
        "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND sql = ?1",
    [SQL_SUM] = TALLY_SUM,
    [SQL_SUM_TYPE] = TALLY_SUM " AND type = ?3",
    [SQL_GET] = "SELECT " DEVICE_SHORT DEVICE_GET,
    [SQL_GET_FULL] = "SELECT " DEVICE_FULL DEVICE_GET,
    [SQL_EVENT_BEFORE] =
        "SELECT coalesce((SELECT seq FROM event INDEXED BY event_org "
        "WHERE org = ?1 AND seq > ?2 ORDER BY seq DESC LIMIT 1 OFFSET ?3), 0)",

    [SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_HAS_ORG] = "SELECT 1 FROM org WHERE name = ?1",
    [SQL_HAS_CA] = "SELECT 1 FROM ca " ONE_CA,
    [SQL_HAS_DEVICE] = "SELECT 1 FROM device WHERE org = ?1 AND identity = ?2",
    [SQL_CA_CENSUS] = "SELECT id, fingerprint, subject FROM ca WHERE org = ?1",
    [SQL_LIMITS] =
        "SELECT coalesce((SELECT max_devices FROM type "
        "WHERE org = ?1 AND type = ?2), 0) AS max_devices, "
        "coalesce((SELECT value FROM setting "
        "WHERE org = ?1 AND key = '" SETTING_MAX_DEVICES "'), 'none') "
        "AS value",
    [SQL_GATEWAY_CENSUS] =
        "SELECT count(*) FROM device INDEXED BY device_gateway "
        "WHERE org = ?1 AND gateway = ?2",
    [SQL_HOOK_CENSUS] = "SELECT count(*) FROM hook WHERE org = ?1",
    [SQL_ADMIN_CENSUS] = "SELECT count(*) FROM admin WHERE org = ?1",
    [SQL_TOPIC_CENSUS] = "SELECT count(*) FROM topic WHERE org = ?1",
    [SQL_ORG_ADD] = "INSERT INTO org (name, created_at) VALUES (?1, ?2)",
    [SQL_ORG_REMOVE] = "DELETE FROM org WHERE name = ?1",
    [SQL_ORG_DEVICES] =
        "DELETE FROM device WHERE org = ?1 AND identity IN (SELECT identity "
        "FROM device WHERE org = ?1 LIMIT ?2)",
    [SQL_ORG_EVENTS] = "DELETE FROM event WHERE seq IN (SELECT seq FROM event "
                       "INDEXED BY event_org WHERE org = ?1 LIMIT ?2)",
    [SQL_CA_ADD] =
        "INSERT INTO ca (org, fingerprint, id, der, subject, not_before, "
        "not_after, name, description, state, scope, enrol, rate, tags, "
        "added_at, code, code_expires_at, told, crl_policy, crl_grace, "
        "crl_url, crl_failure) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
        "?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
    [SQL_CA_HAS_URL] = "SELECT 1 FROM ca " ONE_CA " AND crl_url IS ?3",
    [SQL_CA_SET] =
        "UPDATE ca SET name = ?3, description = ?4, scope = ?5, enrol = ?6, "
        "crl_policy = ?7, crl_grace = ?8, crl_url = ?9, rate = ?10, "
        "crl_failure = CASE WHEN crl_url IS ?9 THEN crl_failure END " ONE_CA,
    [SQL_CA_HAS_STATE] = "SELECT 1 FROM ca " ONE_CA " AND state = ?3",
    [SQL_CA_STATE] = "UPDATE ca SET state = ?3, code = NULL, "
                     "code_expires_at = NULL " ONE_CA
                     " AND state <> ?3 AND state <> 'unproven'",
    [SQL_CA_CODE] = "UPDATE ca SET code = ?3, code_expires_at = ?4 " ONE_CA,
    [SQL_CA_PROVE] = "UPDATE ca SET state = 'active', code = NULL, "
                     "code_expires_at = NULL " ONE_CA
                     " AND code = ?3 AND code_expires_at > ?4",
    [SQL_CA_CRL_CHECKED] =
        "UPDATE ca SET crl_failure = ?3 " ONE_CA " AND crl_failure IS NOT ?3",
    [SQL_CA_TOLD] = "UPDATE ca SET told = ?3 " ONE_CA " AND told <> ?3",
    [SQL_CA_CRL] =
        "UPDATE ca SET crl_fingerprint = ?3, crl_failure = NULL " ONE_CA,
    [SQL_CA_REMOVE] = "DELETE FROM ca " ONE_CA,
    [SQL_CRL_GET] = "SELECT ca.id, " CRL_COLUMNS CA_AND_CRL
                    "WHERE ca.org = ?1 AND ca.fingerprint = ?2",
    [SQL_CRL_SET] =
        "INSERT OR REPLACE INTO crl (org, fingerprint, crl_fingerprint, "
        "number, this_update, next_update, entries, stored_at, fetched, "
        "modified_at, told, der) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [SQL_CRL_FORGET] = "UPDATE crl SET modified_at = NULL " ONE_CA,
    [SQL_CRL_TOLD] = "UPDATE crl SET told = ?3 " ONE_CA
                     " AND crl_fingerprint = ?4 AND told <> ?3",
    [SQL_CRL_FETCHED] = "UPDATE crl SET fetched = ?3, modified_at = ?4 " ONE_CA
                        " AND crl_fingerprint = ?5 "
                        "AND (fetched <> ?3 OR modified_at IS NOT ?4)",
    [SQL_TYPE_SET] =
        "INSERT INTO type (org, type, enrol, window, id_format, id_length, "
        "id_prefix, pin, rotate, overlap, max_devices, addresses, privileged) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) "
        "ON CONFLICT DO UPDATE SET enrol = ?3, window = ?4, id_format = ?5, "
        "id_length = ?6, id_prefix = ?7, pin = ?8, rotate = ?9, "
        "overlap = ?10, max_devices = ?11, addresses = ?12, privileged = ?13",
    [SQL_TYPE_UNSET] = "DELETE FROM type WHERE org = ?1 AND type = ?2",
    [SQL_RULE_SET] = "INSERT INTO rule (org, who, level) VALUES (?1, ?2, ?3) "
                     "ON CONFLICT DO UPDATE SET level = ?3",
    [SQL_RULE_UNSET] = "DELETE FROM rule WHERE org = ?1 AND who = ?2",
    [SQL_TOPIC_ADD] = "INSERT INTO topic (org, who, access, filter) "
                      "VALUES (?1, ?2, ?3, ?4)",
    [SQL_TOPIC_REMOVE] = "DELETE FROM topic WHERE org = ?1 AND who = ?2 "
                         "AND access = ?3 AND filter = ?4",
    [SQL_SETTING_SET] =
        "INSERT INTO setting (org, key, value) VALUES (?1, ?2, ?3) "
        "ON CONFLICT DO UPDATE SET value = ?3",
    [SQL_DEVICE_ADD] =
        "INSERT INTO device (org, " DEVICE_FULL ") "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
        "?14, ?15, ?16, ?17, ?18, ?19, ?20) ON CONFLICT DO NOTHING",
    [SQL_DEVICE_PROMOTE] =
        "UPDATE device SET state = 'provisioned', provisioned_at = ?3, "
        "last_seen_at = ?4, last_address = ?5, seen_with = ?6, "
        "pins = coalesce(?7, pins), gateway = coalesce(?8, gateway), "
        "ca = ?9, fingerprint = ?10, serial = ?11, not_after = ?12, "
        "subject = ?13 "
        "WHERE org = ?1 AND identity = ?2 AND state = 'allowed'",
    [SQL_DEVICE_LOCK] = "UPDATE device SET locked = ?3 "
                        "WHERE org = ?1 AND identity = ?2 AND locked <> ?3",
    [SQL_DEVICE_APPROVE] =
        "UPDATE device SET state = 'allowed', window_ends_at = ?3, "
        "pins = coalesce(?4, pins) "
        "WHERE org = ?1 AND identity = ?2 AND state = 'pending'",
    [SQL_DEVICE_REMOVE] = "DELETE FROM device WHERE org = ?1 AND identity = ?2",
    [SQL_DEVICE_SEEN] = "UPDATE device SET last_seen_at = ?3, "
                        "last_address = ?4 " ONE_DEVICE,
    [SQL_DEVICE_SEEN_WITH] =
        "UPDATE device SET seen_with = ?3 " ONE_DEVICE " AND seen_with <> ?3",
    [SQL_DEVICE_FIRST_CERT] =
        "UPDATE device SET ca = ?3, fingerprint = ?4, serial = ?5, "
        "not_after = ?6, subject = ?7 " ONE_DEVICE " AND ca IS NULL",
    [SQL_DEVICE_TOKEN] = "UPDATE device SET token = ?3 " ONE_DEVICE
                         " AND (token IS NOT NULL OR ?3 IS NOT NULL)",
    [SQL_DEVICE_PINS] = "UPDATE device SET pins = ?3 " ONE_DEVICE
                        " AND pins IS NOT ?3 AND (?4 OR pins IS ?5)",
    [SQL_DEVICE_HAS_PINS] =
        "SELECT 1 FROM device " ONE_DEVICE " AND pins IS ?3",
    [SQL_DEVICE_PLACE] = "SELECT identity = ?2 AND state = 'allowed', "
                         "gateway IS ?3, gateway <> ?3" DEVICE_GET,
    [SQL_DEVICE_HAS_GATEWAY] =
        "SELECT 1 FROM device " ONE_DEVICE " AND gateway IS NOT ?3",
    [SQL_DEVICE_ATTACH] = "UPDATE device SET gateway = ?3 " ONE_DEVICE,
    [SQL_DEVICE_SET] =
        "UPDATE device SET tags = coalesce(?3, tags), "
        "info = coalesce(?4, info), "
        "window_ends_at = coalesce(?5, window_ends_at) " ONE_DEVICE
        " AND (?5 IS NULL OR state = 'allowed') "
        "AND (?3 <> coalesce(tags, '[]') OR ?4 <> coalesce(info, '{}') "
        "OR (?5 IS NOT NULL AND ?5 IS NOT window_ends_at))",
    [SQL_DEVICE_IS_ALLOWED] =
        "SELECT 1 FROM device " ONE_DEVICE " AND state = 'allowed'",
    [SQL_GATEWAY_DETACH] =
        "UPDATE device INDEXED BY device_gateway SET gateway = NULL "
        "WHERE org = ?1 AND gateway = ?2",
    [SQL_HOOK_ADD] =
        "INSERT INTO hook (org, id, url, kinds, format, secret, ca_pem, "
        "created_at, cursor, delivered, dropped, failure, failing_since) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [SQL_HAS_HOOK] = "SELECT 1 FROM hook WHERE org = ?1 AND id = ?2",
    [SQL_HOOK_REMOVE] = "DELETE FROM hook WHERE org = ?1 AND id = ?2",
    [SQL_HOOK_PROGRESS] =
        "UPDATE hook SET cursor = ?3, delivered = ?4, dropped = ?5, "
        "failure = ?6, failing_since = ?7 WHERE org = ?1 AND id = ?2",
    [SQL_ADMIN_ADD] =
        "INSERT INTO admin (org, name, added_at) VALUES (?1, ?2, ?3)",
    [SQL_HAS_ADMIN] = "SELECT 1 FROM admin WHERE org = ?1 AND name = ?2",
    [SQL_ADMIN_REMOVE] = "DELETE FROM admin WHERE org = ?1 AND name = ?2",
    [SQL_METRICS_SET] =
        "INSERT INTO metrics (source, written_at, body) VALUES (?1, ?2, ?3) "
        "ON CONFLICT DO UPDATE SET written_at = ?2, body = ?3",
    [SQL_METRICS_PURGE] = "DELETE FROM metrics WHERE written_at < ?1",
    [SQL_EVENTS_PURGE] =
        "DELETE FROM event WHERE seq IN (SELECT seq FROM event "
        "INDEXED BY event_time WHERE org = ?1 AND time < ?2 LIMIT ?3)",
    [SQL_EVENT_ADD] =
        "INSERT INTO event (org, time, actor, kind, subject, detail) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
};

const char *
sql_text(enum sql sql)
{
	return texts[sql];
}

const char *
sql_scan(const struct device_query *query)
{
#define SCANS(from)                                                            \
	{                                                                      \
		"SELECT " DEVICE_SHORT from PAGE,                              \
		    "SELECT " DEVICE_FULL from PAGE                            \
	}
	static const char *const by[2][2][2] = {
	    {SCANS(DEVICE_RANGE), SCANS(DEVICE_STATE)},
	    {SCANS(DEVICE_GATEWAY), SCANS(DEVICE_GATEWAY_STATE)},
	};

	static const char *const locked[2] = SCANS(DEVICE_LOCKED);
	static const char *const waiting[2] = SCANS(DEVICE_WAITING);
	static const char *const lapsed[2] = SCANS(DEVICE_LAPSED);
	static const char *const seen[2] = SCANS(DEVICE_SEEN);

	if (query->is_locked) {
		return locked[query->full];
	}
	if (query->is_waiting) {
		return waiting[query->full];
	}
	if (query->is_lapsed) {
		return lapsed[query->full];
	}
	return query->has_seen_with
	    ? seen[query->full]
	    : by[query->gateway != NULL][query->has_state][query->full];
}

const char *
sql_count(const struct device_query *query)
{
	if (query->is_locked) {
		return "SELECT count(*)" DEVICE_LOCKED;
	}
	if (query->is_waiting) {
		return "SELECT count(*)" DEVICE_WAITING;
	}
	if (query->is_lapsed) {
		return "SELECT count(*)" DEVICE_LAPSED;
	}
	if (query->has_seen_with) {
		return "SELECT count(*)" DEVICE_SEEN;
	}
	return query->has_state ? "SELECT count(*)" DEVICE_GATEWAY_STATE
	                        : "SELECT count(*)" DEVICE_GATEWAY;
}

const char *
sql_tallies(bool has_type)
{
	return has_type ? TALLIES "WHERE org = ?1 AND type = ?2 "
	                          "ORDER BY type, state, seen_with"
	                : TALLIES "WHERE org = ?1 "
	                          "ORDER BY type, state, seen_with";
}

const char *
sql_metrics(void)
{
	return "SELECT source, written_at, body FROM metrics ORDER BY source";
}

#define EVENT "SELECT seq, org, time, actor, kind, subject, detail FROM "

/* ?1 org, ?2 kind, ?3 after, ?4 since, ?5 limit */
#define EVENTS(where)                                                          \
	{                                                                      \
		EVENT "event " where "seq > ?3 AND time >= ?4 "                \
		      "ORDER BY seq LIMIT ?5",                                 \
		    EVENT "(" EVENT "event " where "seq > ?3 AND time >= ?4 "  \
		          "ORDER BY seq DESC LIMIT ?5) ORDER BY seq"           \
	}

const char *
sql_events(const struct event_query *query)
{
	static const char *const by[2][2][2] = {
	    {EVENTS("WHERE "), EVENTS("WHERE kind = ?2 AND ")},
	    {EVENTS("INDEXED BY event_org WHERE org = ?1 AND "),
	        EVENTS("INDEXED BY event_kind WHERE org = ?1 AND kind = ?2 "
	               "AND ")},
	};

	return by[query->org != NULL][query->kind != NULL][query->newest];
}
