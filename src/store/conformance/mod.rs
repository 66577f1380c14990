//! What every store must do, whatever it keeps its data in. An adapter implements [`Home`] for its tests and runs the whole
//! suite with one line: `conformance::suite!(MyHome);`.

mod atomic;
mod audits;
mod facts;
mod outbox;
mod reviews;
mod runs;
mod sessions;
mod together;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

pub(crate) use self::{atomic::*, audits::*, facts::*, outbox::*, reviews::*, runs::*, sessions::*, together::*};
use super::{
    AuditRecord, Database, Kept, Store as _, StoreError,
    history::{History as _, ReadCursor},
    ledger::Ledger as _,
    queue::{Cursor, Decided, Outgoing, Queue as _},
    together::Together as _,
};
use crate::{
    ledger::{Entry, Fact},
    model::{
        change::Past,
        notification::{Notification, Subject},
        run::{Claim, RunState},
    },
};

/// Where the databases of one adapter live.
pub(crate) trait Home: Sized {
    /// The adapter.
    type Store: Database;

    /// A place for one database, which is new and empty.
    async fn new() -> Self;

    /// Opens the database, as another process would.
    async fn open(&self) -> Self::Store;

    /// Makes every commit of this store fail, or succeed again.
    async fn refuse_commits(store: &Self::Store, refuse: bool);
}

/// Runs every test of the suite against the adapter behind a [`Home`].
macro_rules! suite {
    ($home:ty) => {
        $crate::store::conformance::suite! { $home:
            the_last_complete_audit_of_the_same_job_and_workspace_is_read_back_whole,
            the_past_is_the_last_complete_audits_in_their_order,
            complete_audits_are_walked_backwards_in_the_order_of_keeping,
            reads_are_in_the_order_of_time_and_of_audits_that_end_together,
            an_audit_is_kept_once,
            old_snapshots_are_pruned_but_never_the_one_to_compare_with,
            a_fire_time_is_one_run_for_each_workspace_however_often_it_is_decided,
            decisions_on_an_old_cursor_are_not_stored,
            decisions_that_follow_one_another_are_stored_together,
            the_backlog_is_what_waits_and_what_is_worked_on,
            runs_of_one_workspace_follow_one_another_and_workspaces_run_side_by_side,
            a_run_whose_worker_died_is_claimed_again_and_the_dead_worker_can_write_no_more,
            a_released_run_waits_and_keeps_its_error,
            a_clock_that_was_set_back_holds_nothing_up,
            a_failed_run_can_be_retried_from_the_beginning,
            two_processes_at_once_do_everything_once,
            an_audit_on_demand_is_a_run_of_its_own_and_two_of_them_do_not_overlap,
            every_attempt_is_on_record_with_how_it_ended,
            a_run_is_delivered_with_its_last_message_and_a_rejected_recipient_holds_nobody_up,
            a_message_whose_sender_died_is_taken_out_again_as_it_was,
            a_run_that_is_given_up_is_failed_and_its_notice_is_sent,
            a_rejected_message_can_be_sent_again_and_an_accepted_one_is_not_kept,
            a_message_is_in_the_outbox_once,
            a_notification_of_any_subject_and_channel_is_taken_out_as_it_was_put_in,
            a_newer_ping_replaces_one_that_still_waits,
            a_run_is_closed_once_and_its_pings_come_with_that,
            runs_that_are_reported_together_share_one_message_and_its_fate,
            a_fire_time_is_combined_once_and_a_run_that_ends_later_is_told_so,
            a_share_that_comes_while_the_message_is_written_stops_it,
            a_message_that_nobody_wants_delivers_its_runs_at_once,
            runs_on_demand_of_several_workspaces_begin_at_one_moment_or_not_at_all,
            each_write_makes_its_facts,
            a_delivery_is_on_record_when_it_has_ended_and_only_for_messages_of_runs,
            facts_that_say_nothing_new_are_not_appended,
            a_cut_of_the_ledgers_file_is_recorded_by_one_process,
            schedules_are_published_when_they_are_new_changed_or_gone,
            only_one_removal_begins_in_one_place,
            the_ledger_is_a_chain_that_every_process_extends,
            a_review_is_read_back_as_it_was_and_every_event_is_in_the_ledger,
            a_review_that_changed_meanwhile_is_not_changed,
            one_review_of_a_name_is_under_way,
            a_message_about_a_review_that_did_not_arrive_is_an_incident_until_somebody_knows,
            a_spreadsheet_is_kept_as_it_came_once_for_each_signer,
            a_scheduled_time_of_a_review_is_decided_once_and_due_until_there_is_one,
            what_is_said_about_a_review_is_said_once_and_until_something_happens,
            a_session_is_read_back_until_it_is_too_old_or_not_used,
            a_session_ends_when_it_is_replaced_ended_or_one_of_too_many,
            a_link_begins_one_session_in_its_time_and_none_if_that_fails,
            links_are_known_for_a_while_after_they_expired_and_deleted_then_or_if_they_are_too_many,
            a_write_whose_commit_fails_changes_nothing,
            a_write_that_is_refused_halfway_changes_nothing,
        }
    };
    ($home:ty: $($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                Box::pin($crate::store::conformance::$name::<$home>()).await;
            }
        )*
    };
}
pub(crate) use suite;

