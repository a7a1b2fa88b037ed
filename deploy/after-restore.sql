-- After a backup was restored: no number that the lost shop has given out since is given to somebody else.
--
-- Tokens, links and messages that are still about name people and orders by number. Counters move on by more than can
-- have been given out since; this may run more than once.
DO $$
DECLARE
    counter record;
BEGIN
    FOR counter IN
        SELECT format('%I.%I', schemaname, sequencename) AS name, coalesce(last_value, start_value) AS given, max_value
        FROM pg_sequences WHERE schemaname = 'public'
    LOOP
        IF counter.given + 1000000 < counter.max_value THEN
            PERFORM setval(counter.name, counter.given + 1000000);
        END IF;
    END LOOP;
END
$$;
