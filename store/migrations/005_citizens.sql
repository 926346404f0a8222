-- What citizens say of services, and how this dashboard itself is used. No column here could hold who somebody is:
-- an answer knows the hour, a view the day and the role. Columns of time are UTC without a zone.

CREATE TABLE survey_links (
    key_id VARCHAR NOT NULL,
    service VARCHAR NOT NULL,
    office VARCHAR NOT NULL,
    channel VARCHAR NOT NULL, -- phone | counter
    issued_on TIMESTAMP NOT NULL,
    made_by VARCHAR NOT NULL,
    revoked_at TIMESTAMP,
    revoked_by VARCHAR NOT NULL
);

CREATE TABLE survey_answers (
    answered_at TIMESTAMP NOT NULL, -- the full hour before the answer
    service VARCHAR NOT NULL,
    office VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    points INTEGER NOT NULL, -- 1 … 5
    reason VARCHAR NOT NULL, -- without phone numbers, addresses, numbers of papers and plates
    key_id VARCHAR NOT NULL
);

-- Ratings as counts, as a portal or an office reported them; the newest import of a period, service and office counts.
CREATE TABLE rating_counts (
    period_first DATE NOT NULL,
    period_end TIMESTAMP NOT NULL,
    service VARCHAR NOT NULL,
    office VARCHAR NOT NULL,
    n1 INTEGER NOT NULL,
    n2 INTEGER NOT NULL,
    n3 INTEGER NOT NULL,
    n4 INTEGER NOT NULL,
    n5 INTEGER NOT NULL,
    asked INTEGER NOT NULL, -- 0: nobody wrote it down
    file_name VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    imported_at TIMESTAMP NOT NULL,
    imported_by VARCHAR NOT NULL,
    account VARCHAR NOT NULL
);

-- One row per day of the city, what was seen, and by which role. `kind`: page, wall (a screen), indicator.
CREATE TABLE usage_days (
    day DATE NOT NULL,
    kind VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    n INTEGER NOT NULL, -- times opened
    sessions INTEGER NOT NULL, -- of at least 30 s (VH-06)
    seconds DOUBLE NOT NULL
);
