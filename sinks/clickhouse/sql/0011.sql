-- As for raw_events: a merge of ten parts or more costs less than two of five. The head of
-- a chain brings a part with each block.
ALTER TABLE raw_blocks MODIFY SETTING min_parts_to_merge_at_once = 10;
ALTER TABLE raw_transactions MODIFY SETTING min_parts_to_merge_at_once = 10;
