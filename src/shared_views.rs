//! What several streams of one reader show is rendered once: the tabs of one account that show the same page, in the same
//! language and zone.
//!
//! A rendering is shared by whoever has heard of nothing newer than its beginning. Where something changes all the time, nobody
//! would share: there the next rendering is not begun before the last is so old, and whoever has heard of more waits for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use app::{
    live::{End, Regions, regions},
    request::{Around, Product},
    routes,
};
use domain::{AccountId, state::Role};

/// Whatever a rendering depends on.
type Key = (Option<AccountId>, Role, String, &'static str, Option<&'static str>);
/// The same for all of the staff of one role. The list of jobs names people in the address of its stream by their e-mails.
const OF_ALL_STAFF: [&str; 3] = [routes::STAFF, routes::STAFF_JOBS, routes::STAFF_EDGES];
/// The last rendering, and when it was begun. Held while one is made: the others wait for it.
type Last = tokio::sync::Mutex<Option<(Instant, Arc<Regions>)>>;

#[derive(Clone, Default)]
pub(crate) struct SharedViews(Arc<Mutex<HashMap<Key, Weak<Last>>>>);

/// One page as one account sees it. Kept by each stream that shows it.
pub(crate) struct View(Arc<Last>);

impl SharedViews {
    pub(crate) fn of(&self, around: &Around, account: AccountId, topic: &str) -> View {
        let role = around.viewer.as_ref().map_or(Role::Customer, provisioning::Viewer::acts_as);
        let path = topic.split('?').next().unwrap_or(topic);
        let account = (!OF_ALL_STAFF.contains(&path)).then_some(account);
        let key = (account, role, topic.to_owned(), around.lang.code(), around.zone);
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = views.get(&key).and_then(Weak::upgrade) {
            return View(view);
        }
        // What nobody shows any more is forgotten when something new is shown.
        views.retain(|_, view| view.strong_count() > 0);
        let view = Arc::<Last>::default();
        views.insert(key, Arc::downgrade(&view));
        View(view)
    }
}

impl View {
    /// The regions as they are at `heard` or later, rendered no more often than once in `pace`.
    pub(crate) async fn regions(
        &self,
        product: &Product,
        around: &Around,
        topic: &str,
        heard: Instant,
        pace: Duration,
    ) -> Result<Arc<Regions>, End> {
        let mut last = loop {
            let last = self.0.lock().await;
            let Some((begun, shown)) = last.as_ref() else { break last };
            if *begun >= heard {
                return Ok(shown.clone());
            }
            let due = *begun + pace;
            if due <= Instant::now() {
                break last;
            }
            drop(last);
            tokio::time::sleep_until(due.into()).await;
        };
        let begun = Instant::now();
        let shown = Arc::new(regions(product.clone(), around.clone(), topic).await?);
        *last = Some((begun, shown.clone()));
        Ok(shown)
    }
}
