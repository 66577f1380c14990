//! Sends one message of the outbox.

use super::{Count, Daemon};
use crate::{
    notify::dispatch::{self, Dispatched},
    store::queue::{Outgoing, Sent},
};

impl Daemon {
    pub(super) async fn dispatch(&self, mut message: Outgoing) {
        let setup = self.setup();
        let evidence = setup.vault.as_ref().map(|vault| vault.bags.as_path());
        let mailer = setup.mailer.as_deref();
        let dispatched = dispatch::dispatch(&*self.store, evidence, mailer, &self.clock, &mut message).await;
        let (run, kind, to) = (message.run, &message.message.kind, &message.message.recipient);
        match dispatched {
            Ok(Dispatched { outcome: Sent::Accepted, .. }) => {
                tracing::info!(%run, kind, to, "a message was accepted");
                self.count(Count::Message { kind: kind.clone(), outcome: "accepted" });
            }
            Ok(Dispatched { outcome: Sent::Again(not_before), answer }) => {
                tracing::warn!(%run, kind, to, answer, %not_before, "a message was not accepted and is sent again");
                self.count(Count::Message { kind: kind.clone(), outcome: "retried" });
            }
            Ok(Dispatched { outcome: Sent::GivenUp, answer }) => {
                tracing::error!(%run, kind, to, answer, "a message was not accepted and is given up");
                self.count(Count::Message { kind: kind.clone(), outcome: "rejected" });
            }
            // It is taken out again when the lease ends, and sent again with the same Message-ID.
            Err(error) => tracing::error!(%run, kind, to, %error, "what came of a message could not be stored"),
        }
        self.bell.notify_one();
    }
}
