//! The threads on which the simulator runs, and their end.

use std::{
    io,
    net::TcpListener,
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use axum::Router;
use tokio::sync::oneshot;

use super::inbox::Inbox;

/// How long answers that are being computed may take to end; nothing in the simulator blocks longer.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// A runtime of its own in a thread of its own.
///
/// The end of a runtime takes every connection with it, also those that stall or never end, which a
/// graceful shutdown would wait for.
#[derive(Debug)]
pub(super) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(api: TcpListener, router: Router, smtp: TcpListener, inbox: Inbox) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("simulator")
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let (started, ready) = mpsc::channel();
        let thread = thread::Builder::new().name("simulator".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let listeners = (|| {
                    io::Result::Ok((tokio::net::TcpListener::from_std(api)?, tokio::net::TcpListener::from_std(smtp)?))
                })();
                match listeners {
                    Ok((api, smtp)) => {
                        tokio::spawn(async move { axum::serve(api, router).await });
                        tokio::spawn(inbox.serve(smtp));
                        // If the starter is gone, nothing waits for this, and `stop` is gone too.
                        let _ = started.send(Ok(()));
                        let _ = stopped.await;
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                    }
                }
            });
            runtime.shutdown_timeout(SHUTDOWN);
        })?;
        ready.recv().map_err(io::Error::other)??;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    pub(super) async fn stop(mut self) {
        let thread = self.request_stop();
        // Joining blocks, though only for a moment: not on a thread that has other tasks to run.
        let _ = tokio::task::spawn_blocking(move || thread.map(JoinHandle::join)).await;
    }

    fn request_stop(&mut self) -> Option<JoinHandle<()>> {
        drop(self.stop.take());
        self.thread.take()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(thread) = self.request_stop() {
            // A panic in there was reported when it happened.
            let _ = thread.join();
        }
    }
}
