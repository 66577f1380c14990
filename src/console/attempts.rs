//! How often a client may try to sign in, and a person may ask for a link.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
};

use chrono::{DateTime, TimeDelta, Utc};

/// The span of time in which attempts are counted.
const SPAN: TimeDelta = TimeDelta::minutes(5);
/// The most clients that are remembered.
const CLIENTS: usize = 4_096;

/// Counts attempts by client.
#[derive(Debug)]
pub(super) struct Attempts<K> {
    most: u32,
    counted: BTreeMap<K, (DateTime<Utc>, u32)>,
}

impl<K: Ord + Clone> Attempts<K> {
    /// Allows each client so many attempts in one span of time.
    pub(super) fn at_most(most: u32) -> Self {
        Self { most, counted: BTreeMap::new() }
    }

    /// Counts an attempt. `Err` with the time to wait if there were too many.
    pub(super) fn count(&mut self, client: K, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        let Self { most, counted } = self;
        if !counted.contains_key(&client) && counted.len() >= CLIENTS {
            counted.retain(|_, (since, _)| now - *since < SPAN);
            let oldest = counted.iter().min_by_key(|(_, (since, _))| *since).map(|(client, _)| client.clone());
            if let Some(oldest) = oldest.filter(|_| counted.len() >= CLIENTS) {
                counted.remove(&oldest);
            }
        }
        let (since, count) = counted.entry(client).or_insert((now, 0));
        // A clock that was set back begins a new span, too.
        if !(TimeDelta::zero()..SPAN).contains(&(now - *since)) {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        if *count > *most { Err(SPAN - (now - *since)) } else { Ok(()) }
    }
}

/// One client has many addresses of IPv6: all with the same first half.
pub(super) fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    const MOST: u32 = 30;

    fn ip(text: &str) -> IpAddr {
        network(text.parse().unwrap())
    }

    #[test]
    fn a_client_waits_after_too_many_attempts_and_others_do_not() {
        let mut attempts = Attempts::at_most(MOST);
        for _ in 0..MOST {
            assert_eq!(attempts.count(ip("2001:db8::1"), at(0)), Ok(()));
        }
        assert_eq!(attempts.count(ip("2001:db8::2"), at(60)), Err(TimeDelta::seconds(240)));
        assert_eq!(attempts.count(ip("2001:db8:0:1::2"), at(60)), Ok(()));
        assert_eq!(attempts.count(ip("10.0.0.1"), at(60)), Ok(()));
        assert_eq!(attempts.count(ip("2001:db8::1"), at(300)), Ok(()));
    }

    #[test]
    fn no_number_of_clients_takes_more_room_and_a_clock_that_was_set_back_locks_nobody_out() {
        let mut attempts = Attempts::at_most(MOST);
        for number in 0..10_000_u32 {
            assert_eq!(attempts.count(IpAddr::V4(number.into()), at(i64::from(number) / 100)), Ok(()));
        }
        assert!(attempts.counted.len() <= CLIENTS);
        for _ in 0..MOST {
            assert_eq!(attempts.count(ip("10.0.0.1"), at(5_000)), Ok(()));
        }
        assert_eq!(attempts.count(ip("10.0.0.1"), at(0)), Ok(()));
    }
}
