//! Waiting for what no task says: some things become so a while after the task that made them has succeeded.

use std::future::Future;

use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    client::Client,
    customization::CustomizationStatus,
    error::{Effect, Error, ErrorKind, Result},
    ids::{NetworkId, VappId, VmId},
    networks::{Network, NetworkStatus},
    task::{WaitOptions, jittered},
    vapps::Vapp,
};

impl Client {
    /// Waits until a vApp is made and no task holds it: its tasks may have ended before its status says so **\[iss\]**.
    ///
    /// # Errors
    /// [`ErrorKind::TaskFailed`] where its creation failed, [`ErrorKind::Timeout`] where the deadline passed.
    pub async fn vapp_wait(&self, id: VappId, options: WaitOptions) -> Result<Vapp> {
        until("the vApp to be made", options, async || {
            let vapp = self.vapp(id).await?;
            match vapp.status {
                -1 => Err(failed(format!("the creation of the vApp {} failed", vapp.name))),
                _ => Ok(vapp.is_ready().then_some(vapp)),
            }
        })
        .await
    }

    /// Waits until a network is realized: it may be configured for a while after its task has succeeded **\[inf\]**.
    ///
    /// # Errors
    /// [`ErrorKind::TaskFailed`] where it could not be realized, [`ErrorKind::Timeout`] where the deadline passed.
    pub async fn network_wait(&self, id: NetworkId, options: WaitOptions) -> Result<Network> {
        until("the network to be realized", options, async || {
            let network = self.network(id).await?;
            match network.status {
                NetworkStatus::Realized => Ok(Some(network)),
                NetworkStatus::Failed => {
                    Err(failed(format!("the network {} could not be realized", network.name)))
                }
                _ => Ok(None),
            }
        })
        .await
    }

    /// Waits until a guest has customized itself. One without tools never says that it has **\[inf\]**.
    ///
    /// # Errors
    /// [`ErrorKind::TaskFailed`] where it failed, [`ErrorKind::Timeout`] where the deadline passed.
    pub async fn vm_customization_wait(&self, id: VmId, options: WaitOptions) -> Result<()> {
        until("the guest to be customized", options, async || {
            match self.vm_customization_status(id).await? {
                CustomizationStatus::Complete => Ok(Some(())),
                CustomizationStatus::Failed => Err(failed("the customization of the guest failed")),
                CustomizationStatus::Pending => Ok(None),
            }
        })
        .await
    }
}

fn failed(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::TaskFailed, Effect::MaybeDone, text)
}

/// Looks until there is something, no more often than asked, and no longer. Reads that fail are forgiven as a task's are.
async fn until<T, F: Future<Output = Result<Option<T>>>>(
    what: &str,
    options: WaitOptions,
    look: impl Fn() -> F,
) -> Result<T> {
    let end = Instant::now() + options.deadline;
    let (mut pause, mut failures) = (options.first_pause, 0);
    loop {
        let seen = tokio::select! {
            biased;
            seen = look() => seen,
            () = sleep_until(end) => Ok(None),
        };
        let asked = match seen {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {
                failures = 0;
                None
            }
            Err(e) if e.is_transient() && failures < options.patience => {
                failures += 1;
                e.retry_after
            }
            Err(e) => return Err(e),
        };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let text = format!("waited {} s for {what}", options.deadline.as_secs());
            return Err(Error::new(ErrorKind::Timeout, Effect::MaybeDone, text));
        }
        sleep(jittered(pause).max(asked.unwrap_or_default()).min(left)).await;
        pause = (pause * 3 / 2).min(options.longest_pause);
    }
}
