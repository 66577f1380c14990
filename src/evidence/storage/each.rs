//! The same work for many objects. With a storage that is far away, several calls are under way at the same time.

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::Storage;

/// Does something for each name; gives the results in the order of the names.
pub fn each<T: Send>(storage: &dyn Storage, names: &[String], work: impl Fn(&str) -> T + Sync) -> Vec<T> {
    let threads = storage.at_once().min(names.len());
    if threads <= 1 {
        return names.iter().map(|name| work(name)).collect();
    }
    let next = AtomicUsize::new(0);
    let some = || {
        let mut done = Vec::new();
        while let Some((number, name)) = {
            let number = next.fetch_add(1, Ordering::Relaxed);
            names.get(number).map(|name| (number, name))
        } {
            done.push((number, work(name)));
        }
        done
    };
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(some)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}
