//! Reviews by people on a schedule, at a time that the test sets: opened, reminded of, overdue.

use super::*;
use crate::{
    ledger::Fact,
    mail::{
        smtp::SmtpMailer,
        testing::{parse, settings_for},
    },
    review::{
        assign::{Choice, Rule},
        event::{RemediationDays, Scope},
        open::Terms,
        person::Address,
        state::Summary,
    },
};
use rolecall_simulator::InboxFault;

/// A bench with evidence and a review that is opened on Sundays at 13:00 UTC.
pub(super) async fn bench() -> Bench {
    let bench = Bench::new(Missed::Latest).await;
    let address = |name: &str| Address::of(&format!("{name}@example.com"));
    let rule = Rule {
        workspace: None,
        role: None,
        profile: None,
        department: None,
        reviewer: Choice::Person(address("reviewer")),
        alternate: None,
    };
    let terms = Terms {
        name: "quarterly".to_owned(),
        job: "weekly".to_owned(),
        scope: Scope::All,
        due_days: 14,
        owner: address("owner"),
        reviewers: vec![rule],
        four_eyes: false,
        remediation_days: RemediationDays::default(),
        escalate_to: Some(address("cto")),
    };
    let schedule = Schedule::parse("0 13 * * SUN", chrono_tz::Tz::UTC, time(SUNDAY)).unwrap();
    {
        let mut setup = bench.daemon.setup.write().unwrap();
        let setup = Arc::get_mut(&mut setup).unwrap();
        let (configuration, agent) = (String::new(), "rolecall (a test)".to_owned());
        let storage = Arc::new(Folder::new(bench.folder.path().join("bags")));
        setup.vault = Some(Vault {
            storage,
            keep_days: None,
            key: None,
            timestamps: None,
            configuration: Configuration::new(configuration, BTreeMap::new()),
            agent,
        });
        setup.reviews = [("quarterly".to_owned(), Review { terms, schedule: Some(schedule) })].into();
    }
    bench.daemon.forget();
    bench.at("2026-03-01T12:00:01Z").await;
    bench
}

impl Bench {
    pub(super) async fn reviews(&self) -> Vec<Summary> {
        self.daemon.store.reviews(9).await.unwrap()
    }

    /// What the server has accepted about the review since the last call, as `kind to`.
    fn said(&self) -> Vec<String> {
        let mut mails = std::mem::take(&mut *self.post.accepted.lock().unwrap());
        mails.retain(|mail| !mail.to.starts_with("security@"));
        let mut said: Vec<String> = mails
            .iter()
            .map(|mail| {
                let subject = parse(&mail.bytes).header("Subject").unwrap().to_owned();
                let word = ["OVERDUE", "Reminder", "is open", "is closed", "decide about"];
                let word = word.into_iter().find(|word| subject.contains(word)).unwrap_or("?");
                format!("{word} {}", mail.to.split('@').next().unwrap())
            })
            .collect();
        said.sort();
        said
    }

    async fn kinds(&self) -> Vec<IncidentKind> {
        let mut incidents = self.daemon.health().await.unwrap().incidents;
        incidents.retain(|incident| incident.kind != IncidentKind::Undelivered);
        incidents.into_iter().map(|incident| incident.kind).collect()
    }
}

