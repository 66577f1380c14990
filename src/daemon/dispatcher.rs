//! Delivers one notification of the outbox.

use super::{Count, Daemon};
use crate::{
    notify::{
        dispatch::{self, Dispatched},
        email,
    },
    store::queue::{Outgoing, Sent},
};

impl Daemon {
    pub(super) async fn dispatch(&self, mut outgoing: Outgoing) {
        let setup = self.setup();
        let evidence = setup.vault.as_ref().map(|vault| &*vault.storage);
        let dispatched = dispatch::dispatch(&*self.store, evidence, &setup.channels, &self.clock, &mut outgoing).await;
        let notification = &outgoing.notification;
        let run = notification.subject.run().map(tracing::field::display);
        let (channel, kind, to) = (&notification.channel, &notification.kind, &notification.address);
        // Only e-mails have kinds in the metrics: those of other channels could be mistaken for them.
        let counted = if channel == email::NAME { kind } else { channel };
        let count = |outcome| self.count(Count::Message { kind: counted.clone(), outcome });
        match dispatched {
            Ok(Dispatched { outcome: Sent::Accepted, .. }) => {
                tracing::info!(run, channel, kind, to, "a message was accepted");
                count("accepted");
            }
            Ok(Dispatched { outcome: Sent::Again(not_before), answer }) => {
                tracing::warn!(run, channel, kind, to, answer, %not_before, "a message was not accepted; it will be retried");
                count("retried");
            }
            Ok(Dispatched { outcome: Sent::GivenUp, answer }) => {
                tracing::error!(run, channel, kind, to, answer, "a message was not accepted; giving up");
                count("rejected");
            }
            // It is claimed again when the lease ends, and sent again with the same Message-ID.
            Err(error) => {
                tracing::error!(run, channel, kind, to, %error, "the result of a delivery could not be stored");
            }
        }
        self.wake.notify_one();
    }
}