const LEASE: Duration = Duration::seconds(60);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn cursor(seconds: i64) -> Cursor {
    Cursor { schedule: "* * * * * UTC".into(), at: at(seconds) }
}

/// A complete audit that ended at a second.
pub(super) fn record(workspace: &str, job: Option<&str>, second: i64) -> AuditRecord {
    AuditRecord {
        id: Uuid::now_v7(),
        job: job.map(str::to_owned),
        workspace: workspace.to_owned(),
        started_at: at(second - 5),
        finished_at: at(second),
        complete: true,
        users: 3,
        administrators: 1,
        open_findings: 2,
        by_severity: Some([0, 1, 1, 0, 0]),
        bag: None,
        no_mail_reason: None,
        policy_changes: Vec::new(),
    }
}

/// The audit of a claimed run.
fn kept(claim: &Claim) -> Kept {
    let run = &claim.run;
    let record = AuditRecord { id: run.id, finished_at: run.fire_at, ..record(&run.workspace, Some(&run.job), 0) };
    Kept { record, parts: vec![vec![1]] }
}

/// An e-mail about a claimed run.
fn message(claim: &Claim, recipient: &str) -> Notification {
    Notification {
        subject: Subject::Run(claim.run.id),
        channel: "email".into(),
        kind: "report".into(),
        about: String::new(),
        address: recipient.into(),
        sender: Some("audit@example.com".into()),
        message_id: Some(format!("<{recipient}>")),
        bytes: b"Subject: x\r\n\r\n".to_vec(),
    }
}

/// A ping about a fire time.
fn ping(fire_at: i64, kind: &str) -> Notification {
    Notification {
        subject: Subject::FireTime { job: "weekly".into(), at: at(fire_at) },
        channel: "heartbeat".into(),
        kind: kind.into(),
        about: String::new(),
        address: "weekly".into(),
        sender: None,
        message_id: None,
        bytes: Vec::new(),
    }
}

fn is_lost<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, StoreError::Lost { .. }), "{error}");
}

/// One database, opened once.
struct Bench<H: Home> {
    store: H::Store,
    home: H,
}

impl<H: Home> Bench<H> {
    async fn new() -> Self {
        let home = H::new().await;
        Self { store: home.open().await, home }
    }

    /// Decides that fire times are due, for two workspaces.
    async fn due(&self, fire_at: &[i64]) {
        let from = self.store.cursor("weekly").await.unwrap();
        let due: Vec<_> = fire_at.iter().map(|seconds| at(*seconds)).collect();
        let decided = Decided {
            job: "weekly",
            workspaces: &["acme".into(), "beta".into()],
            due: &due,
            gap: None,
            from: from.as_ref(),
            to: &cursor(*fire_at.last().unwrap()),
            now: at(0),
        };
        assert_eq!(self.store.decide(&[decided]).await.unwrap(), [true]);
    }

    async fn begin(&self) -> Claim {
        self.store.begin("weekly", "acme", at(0), LEASE).await.unwrap()
    }

    async fn claim(&self, now: i64) -> Option<Claim> {
        self.store.claim(at(now), LEASE).await.unwrap()
    }

    /// Claims a run and says which.
    async fn claimed(&self, now: i64) -> Option<(String, i64)> {
        self.claim(now).await.map(|claim| (claim.run.workspace, (claim.run.fire_at - at(0)).num_seconds()))
    }

    async fn take(&self, now: i64) -> Option<Outgoing> {
        self.store.take_message(None, at(now), LEASE).await.unwrap()
    }

    async fn states(&self) -> Vec<RunState> {
        self.store.runs(100).await.unwrap().into_iter().map(|run| run.state).collect()
    }

    /// The facts of the ledger after its first entry, which opens it.
    async fn facts(&self) -> Vec<Fact> {
        let lines = self.store.entries(1, 1_000).await.unwrap();
        lines.iter().map(|line| serde_json::from_str::<Entry>(&line.text).unwrap().fact).collect()
    }
}
