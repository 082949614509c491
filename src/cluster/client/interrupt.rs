//! The user's wish to stop: Ctrl-C, or SIGTERM.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::error::ClusterError;

/// Whether the user wants to stop: can be asked and waited for. Clones share it.
#[derive(Clone)]
pub struct Interrupt {
    sender: Arc<watch::Sender<Option<Signal>>>,
}

/// The signal that asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Interrupt,
    Terminate,
}

impl Signal {
    /// What shells give to a process that the signal ended: 128 and the signal's number (POSIX, sh, 2.8.2).
    fn exit_code(self) -> u8 {
        match self {
            Signal::Interrupt => 130,
            Signal::Terminate => 143,
        }
    }
}

impl Interrupt {
    /// One that nothing sets off but [`Interrupt::set`].
    pub fn never() -> Interrupt {
        Interrupt {
            sender: Arc::new(watch::Sender::new(None)),
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
                let signal = tokio::select! {
                    _ = interrupt.recv() => Signal::Interrupt,
                    _ = terminate.recv() => Signal::Terminate,
                };
                if again {
                    std::process::exit(signal.exit_code().into());
                }
                set.sender.send_replace(Some(signal));
            }
        });
        Ok(shared)
    }

    /// Sets it off, as Ctrl-C does.
    pub fn set(&self) {
        self.sender.send_replace(Some(Signal::Interrupt));
    }

    /// Whether it was set off.
    pub fn is_set(&self) -> bool {
        self.sender.borrow().is_some()
    }

    /// The exit code of a process that ends because of it; `None` where it was not set off.
    pub fn exit_code(&self) -> Option<u8> {
        self.sender.borrow().map(Signal::exit_code)
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
        let _ = receiver.wait_for(Option::is_some).await;
    }
}
