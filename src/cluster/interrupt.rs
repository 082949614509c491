//! The user's wish to stop: Ctrl-C, or SIGTERM.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::ClusterError;

/// Tells whoever asks, or waits, that the user wants to stop. Clones share it.
#[derive(Clone)]
pub struct Interrupt {
    sender: Arc<watch::Sender<bool>>,
}

impl Interrupt {
    /// One that nothing sets off but [`Interrupt::set`].
    pub fn never() -> Interrupt {
        Interrupt {
            sender: Arc::new(watch::Sender::new(false)),
        }
    }

    /// One that Ctrl-C or SIGTERM sets off. A second signal ends the process at once, with the exit code that
    /// shells give to a process that SIGINT ended.
    ///
    /// # Errors
    /// Where the signals cannot be listened to.
    #[cfg(unix)]
    pub fn on_signals() -> std::io::Result<Interrupt> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let shared = Interrupt::never();
        let set = shared.clone();
        tokio::spawn(async move {
            for again in [false, true] {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if again {
                    std::process::exit(130);
                }
                set.set();
            }
        });
        Ok(shared)
    }

    /// Sets it off.
    pub fn set(&self) {
        self.sender.send_replace(true);
    }

    /// Whether it was set off.
    pub fn is_set(&self) -> bool {
        *self.sender.borrow()
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// Once it is set off, at once.
    pub async fn pause(&self, time: Duration) -> Result<(), ClusterError> {
        tokio::select! {
            () = self.wait() => Err(ClusterError::Interrupted),
            () = sleep(time) => Ok(()),
        }
    }

    /// Returns once it is set off.
    pub async fn wait(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as we do, so this cannot fail.
        let _ = receiver.wait_for(|set| *set).await;
    }
}
