-- What screens read: small tables that every write keeps right, so that no screen scans history.

CREATE TABLE latest (
    series_id INTEGER NOT NULL,
    time TIMESTAMP NOT NULL,
    value DOUBLE NOT NULL,
    quality quality_word NOT NULL,
    received_at TIMESTAMP NOT NULL
);

INSERT INTO latest
SELECT series_id, max(time), arg_max(value, time), arg_max(quality, time), arg_max(received_at, time)
FROM observations
WHERE quality IN ('pass', 'not_evaluated') AND value IS NOT NULL
GROUP BY series_id;

-- Filled when the store is opened, because the hours of the city depend on its time zone (see `settings`).
CREATE TABLE area_hourly (
    observed_property VARCHAR NOT NULL,
    area VARCHAR NOT NULL,
    hour TIMESTAMP NOT NULL, -- END of the hour of the city, in UTC
    total DOUBLE NOT NULL,
    n BIGINT NOT NULL,
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL
);

CREATE TABLE usual_band (
    site_id VARCHAR NOT NULL,
    observed_property VARCHAR NOT NULL,
    hour_of_week INTEGER NOT NULL, -- 0 = Monday 00:00-01:00 city time
    low DOUBLE NOT NULL,
    middle DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    n BIGINT NOT NULL
);

CREATE TABLE settings (
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);
