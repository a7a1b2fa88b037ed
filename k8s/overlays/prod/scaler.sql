-- The user as whom KEDA counts what waits, once for each database: it sees no more than scaling.yaml asks for, and no
-- customer. Give it a password afterwards: \password scaler
CREATE ROLE scaler LOGIN CONNECTION LIMIT 10;
ALTER ROLE scaler SET statement_timeout = '5s';
GRANT SELECT (status, process_at) ON orders TO scaler;
GRANT SELECT (channel, priority, status, next_attempt_at) ON notifications TO scaler;
GRANT SELECT (name, paused_until) ON channels TO scaler;
GRANT SELECT (status) ON product_imports TO scaler;
