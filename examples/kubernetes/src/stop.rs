//! The wish that the replica leave.

use tokio::sync::watch;

/// Held by whoever may ask; asked when this says so, or is dropped.
pub type Asker = watch::Sender<bool>;

/// The other end, for the driver.
#[derive(Debug)]
pub struct Stop {
    asked: watch::Receiver<bool>,
    told: bool,
}

/// Both ends.
#[must_use]
pub fn channel() -> (Asker, Stop) {
    let (sender, asked) = watch::channel(false);
    (sender, Stop { asked, told: false })
}

impl Stop {
    /// Waits until the replica is asked to leave; from then on for ever, since the driver knows.
    pub(crate) async fn asked_first(&mut self) {
        if self.told {
            std::future::pending::<()>().await;
        }
        let _ = self.asked.wait_for(|asked| *asked).await; // nobody is left to ask: the process ends
        self.told = true;
    }
}
