//! The coverage as one page: a calendar that shows gaps at a glance, then each gap with its reason.

use askama::Template;
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};

use super::{Coverage, Question, Review, ReviewRow, Row, State, moment};
use crate::{
    ledger::Head,
    words::{count, counted, number},
};

/// Rows that the page shows; the table has all of them.
const MOST_ROWS: usize = 600;
/// Rows that were not on time and that the page explains.
const MOST_EXPLAINED: usize = 300;

#[derive(Template)]
#[template(path = "evidence/coverage.html")]
struct Page<'a> {
    version: &'static str,
    from: String,
    to: String,
    made: String,
    ledger: String,
    verdict: String,
    tone: &'static str,
    counts: Vec<(State, usize)>,
    remarks: &'a [String],
    calendars: Vec<Calendar>,
    explained: Vec<Line>,
    more_explained: usize,
    rows: Vec<Line>,
    more_rows: usize,
    reviews: Vec<ReviewLine>,
    more_reviews: usize,
}

/// A review by people.
struct ReviewLine {
    class: &'static str,
    sign: &'static str,
    state: &'static str,
    name: String,
    due: String,
    reason: String,
    closed: String,
    accounts: String,
    bag: String,
}

/// One job and workspace: its months.
struct Calendar {
    title: String,
    summary: String,
    months: Vec<Month>,
}

struct Month {
    name: String,
    days: Vec<Option<Day>>,
}

/// A day with reviews: the worst of them.
struct Day {
    class: &'static str,
    sign: &'static str,
    words: String,
}

struct Line {
    class: &'static str,
    sign: &'static str,
    state: &'static str,
    /// The beginning of the reason; empty if the reason is short enough to be shown whole.
    summary: String,
    job: String,
    workspace: String,
    due: String,
    reason: String,
    recorded: String,
    users: String,
    bag: String,
    delivered: String,
    delivered_at: String,
}

/// Characters of a reason that the page shows; a longer one is folded.
const REASON: usize = 100;

/// The beginning of a long reason, up to a whole word; empty if it is short.
fn summary(reason: &str) -> String {
    let Some((end, _)) = reason.char_indices().nth(REASON) else { return String::new() };
    let start = reason[..end].rsplit_once(' ').map_or(&reason[..end], |(start, _)| start);
    format!("{start} …")
}

/// Renders the page. `head` is the last entry of the ledger that it is derived from.
///
/// # Errors
/// If the template cannot be rendered, which is a defect of rolecall.
pub fn page(coverage: &Coverage, question: &Question<'_>, head: &Head) -> Result<String, askama::Error> {
    let gaps = coverage.gaps().count();
    let due = coverage.due();
    let (tone, verdict) = match (gaps, due) {
        (_, 0) => ("review", "No review was due in this period.".to_owned()),
        (0, _) => ("clear", format!("{} No gaps.", rate(coverage))),
        (gaps, _) => ("act", format!("{} {}.", rate(coverage), counted(gaps, "gap", "gaps"))),
    };
    let is_explained = |row: &&Row| row.state.is_gap() || matches!(row.state, State::Late | State::MadeUp);
    let explained: Vec<&Row> = coverage.rows.iter().filter(is_explained).collect();
    let page = Page {
        version: env!("CARGO_PKG_VERSION"),
        from: question.from.format("%Y-%m-%d").to_string(),
        to: (question.to - chrono::Duration::nanoseconds(1)).format("%Y-%m-%d").to_string(),
        made: moment(question.now),
        ledger: head.to_string(),
        verdict,
        tone,
        counts: coverage.counts(),
        remarks: &coverage.remarks,
        calendars: calendars(coverage),
        more_explained: explained.len().saturating_sub(MOST_EXPLAINED),
        explained: explained.into_iter().take(MOST_EXPLAINED).map(line).collect(),
        more_rows: coverage.rows.len().saturating_sub(MOST_ROWS),
        rows: coverage.rows.iter().take(MOST_ROWS).map(line).collect(),
        reviews: coverage.reviews.iter().take(MOST_ROWS).map(review_line).collect(),
        more_reviews: coverage.reviews.len().saturating_sub(MOST_ROWS),
    };
    page.render()
}

/// `41 of 46 scheduled reviews were covered, 89 %.` What is not due yet is counted apart. The share is rounded down: all
/// is said of all only.
fn rate(coverage: &Coverage) -> String {
    let pending = coverage.rows.iter().filter(|row| row.state == State::Pending).count();
    let due = coverage.due() - pending;
    let covered = due - coverage.gaps().count();
    let covered = match covered * 100 {
        _ if due == 0 => String::new(),
        all => format!(
            "{} of {} covered, {} %.",
            number(covered),
            counted(due, "scheduled review was", "scheduled reviews were"),
            all / due
        ),
    };
    match pending {
        0 => covered,
        pending => {
            format!("{covered} {} pending.", counted(pending, "review is", "reviews are")).trim_start().to_owned()
        }
    }
}

fn reviews(due: usize) -> String {
    count(due, "due review")
}