#[tokio::test]
async fn a_review_is_opened_when_it_can_be_and_said_until_it_is_overdue() {
    let bench = bench().await;
    for moment in ["2026-03-01T13:00:00Z", "2026-03-01T13:00:01Z", "2026-03-01T13:20:00Z"] {
        bench.at(moment).await;
    }
    assert!(bench.reviews().await.is_empty(), "there is no audit yet");
    assert_eq!(bench.kinds().await, [IncidentKind::ReviewNotOpened]);
    let detail = bench.daemon.health().await.unwrap().incidents[0].detail.clone();
    assert!(detail.contains("the job weekly has no complete audit yet; run"), "{detail}");
    let told = |facts: &[Fact]| facts.iter().filter(|fact| matches!(fact, Fact::ReviewNotOpened { .. })).count();
    assert_eq!(told(&bench.facts().await), 1, "each reason once");

    bench.at(WEEK_1).await;
    bench.at("2026-03-02T07:01:30Z").await;
    let opened = bench.reviews().await;
    assert_eq!((opened.len(), opened[0].fire_at), (1, Some(time("2026-03-01T13:00:00Z"))));
    assert_eq!(bench.kinds().await, []);
    assert_eq!(bench.said(), ["decide about reviewer", "is open owner"]);
    let pulse = bench.daemon.reviews().await.unwrap().remove(0);
    assert_eq!((pulse.open, pulse.overdue, pulse.undecided), (1, 0, u64::from(opened[0].items)));
    assert_eq!(pulse.next, Some(time("2026-03-08T13:00:00Z")));

    // The next one is due, and this one is under way.
    for moment in ["2026-03-08T13:00:00Z", "2026-03-08T13:00:01Z", "2026-03-08T13:20:00Z"] {
        bench.at(moment).await;
    }
    assert_eq!(bench.kinds().await, [IncidentKind::ReviewNotOpened]);
    assert_eq!(bench.reviews().await.len(), 1);
    bench.at(WEEK_2).await;
    assert_eq!(bench.said(), [""; 0]);
    bench.at("2026-03-09T07:01:30Z").await;
    assert_eq!(bench.said(), ["Reminder reviewer"]);
    bench.at("2026-03-15T07:01:30Z").await;
    assert_eq!(bench.said(), ["Reminder reviewer"]);
    bench.at("2026-03-16T07:01:31Z").await;
    assert_eq!(bench.said(), ["OVERDUE cto", "OVERDUE owner", "OVERDUE reviewer"]);
    assert!(bench.kinds().await.contains(&IncidentKind::ReviewOverdue));
    let pulse = bench.daemon.reviews().await.unwrap().remove(0);
    assert_eq!((pulse.overdue, pulse.overdue_items), (1, u64::from(opened[0].items)));
    // The next report of the job says it.
    bench.at("2026-03-23T07:00:00Z").await;
    let accepted = std::mem::take(&mut *bench.post.accepted.lock().unwrap());
    let report = accepted.iter().find(|mail| mail.to.starts_with("security@")).unwrap();
    let text = parse(&report.bytes).parts[0].1.clone();
    assert!(text.contains("a review by people is overdue"), "{text}");
}

#[tokio::test]
async fn of_scheduled_times_that_no_daemon_saw_only_the_latest_is_opened() {
    let bench = bench().await;
    bench.at("2026-03-17T12:00:00Z").await;
    bench.at("2026-03-17T12:01:30Z").await;
    let opened = bench.reviews().await;
    assert_eq!((opened.len(), opened[0].fire_at), (1, Some(time("2026-03-15T13:00:00Z"))));
    let skipped = bench.facts().await.into_iter().find_map(|fact| match fact {
        Fact::ReviewSkipped { name, first, last, count, .. } => Some((name, first, last, count)),
        _ => None,
    });
    let expected = ("quarterly".to_owned(), time("2026-03-01T13:00:00Z"), time("2026-03-08T13:00:00Z"), 2);
    assert_eq!(skipped, Some(expected));
    bench.at("2026-03-18T12:00:00Z").await;
    assert_eq!(bench.reviews().await.len(), 1);
}

impl Bench {
    /// From now on, mail goes to the simulated inbox over SMTP, or to a port on which nobody listens.
    fn posts(&self, is_away: bool) {
        let mut settings = settings_for(self.simulator.inbox());
        if is_away {
            let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            settings.port = closed.local_addr().unwrap().port();
        }
        let mut setup = self.daemon.setup.write().unwrap();
        let setup = Arc::get_mut(&mut setup).unwrap();
        setup.channels = Channels::default().with(EmailChannel::new(SmtpMailer::new(settings)));
    }

