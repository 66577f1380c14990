//! What the workspaces of one process have in common: HTTP clients, and, where they have the same credential, everything that
//! the vendor limits for that credential.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use secrecy::{ExposeSecret as _, SecretString};

use crate::digest::sha256;

/// Things in common, each for as long as a connector uses it.
#[derive(Clone, Default)]
pub struct Commons {
    things: Arc<Mutex<HashMap<Name, Weak<dyn Any + Send + Sync>>>>,
    replicas: Replicas,
}

/// How many processes on several machines make calls with the same credentials.
#[derive(Debug, Clone, Default)]
pub(in crate::connector) struct Replicas(Arc<AtomicUsize>);

impl Replicas {
    pub(in crate::connector) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed).max(1)
    }
}

/// The type and the name of a thing.
type Name = (TypeId, String);

impl fmt::Debug for Commons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Commons")
    }
}

/// The name of a credential in memory, which does not give it away.
pub(in crate::connector) fn name_of(public: &[&str], secrets: &[&SecretString]) -> String {
    let secrets = secrets.iter().map(|secret| secret.expose_secret());
    sha256(public.iter().copied().chain(secrets).collect::<Vec<_>>().join("\n").as_bytes())
}

impl Commons {
    /// So many processes, this one included, make calls with the same credentials now.
    pub fn share_with(&self, replicas: usize) {
        self.replicas.0.store(replicas, Ordering::Relaxed);
    }

    pub(in crate::connector) fn replicas(&self) -> Replicas {
        self.replicas.clone()
    }

    /// The thing of a name that others use already, or a new one.
    ///
    /// # Errors
    /// Those of `make`.
    pub(in crate::connector) fn shared<T: Any + Send + Sync, E>(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let mut held = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (TypeId::of::<T>(), name.to_owned());
        let found = held.get(&key).and_then(Weak::upgrade).and_then(|thing| thing.downcast::<T>().ok());
        if let Some(found) = found {
            return Ok(found);
        }
        let new = Arc::new(make()?);
        // What nobody uses any more is left out now and then.
        if held.len().is_power_of_two() {
            held.retain(|_, thing| thing.strong_count() > 0);
        }
        let thing: Arc<dyn Any + Send + Sync> = Arc::clone(&new) as _;
        held.insert(key, Arc::downgrade(&thing));
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn a_thing_is_shared_by_name_and_kind_while_somebody_uses_it() {
        let commons = Commons::default();
        let number = |name: &str, number: u32| *commons.shared(name, || Ok::<_, Infallible>(number)).unwrap();
        let one = commons.shared("a", || Ok::<_, Infallible>(1_u32)).unwrap();
        assert_eq!((number("a", 2), number("b", 3), *one), (1, 3, 1));
        assert_eq!(*commons.shared("a", || Ok::<_, Infallible>("text")).unwrap(), "text");
        drop(one);
        assert_eq!(number("a", 4), 4);
    }

    #[test]
    fn a_name_holds_no_secret() {
        let secret = SecretString::from("s3cret");
        let name = name_of(&["https://api.example.com"], &[&secret]);
        assert!(!name.contains("s3cret"));
        assert_ne!(name, name_of(&["https://api.example.com"], &[&"other".into()]));
    }
}