fn calendars(coverage: &Coverage) -> Vec<Calendar> {
    let is_same = |a: &Row, b: &Row| (&a.job, &a.workspace) == (&b.job, &b.workspace);
    let mut calendars = Vec::new();
    for rows in coverage.rows.chunk_by(is_same) {
        let scheduled: Vec<&Row> = rows.iter().filter(|row| row.state != State::ByHand).collect();
        let Some(first) = scheduled.first().copied().or(rows.first()) else { continue };
        let gaps = scheduled.iter().filter(|row| row.state.is_gap()).count();
        calendars.push(Calendar {
            title: format!("{} · {}", first.job.as_deref().unwrap_or("on demand"), first.workspace),
            summary: if scheduled.is_empty() {
                format!("{}; days in {}", counted(rows.len(), "audit on demand", "audits on demand"), first.zone)
            } else {
                format!("{}, {}; days in {}", reviews(scheduled.len()), count(gaps, "gap"), first.zone)
            },
            months: months(rows),
        });
    }
    calendars
}

fn months(rows: &[Row]) -> Vec<Month> {
    let day = |row: &Row| row.fire_at.with_timezone(&row.zone).date_naive();
    let mut months: Vec<Month> = Vec::new();
    let mut last: Option<NaiveDate> = None;
    for rows in rows.chunk_by(|a, b| day(a) == day(b)) {
        let Some(first) = rows.first() else { continue };
        let date = day(first);
        // Months without a review are there too: they show what was not scheduled.
        let mut begin = last.map_or(date.with_day(1), |last| {
            last.with_day(1).and_then(|day| day.checked_add_months(chrono::Months::new(1)))
        });
        while let Some(month) = begin.filter(|month| *month <= date) {
            if last.is_none_or(|last| month > last) {
                months.push(Month { name: month.format("%b %Y").to_string(), days: empty(month) });
            }
            begin = month.checked_add_months(chrono::Months::new(1));
        }
        last = Some(date);
        let worst = rows.iter().map(|row| row.state).max().unwrap_or(State::OnTime);
        let count =
            if rows.len() == 1 { String::new() } else { format!(", the worst of {}", count(rows.len(), "review")) };
        let words = format!("{date}: {worst}{count}");
        if let Some(place) = months.last_mut().and_then(|month| month.days.get_mut(date.day0() as usize)) {
            let (class, sign) = look(worst);
            *place = Some(Day { class, sign, words });
        }
    }
    months
}

fn empty(month: NaiveDate) -> Vec<Option<Day>> {
    (0..u32::from(month.num_days_in_month())).map(|_| None).collect()
}

/// The class of a state's colour, and its sign, so that colour is never the only difference.
fn look(state: State) -> (&'static str, &'static str) {
    match state {
        State::OnTime => ("good", "✓"),
        State::ByHand => ("hand", "+"),
        State::Pending => ("hand", "…"),
        State::MadeUp => ("hand", "↻"),
        State::Late => ("late", "◷"),
        State::Undelivered => ("bad", "✉"),
        State::Unproven => ("bad", "?"),
        State::Incomplete => ("bad", "!"),
        State::Missing => ("bad", "✕"),
    }
}

fn line(row: &Row) -> Line {
    let (class, sign) = look(row.state);
    let review = row.review.as_ref();
    let local = row.fire_at.with_timezone(&row.zone);
    let minute = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M").to_string();
    Line {
        class,
        sign,
        state: row.state.label(),
        job: row.job.clone().unwrap_or_else(|| "none".to_owned()),
        workspace: row.workspace.clone(),
        due: local.format("%a %Y-%m-%d %H:%M %Z").to_string(),
        summary: summary(&row.reason),
        reason: row.reason.clone(),
        recorded: review.map_or_else(|| "never".to_owned(), |review| minute(review.recorded_at)),
        users: review.map(|review| review.users.to_string()).unwrap_or_default(),
        bag: bags(row),
        delivered: review.map(|review| review.recipients().collect::<Vec<_>>().join(", ")).unwrap_or_default(),
        delivered_at: review.and_then(Review::delivered_at).map(minute).unwrap_or_default(),
    }
}

fn review_line(row: &ReviewRow) -> ReviewLine {
    let (class, sign) = look(row.state);
    let course = row.course.as_ref();
    let closed = course.and_then(|course| course.closed_at);
    ReviewLine {
        class,
        sign,
        state: row.state.label(),
        name: row.name.clone(),
        due: row.fire_at.with_timezone(&row.zone).format("%a %Y-%m-%d %H:%M %Z").to_string(),
        reason: row.reason.clone(),
        closed: closed.map(|at| at.format("%Y-%m-%d %H:%M").to_string()).unwrap_or_default(),
        accounts: course.map(|course| course.items.to_string()).unwrap_or_default(),
        bag: course.and_then(|course| course.bag.as_ref()).map(|bag| bag.folder.clone()).unwrap_or_default(),
    }
}

/// The bag of a review, then those of attempts that failed.
fn bags(row: &Row) -> String {
    let review = row.review.as_ref().and_then(|review| review.bag.as_ref());
    let failed = row.failures.iter().map(|bag| format!("{} (failed attempt)", bag.folder));
    review.map(|bag| bag.folder.clone()).into_iter().chain(failed).collect::<Vec<_>>().join(", ")
}