    /// The messages about a review in the inbox, as `subject to`.
    fn inbox(&self) -> Vec<String> {
        let messages = self.simulator.inbox().messages();
        let mails = messages.iter().map(|message| parse(&message.bytes));
        let of_reviews = mails.filter(|mail| {
            let subject = mail.header("Subject").unwrap();
            subject.contains("uarterly") && !mail.header("To").unwrap().starts_with("security@")
        });
        let mut said: Vec<String> = of_reviews
            .map(|mail| {
                let subject = mail.header("Subject").unwrap();
                let words = ["NOT DELIVERED", "decide about", "is open", "Reminder", "OVERDUE", "is cancelled"];
                let word = words.into_iter().find(|word| subject.contains(word)).unwrap_or(subject);
                format!("{word} {}", mail.header("To").unwrap().split('@').next().unwrap())
            })
            .collect();
        said.sort();
        said
    }

    /// What `/readyz` says of messages about reviews that were not delivered.
    async fn undelivered(&self) -> Vec<String> {
        let mut incidents = self.daemon.health().await.unwrap().incidents;
        incidents.retain(|one| one.kind == IncidentKind::Undelivered && one.detail.starts_with("review "));
        let mut details: Vec<String> =
            incidents.into_iter().map(|incident| incident.detail.split(": ").next().unwrap().to_owned()).collect();
        details.sort();
        details
    }
}

const INVITATION: &str = "review quarterly, invitation to reviewer@example.com";
const OPENED: &str = "review quarterly, opened to owner@example.com";

#[tokio::test]
async fn what_a_mail_server_did_not_take_arrives_later_and_once() {
    let bench = bench().await;
    bench.at("2026-03-01T13:00:00Z").await;
    bench.posts(true);
    bench.at(WEEK_1).await;
    bench.at("2026-03-02T07:01:30Z").await;
    assert_eq!(bench.reviews().await.len(), 1);
    assert_eq!((bench.inbox(), bench.undelivered().await), (vec![], vec![]), "it may be there in a minute");
    bench.at("2026-03-02T07:30:00Z").await;
    assert_eq!(bench.undelivered().await, [INVITATION, OPENED]);
    // The next report says it, too.
    let before = bench.daemon.store.incidents_before("weekly", "acme", time("2026-03-02T07:30:00Z")).await.unwrap();
    assert!(before.iter().any(|incident| incident.detail.starts_with(INVITATION)), "{before:?}");

    bench.posts(false);
    bench.simulator.inbox().set_fault(Some(InboxFault::RecipientDeferred));
    bench.at("2026-03-02T09:00:00Z").await;
    assert_eq!((bench.inbox(), bench.undelivered().await.len()), (vec![], 2));
    bench.simulator.inbox().set_fault(None);
    for moment in ["2026-03-02T11:00:00Z", "2026-03-02T12:30:00Z", "2026-03-03T07:00:00Z"] {
        bench.at(moment).await;
        assert_eq!(bench.inbox(), ["decide about reviewer", "is open owner"]);
    }
    assert!(bench.undelivered().await.is_empty());
}

#[tokio::test]
async fn what_a_mail_server_refuses_is_said_until_somebody_knows() {
    let bench = bench().await;
    bench.at("2026-03-01T13:00:00Z").await;
    bench.posts(false);
    bench.simulator.inbox().set_fault(Some(InboxFault::RecipientRefused));
    bench.at(WEEK_1).await;
    bench.at("2026-03-02T07:01:30Z").await;
    bench.at("2026-03-02T07:30:00Z").await;
    let notice = "review quarterly, undelivered to owner@example.com";
    assert_eq!(bench.undelivered().await, [INVITATION, OPENED, notice]);
    bench.simulator.inbox().set_fault(None);
    bench.at("2026-03-09T07:01:30Z").await;
    assert_eq!(bench.inbox(), ["Reminder reviewer"]);
    assert_eq!(bench.undelivered().await, [OPENED, notice], "the owner has got nothing since");
    bench.at("2026-03-16T07:01:31Z").await;
    assert_eq!(bench.inbox(), ["OVERDUE cto", "OVERDUE owner", "OVERDUE reviewer", "Reminder reviewer"]);
    assert!(bench.undelivered().await.is_empty());
}
