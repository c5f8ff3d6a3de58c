-- Version 2. An objection is lifted on a record that shows that the interest is lawful; this is the reference to it.

ALTER TABLE objections ADD COLUMN lifted_record TEXT;
