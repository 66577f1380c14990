-- Nothing that a run, the list of runs, the health or the metrics read may walk the history: each question is answered
-- from an index. Copies of what never changes stand where an index needs them.

-- The fire time of the run that an audit belongs to; NULL for an audit on demand. `has_snapshot` is 0 once its parts are
-- deleted.
ALTER TABLE audit ADD COLUMN fire_at BIGINT;
ALTER TABLE audit ADD COLUMN has_snapshot BIGINT NOT NULL DEFAULT 1 CHECK (has_snapshot IN (0, 1));

-- No job has an empty name, so that it stands for an audit without a job here.
CREATE INDEX audit_last_complete ON audit (workspace, COALESCE(job, ''), kept) WHERE complete = 1;
CREATE INDEX audit_outcome ON audit (job, workspace, complete, fire_at) WHERE fire_at IS NOT NULL;
CREATE INDEX audit_snapshot ON audit (finished_at) WHERE has_snapshot = 1;
CREATE INDEX audit_by_bag ON audit (bag_folder) WHERE bag_folder IS NOT NULL;

CREATE INDEX run_by_time ON run (fire_at, id);
CREATE INDEX run_of_fire_time ON run (job, fire_at, workspace);
CREATE INDEX run_unfinished ON run (job, workspace, fire_at) WHERE state IN ('due', 'claimed', 'read', 'judged');
CREATE INDEX run_done ON run (job, workspace, fire_at) WHERE state IN ('recorded', 'delivered', 'closed');
CREATE INDEX run_failed ON run (job, workspace, fire_at) WHERE state = 'failed';

CREATE INDEX gap_by_time ON gap (first_at, id);
CREATE INDEX gap_of_job ON gap (job, last_at);

-- The run's job, workspace and fire time; NULL for a notification about no run.
ALTER TABLE notification ADD COLUMN job TEXT COLLATE "C";
ALTER TABLE notification ADD COLUMN workspace TEXT COLLATE "C";
ALTER TABLE notification ADD COLUMN fire_at BIGINT;

-- Written to find out whether anything can be written.
CREATE TABLE probe (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    at BIGINT NOT NULL
);

CREATE INDEX notification_settled ON notification (job, workspace, address, fire_at)
    WHERE run IS NOT NULL AND state <> 'waiting';
CREATE INDEX notification_received ON notification (job, workspace, fire_at) WHERE kind = 'report' AND state = 'accepted';
CREATE INDEX notification_trouble ON notification (job, workspace, fire_at)
    WHERE run IS NOT NULL AND state <> 'accepted' AND answer IS NOT NULL;
CREATE INDEX notification_kept ON notification (fire_at) WHERE state = 'rejected' AND length(body) > 0;
