-- Merging costs the engine as much a row as writing it did. A merge of few parts is soon
-- merged again; of ten at once, a row is merged about once each time that the table
-- grows tenfold. What one INSERT brings is one file (a compact part), not forty, until it is merged.
ALTER TABLE raw_events MODIFY SETTING min_parts_to_merge_at_once = 10, min_bytes_for_wide_part = 134217728;
