/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "registry/sqlite_private.h"

/* What a decision needs; the long texts come last in the table, so that
 * reading these touches no overflow page. */
#define DEVICE_SHORT                                                           \
	"identity, state, locked, created_at, provisioned_at, "                \
	"last_seen_at, window_ends_at, last_address, ca, fingerprint, "        \
	"serial, not_after"
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
	"ca.enrol, ca.tags, ca.added_at, ca.code, ca.code_expires_at, "        \
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
#define PAGE " ORDER BY identity LIMIT ?5"

static const char *const texts[SQL_COUNT] = {
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_END] = "END",
    [SQL_DATA_VERSION] = "PRAGMA data_version",
    [SQL_MARK] = "SELECT seq FROM sqlite_sequence WHERE name = 'event'",
    [SQL_ORGS] = "SELECT name, created_at FROM org ORDER BY name",
    [SQL_CAS] = "SELECT " CA_COLUMNS ", " CRL_COLUMNS CA_AND_CRL
                "ORDER BY ca.org, ca.fingerprint",
    [SQL_TYPES] = "SELECT type, org, enrol, window, id_format, id_length, "
                  "id_prefix FROM type ORDER BY org, type",
    [SQL_RULES] = "SELECT who, org, level FROM rule ORDER BY org, who",
    [SQL_TOPICS] = "SELECT filter, org, who, access FROM topic "
                   "ORDER BY org, seq",
    [SQL_SETTINGS] = "SELECT key, org, value FROM setting ORDER BY org, key",
    [SQL_GET] = "SELECT " DEVICE_SHORT DEVICE_GET,
    [SQL_GET_FULL] = "SELECT " DEVICE_FULL DEVICE_GET,

    [SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_HAS_ORG] = "SELECT 1 FROM org WHERE name = ?1",
    [SQL_HAS_CA] = "SELECT 1 FROM ca " ONE_CA,
    [SQL_HAS_DEVICE] = "SELECT 1 FROM device WHERE org = ?1 AND identity = ?2",
    [SQL_CA_CENSUS] = "SELECT id, fingerprint, subject FROM ca WHERE org = ?1",
    [SQL_TOPIC_CENSUS] = "SELECT count(*) FROM topic WHERE org = ?1",
    [SQL_ORG_ADD] = "INSERT INTO org (name, created_at) VALUES (?1, ?2)",
    [SQL_ORG_REMOVE] = "DELETE FROM org WHERE name = ?1",
    [SQL_CA_ADD] =
        "INSERT INTO ca (org, fingerprint, id, der, subject, not_before, "
        "not_after, name, description, state, scope, enrol, tags, added_at, "
        "code, code_expires_at, told, crl_policy, crl_grace, crl_url, "
        "crl_failure) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
        "?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    [SQL_CA_HAS_URL] = "SELECT 1 FROM ca " ONE_CA " AND crl_url IS ?3",
    [SQL_CA_SET] =
        "UPDATE ca SET name = ?3, description = ?4, scope = ?5, enrol = ?6, "
        "crl_policy = ?7, crl_grace = ?8, crl_url = ?9, "
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
        "id_prefix) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
        "ON CONFLICT DO UPDATE SET enrol = ?3, window = ?4, id_format = ?5, "
        "id_length = ?6, id_prefix = ?7",
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
        "?14, ?15, ?16) ON CONFLICT DO NOTHING",
    [SQL_DEVICE_PROMOTE] =
        "UPDATE device SET state = 'provisioned', provisioned_at = ?3, "
        "last_seen_at = ?4, last_address = ?5, ca = ?6, fingerprint = ?7, "
        "serial = ?8, not_after = ?9, subject = ?10 "
        "WHERE org = ?1 AND identity = ?2 AND state = 'allowed'",
    [SQL_DEVICE_LOCK] = "UPDATE device SET locked = ?3 "
                        "WHERE org = ?1 AND identity = ?2 AND locked <> ?3",
    [SQL_DEVICE_APPROVE] =
        "UPDATE device SET state = 'allowed', window_ends_at = ?3 "
        "WHERE org = ?1 AND identity = ?2 AND state = 'pending'",
    [SQL_DEVICE_REMOVE] = "DELETE FROM device WHERE org = ?1 AND identity = ?2",
    [SQL_DEVICE_SEEN] =
        "UPDATE device SET last_seen_at = ?3, last_address = ?4 "
        "WHERE org = ?1 AND identity = ?2",
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
sql_scan(bool has_state, bool full)
{
	if (has_state) {
		return full ? "SELECT " DEVICE_FULL DEVICE_STATE PAGE
		            : "SELECT " DEVICE_SHORT DEVICE_STATE PAGE;
	}
	return full ? "SELECT " DEVICE_FULL DEVICE_RANGE PAGE
	            : "SELECT " DEVICE_SHORT DEVICE_RANGE PAGE;
}

const char *
sql_count(bool has_state)
{
	return has_state ? "SELECT count(*)" DEVICE_STATE
	                 : "SELECT count(*)" DEVICE_RANGE;
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
