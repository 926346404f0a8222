-- Single files and citizen reports, under pseudonyms: case_id is a keyed hash, coordinates are rounded to 100 m, and no
-- column can hold a name or a text. Columns of time are UTC without a zone. The key of the pseudonyms is made here and
-- never leaves the file.

CREATE TABLE cases (
    case_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL, -- file | report
    category VARCHAR NOT NULL,
    agency VARCHAR NOT NULL,
    ward VARCHAR NOT NULL,
    latitude DOUBLE,
    longitude DOUBLE,
    channel VARCHAR NOT NULL,
    received_at TIMESTAMP NOT NULL,
    acknowledged_at TIMESTAMP,
    assigned_to VARCHAR NOT NULL,
    assigned_at TIMESTAMP,
    due_at TIMESTAMP,
    resolved_at TIMESTAMP,
    closed_at TIMESTAMP,
    reopened_count BIGINT NOT NULL,
    rating DOUBLE,
    source VARCHAR NOT NULL,
    changed_at TIMESTAMP NOT NULL
);

-- «Nhắc đơn vị»: whom a person reminded of files that may run late, so that the effect of the warning can be measured.
CREATE TABLE case_reminders (
    agency VARCHAR NOT NULL,
    category VARCHAR NOT NULL,
    reminded_at TIMESTAMP NOT NULL,
    account VARCHAR NOT NULL
);

INSERT INTO settings SELECT 'case_key', replace(gen_random_uuid()::VARCHAR || gen_random_uuid()::VARCHAR, '-', '');
