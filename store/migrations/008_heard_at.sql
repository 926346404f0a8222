-- When the house learned of an activation whose values came late; nothing where it was told in time. UTC without a zone.

ALTER TABLE alerts ADD COLUMN heard_at TIMESTAMP;
