-- What was told to the house and what it did about it. Columns of time are UTC without a zone: a plain TIMESTAMP
-- needs no ICU library and reads the same on every machine.

CREATE TYPE quality_word AS ENUM ('pass', 'not_evaluated', 'suspect', 'fail', 'missing');

CREATE TABLE series (
    series_id INTEGER NOT NULL,
    site_id VARCHAR NOT NULL,
    observed_property VARCHAR NOT NULL,
    source VARCHAR NOT NULL
);

-- No primary key: on 50 million rows it made a batch 3 to 10 times slower. The one writer keeps (series_id, time)
-- unique, and verify() proves it.
CREATE TABLE observations (
    series_id INTEGER NOT NULL,
    time TIMESTAMP NOT NULL, -- END of the averaging period
    value DOUBLE, -- unit of the catalogue; NULL where nothing was measured
    quality quality_word NOT NULL,
    received_at TIMESTAMP NOT NULL
);

CREATE TABLE revisions (
    series_id INTEGER NOT NULL,
    time TIMESTAMP NOT NULL,
    value DOUBLE,
    quality quality_word NOT NULL,
    received_at TIMESTAMP NOT NULL,
    superseded_at TIMESTAMP NOT NULL -- known from received_at until just before this moment
);

CREATE TABLE set_aside (
    time TIMESTAMP, -- everything may be absent or wrong here: that is why the row is here
    site_id VARCHAR,
    observed_property VARCHAR,
    value DOUBLE,
    quality VARCHAR,
    source VARCHAR,
    reason VARCHAR NOT NULL,
    received_at TIMESTAMP NOT NULL
);

CREATE TABLE sites (
    site_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    name_vi VARCHAR NOT NULL,
    name_en VARCHAR NOT NULL,
    area VARCHAR NOT NULL, -- '' where a site belongs to no area
    latitude DOUBLE,
    longitude DOUBLE,
    attributes VARCHAR NOT NULL -- JSON object: length_km, alarm_1_m …
);

CREATE TABLE areas (
    code VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    name_vi VARCHAR NOT NULL,
    name_en VARCHAR NOT NULL,
    parent VARCHAR NOT NULL,
    population DOUBLE,
    latitude DOUBLE,
    longitude DOUBLE,
    attributes VARCHAR NOT NULL
);

CREATE TABLE sources (
    source VARCHAR NOT NULL,
    connector VARCHAR NOT NULL,
    name_vi VARCHAR NOT NULL,
    name_en VARCHAR NOT NULL,
    owner VARCHAR NOT NULL,
    contact VARCHAR NOT NULL,
    every_s BIGINT NOT NULL,
    enabled BOOLEAN NOT NULL
);

CREATE TABLE properties (
    observed_property VARCHAR NOT NULL,
    code VARCHAR NOT NULL, -- '' for what a source reports, the code of the catalogue for what the house computes
    domain VARCHAR NOT NULL,
    name_vi VARCHAR NOT NULL,
    name_en VARCHAR NOT NULL,
    unit VARCHAR NOT NULL, -- UCUM
    direction VARCHAR NOT NULL,
    aggregation VARCHAR NOT NULL,
    period_s BIGINT NOT NULL,
    stale_after_s BIGINT NOT NULL,
    formula VARCHAR NOT NULL,
    reference VARCHAR NOT NULL
);

CREATE TABLE alerts (
    rule VARCHAR NOT NULL,
    site_id VARCHAR NOT NULL,
    active BOOLEAN NOT NULL,
    acked BOOLEAN NOT NULL,
    hidden VARCHAR,
    hidden_until TIMESTAMP,
    hidden_reason VARCHAR NOT NULL,
    priority VARCHAR NOT NULL,
    value DOUBLE,
    seen_at TIMESTAMP,
    turning_since TIMESTAMP,
    raised_at TIMESTAMP,
    cleared_at TIMESTAMP,
    acked_at TIMESTAMP,
    acked_by VARCHAR NOT NULL,
    stale BOOLEAN NOT NULL
);

CREATE TABLE journal (
    entry BIGINT NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    rule VARCHAR NOT NULL,
    site_id VARCHAR NOT NULL,
    state_before VARCHAR NOT NULL,
    state_after VARCHAR NOT NULL,
    priority VARCHAR NOT NULL,
    value DOUBLE,
    actor VARCHAR NOT NULL,
    deed VARCHAR NOT NULL,
    reason VARCHAR NOT NULL
);
