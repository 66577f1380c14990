//! How long to wait before the next try. Pure: headers, the number of the try and a random number in, a time out.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;

/// A `ratelimit-reset` beyond this is not a number of seconds but a Unix time.
const EPOCH_GUARD: u64 = 1_000_000_000;

/// How long the server asks to wait, if it does: [`retry_after`], else `ratelimit-reset` (seconds from now; an epoch is
/// recognised). Only for an answer that refuses a call because there were too many: any other answer may carry
/// `ratelimit-reset`, too.
pub(in crate::connector) fn asked(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    retry_after(headers, now).or_else(|| reset(headers, now))
}

/// `Retry-After` (RFC 9110 §10.2.3, seconds or a date). The answer's own `Date` is the clock that a date is measured by, so
/// that a wrong clock here does no harm.
pub(in crate::connector) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let now = text("date").and_then(http_date).unwrap_or(now);
    let until = |time: DateTime<Utc>| (time - now).to_std().unwrap_or(Duration::ZERO);
    let value = text("retry-after")?;
    seconds(value).or_else(|| http_date(value).map(until))
}

/// A number of seconds, also with a fraction, and longer than any clock counts: such a wish is not passed over.
fn seconds(text: &str) -> Option<Duration> {
    let is_number = text.starts_with(|first: char| first.is_ascii_digit())
        && text.chars().all(|character| character.is_ascii_digit() || character == '.');
    let seconds: f64 = is_number.then(|| text.parse().ok())??;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// When the limit is lifted, as `ratelimit-reset` says: seconds from now; an epoch is recognised.
pub(in crate::connector) fn reset(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let now = text("date").and_then(http_date).unwrap_or(now);
    let seconds: u64 = text("ratelimit-reset")?.parse().ok()?;
    if seconds < EPOCH_GUARD {
        return Some(Duration::from_secs(seconds));
    }
    let lifted = DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)?;
    Some((lifted - now).to_std().unwrap_or(Duration::ZERO))
}

/// Exponential backoff with full jitter: a random part of `base` doubled with each try, at most `cap`.
/// `random` is in `0.0..1.0`; `attempt` is 1 after the first try.
pub(in crate::connector) fn backoff(base: Duration, cap: Duration, attempt: u32, random: f64) -> Duration {
    let longest = base.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1).min(20))).min(cap);
    longest.mul_f64(random.clamp(0.0, 1.0))
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|time| time.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    type Headers = &'static [(&'static str, &'static str)];

    #[test]
    fn the_server_s_wish_is_read_in_every_published_form() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let date = "Mon, 21 Sep 2026 15:13:20 GMT";
        let cases: [(Headers, Option<u64>); 14] = [
            (&[], None),
            (&[("retry-after", "7")], Some(7)),
            (&[("retry-after", "0")], Some(0)),
            (&[("retry-after", "86400.0")], Some(86_400)),
            (&[("retry-after", "-1"), ("ratelimit-reset", "4")], Some(4)),
            (&[("retry-after", "Mon, 21 Sep 2026 15:13:50 GMT"), ("date", "Mon, 21 Sep 2026 15:13:20 GMT")], Some(30)),
            (&[("retry-after", "Mon, 21 Sep 2026 15:13:10 GMT"), ("date", "Mon, 21 Sep 2026 15:13:20 GMT")], Some(0)),
            (&[("ratelimit-reset", "60")], Some(60)),
            (&[("retry-after", "90"), ("ratelimit-reset", "60")], Some(90)),
            (&[("ratelimit-reset", "1790000005"), ("date", "Mon, 21 Sep 2026 13:33:20 GMT")], None),
            (&[("retry-after", "5"), ("ratelimit-reset", "17")], Some(5)),
            (&[("ratelimit-reset", "1795438817"), ("date", "Mon, 23 Nov 2026 13:00:00 GMT")], Some(17)),
            (&[("ratelimit-limit", "110;w=10"), ("ratelimit-remaining", "0"), ("ratelimit-reset", "60")], Some(60)),
            (&[("retry-after", "soon"), ("ratelimit-reset", "4")], Some(4)),
        ];
        assert!(http_date(date).is_some());
        for (pairs, seconds) in cases {
            let waited = asked(&headers(pairs), now);
            if pairs.iter().any(|(_, value)| *value == "1790000005") {
                assert!(waited.unwrap() < Duration::from_hours(3), "{waited:?}");
            } else {
                assert_eq!(waited, seconds.map(Duration::from_secs), "{pairs:?}");
            }
        }
    }

    #[test]
    fn a_wish_with_a_fraction_or_beyond_any_clock_is_a_wish() {
        let asked = |value| asked(&headers(&[("retry-after", value)]), DateTime::UNIX_EPOCH);
        assert_eq!(asked("86400.25"), Some(Duration::from_millis(86_400_250)));
        assert_eq!(asked("1000000000000000000000"), Some(Duration::MAX));
        assert_eq!(asked("1.2.3"), None);
    }

    #[test]
    fn backoff_doubles_up_to_its_cap_and_stays_within_it() {
        let second = Duration::from_secs(1);
        assert_eq!(backoff(second, second * 60, 1, 1.0), second);
        assert_eq!(backoff(second, second * 60, 4, 1.0), second * 8);
        assert_eq!(backoff(second, second * 60, 4, 0.5), second * 4);
        assert_eq!(backoff(second, second * 60, 4_000, 1.0), second * 60);
    }
}
