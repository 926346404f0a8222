-- Files that units delivered, version by version: nothing here is ever overwritten. Columns of time are UTC without a
-- zone. The values of the newest version stand among the observations, with the source form_<form>.

CREATE TABLE deliveries (
    form VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    period_end TIMESTAMP NOT NULL,
    version INTEGER NOT NULL,
    file_name VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL, -- of body
    file_bytes INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    delivered_at TIMESTAMP NOT NULL,
    delivered_by VARCHAR NOT NULL,
    account VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    body BLOB NOT NULL
);
