-- The alert desk: what an alert remembers beyond its two facts, what is handled with it, what is told to whom, and
-- who did what. Columns of time are UTC without a zone.

ALTER TABLE alerts RENAME TO alerts_of_version_2;

CREATE TABLE alerts (
    rule VARCHAR NOT NULL,
    site_id VARCHAR NOT NULL,
    active BOOLEAN NOT NULL,
    acked BOOLEAN NOT NULL,
    latched BOOLEAN NOT NULL,
    hidden VARCHAR,
    hidden_until TIMESTAMP,
    hidden_reason VARCHAR NOT NULL,
    hidden_by VARCHAR NOT NULL,
    hidden_at TIMESTAMP,
    work_order VARCHAR NOT NULL,
    reminded_at TIMESTAMP,
    priority VARCHAR NOT NULL,
    value DOUBLE,
    seen_at TIMESTAMP,
    turning_since TIMESTAMP,
    began_at TIMESTAMP,
    raised_at TIMESTAMP,
    cleared_at TIMESTAMP,
    acked_at TIMESTAMP,
    acked_by VARCHAR NOT NULL,
    handled_at TIMESTAMP,
    assignee VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    due_at TIMESTAMP,
    escalated INTEGER NOT NULL,
    situation VARCHAR NOT NULL,
    placed_by VARCHAR NOT NULL,
    stale BOOLEAN NOT NULL
);

-- An activation that stands keeps its beginning, and an acknowledgement that stands counts as the last handling;
-- who shelved it is known from the journal.
INSERT INTO alerts BY NAME
SELECT a.*, false AS latched, coalesce(j.actor, '') AS hidden_by, j.happened_at AS hidden_at, '' AS work_order,
    a.raised_at AS began_at, a.acked_at AS handled_at, '' AS assignee, '' AS unit, 0 AS escalated, '' AS situation,
    '' AS placed_by
FROM alerts_of_version_2 a
LEFT JOIN (
    SELECT rule, site_id, arg_max(actor, entry) AS actor, arg_max(happened_at, entry) AS happened_at
    FROM journal WHERE deed = 'shelve' GROUP BY rule, site_id) j
    ON a.rule = j.rule AND a.site_id = j.site_id AND a.hidden = 'SHLVD';

DROP TABLE alerts_of_version_2;

ALTER TABLE journal ADD COLUMN detail VARCHAR DEFAULT ''; -- JSON object, or nothing

CREATE TABLE situations (
    id VARCHAR NOT NULL,
    opened_at TIMESTAMP NOT NULL,
    opened_by VARCHAR NOT NULL,
    closed_at TIMESTAMP,
    status VARCHAR NOT NULL,
    lead VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    first_out VARCHAR[], -- rule, site_id
    note VARCHAR NOT NULL
);

CREATE TABLE playbook_steps (
    rule VARCHAR NOT NULL,
    site_id VARCHAR NOT NULL,
    began_at TIMESTAMP NOT NULL, -- of the activation
    playbook VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    step INTEGER NOT NULL,
    done_at TIMESTAMP, -- NULL: unticked again
    done_by VARCHAR NOT NULL,
    note VARCHAR NOT NULL
);

CREATE TABLE switches (
    name VARCHAR NOT NULL,
    until TIMESTAMP NOT NULL,
    "by" VARCHAR NOT NULL,
    "at" TIMESTAMP NOT NULL
);

CREATE TABLE handovers (
    id VARCHAR NOT NULL,
    shift VARCHAR NOT NULL,
    made_at TIMESTAMP NOT NULL,
    made_by VARCHAR NOT NULL,
    content VARCHAR NOT NULL, -- JSON
    note VARCHAR NOT NULL,
    signed_out_at TIMESTAMP,
    signed_out_by VARCHAR NOT NULL,
    signed_in_at TIMESTAMP,
    signed_in_by VARCHAR NOT NULL
);

CREATE TABLE notices (
    id VARCHAR NOT NULL, -- made from the transition
    made_at TIMESTAMP NOT NULL,
    rule VARCHAR NOT NULL,
    site_id VARCHAR NOT NULL,
    deed VARCHAR NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    priority VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    recipient VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    payload VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    tries INTEGER NOT NULL,
    due_at TIMESTAMP,
    settled_at TIMESTAMP,
    error VARCHAR NOT NULL
);

-- Append-only: no statement of this house updates a row. Number and hash of the newest row stand in `settings` too.
CREATE TABLE audit (
    entry BIGINT NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    account VARCHAR NOT NULL,
    account_type VARCHAR NOT NULL,
    session VARCHAR NOT NULL,
    source_address VARCHAR NOT NULL,
    source_port INTEGER,
    action VARCHAR NOT NULL,
    object VARCHAR NOT NULL,
    result VARCHAR NOT NULL,
    "before" VARCHAR NOT NULL,
    "after" VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    previous_hash VARCHAR NOT NULL, -- of the entry before
    hash VARCHAR NOT NULL -- of this entry with previous_hash, SHA-256: docs/store.md
);
