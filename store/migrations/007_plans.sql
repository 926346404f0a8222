-- Tasks, decisions and numbers of plans, as people wrote them: versions are added, nothing is ever overwritten. Columns
-- of time are UTC without a zone.

CREATE TABLE plan_tasks (
    task VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    title VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    due DATE,
    state VARCHAR NOT NULL,
    needs VARCHAR[] NOT NULL,
    about VARCHAR NOT NULL,
    decision VARCHAR NOT NULL,
    area VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    deed VARCHAR NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    changed_by VARCHAR NOT NULL
);

CREATE TABLE decisions (
    id VARCHAR NOT NULL,
    made_at TIMESTAMP NOT NULL,
    made_by VARCHAR NOT NULL,
    page VARCHAR NOT NULL,
    link VARCHAR NOT NULL,
    snapshot INTEGER NOT NULL,
    seen_at TIMESTAMP NOT NULL,
    seen VARCHAR NOT NULL,
    "text" VARCHAR NOT NULL,
    indicator VARCHAR NOT NULL,
    site_id VARCHAR NOT NULL,
    "value" DOUBLE,
    usual_low DOUBLE,
    usual_middle DOUBLE,
    usual_high DOUBLE,
    task VARCHAR NOT NULL,
    area VARCHAR NOT NULL
);

CREATE TABLE plan_numbers (
    target VARCHAR NOT NULL,
    "day" DATE NOT NULL,
    "value" DOUBLE NOT NULL,
    n INTEGER,
    source VARCHAR NOT NULL,
    entered_at TIMESTAMP NOT NULL,
    entered_by VARCHAR NOT NULL
);
