-- The complete audits of a workspace in the order of their reads, whatever their job: who had access on a day.
CREATE INDEX audit_read ON audit (workspace, finished_at) WHERE complete = 1;
