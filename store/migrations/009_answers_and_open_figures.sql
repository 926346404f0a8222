-- What people answered to the criteria of «Lộ trình», version by version, and the open figures of each closed period as
-- they were published: both are only added to. Columns of time are UTC without a zone.

CREATE TABLE maturity_answers (
    criterion VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    answer VARCHAR NOT NULL,
    document VARCHAR NOT NULL,
    link VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    "day" DATE NOT NULL,
    restores INTEGER,
    deed VARCHAR NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    changed_by VARCHAR NOT NULL
);

CREATE TABLE open_figures (
    since TIMESTAMP NOT NULL,
    until TIMESTAMP NOT NULL,
    made_at TIMESTAMP NOT NULL,
    body VARCHAR NOT NULL
);
