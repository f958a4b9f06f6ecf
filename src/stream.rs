//! Live pages: one stream of server-sent events per page.
//!
//! A stream shows what its page shows, to whoever may see the page, and asks that anew at every event. It sends what
//! has changed since the last thing it sent; a reader that was away gets a snapshot. Slow readers are not queued for:
//! whatever they missed is in the next snapshot.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use app::{
    live::{End, Regions, endings, regions},
    request::{Around, Product, session_account, session_looks_as},
};
use axum::{
    Extension,
    extract::{OriginalUri, State},
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::{AccountId, JobId};
use futures::stream::unfold;
use provisioning::Change;
use tokio::sync::broadcast::{
    Receiver,
    error::{RecvError, TryRecvError},
};
use tower_sessions::session;

use crate::{
    shared_views::{SharedViews, View},
    wire::Endless,
};

/// Streams one account may hold.
const PER_ACCOUNT: usize = 20;
/// Changes that come together are sent together.
const GATHER: Duration = Duration::from_millis(40);
/// A page over all customers is not rendered more often than this: on a busy day something changes all the time.
const PACE_ALL: Duration = Duration::from_secs(1);
/// So many of what was told of are remembered.
const TOLD: usize = 32;
/// Access is asked anew at least this often.
const RECHECK: Duration = Duration::from_secs(15);

/// Open streams, by account, and what they show.
#[derive(Clone, Default)]
pub(crate) struct Streams {
    open: Arc<Mutex<HashMap<AccountId, usize>>>,
    views: SharedViews,
}

/// One of an account's places, held while its stream is open.
pub(crate) struct Place {
    streams: Streams,
    account: AccountId,
}

impl Streams {
    pub(crate) fn take(&self, account: AccountId) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(account).or_default();
        if *count >= PER_ACCOUNT {
            return None;
        }
        *count += 1;
        Some(Place { streams: self.clone(), account })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.account);
            }
        }
    }
}

struct Reader {
    product: Product,
    around: Around,
    topic: String,
    account: AccountId,
    changes: Receiver<Change>,
    view: View,
    /// When something was heard of last that may concern this page.
    heard: Instant,
    /// What was sent last; `None` before the first.
    sent: Option<Arc<Regions>>,
    /// The version the page already contains.
    since: i64,
    /// What ends from here on is told of; the latest that were.
    from: i64,
    told: VecDeque<JobId>,
    /// What is to be sent next.
    queued: VecDeque<Event>,
    ended: bool,
    _place: Place,
}

pub(crate) async fn stream(
    State((product, streams)): State<(Product, Streams)>,
    Extension(around): Extension<Around>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let (Some(account), Some(shown)) = (around.signed_in, around.viewer.as_ref().map(|v| v.account.id))
    else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let topic = uri.path_and_query().map_or("", |p| p.as_str()).trim_start_matches("/live").to_owned();
    // Subscribed before the first look: what happens in between is not missed.
    let changes = product.facade.changes();
    let wants = |kind: &str| {
        headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains(kind))
    };
    match regions(product.clone(), around.clone(), &topic).await {
        Err(End::NoAccess | End::Gone) => return StatusCode::NOT_FOUND.into_response(),
        // Where no stream comes through, the values are asked for.
        Ok(now) if wants("application/json") => {
            let body = serde_json::json!({"values": now.values, "title": now.title, "say": null});
            return axum::Json(body).into_response();
        }
        Err(End::Fault) if wants("application/json") => {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        _ => {}
    }
    let Some(place) = streams.take(account) else { return StatusCode::TOO_MANY_REQUESTS.into_response() };
    let number = |text: &str| text.parse::<i64>().ok();
    let asked = headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(number);
    let since =
        uri.query().and_then(|q| q.split('&').find_map(|p| p.strip_prefix("since="))).and_then(number);
    let reader = Reader {
        from: product.facade.now_ms(),
        view: streams.views.of(&around, shown, &topic),
        heard: Instant::now(),
        told: VecDeque::new(),
        queued: VecDeque::new(),
        product,
        around,
        topic,
        account,
        changes,
        sent: None,
        since: asked.or(since).unwrap_or(0),
        ended: false,
        _place: place,
    };
    let events = unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        Some((Ok::<_, Infallible>(event.retry(Duration::from_secs(2))), reader))
    });
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(RECHECK));
    (Extension(Endless), events).into_response()
}

impl Reader {
    async fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.queued.pop_front() {
            return Some(event);
        }
        if self.ended {
            return None;
        }
        loop {
            if self.sent.is_some() && !self.wait().await {
                return None;
            }
            // Boxed, here and below: a stream that waits does not hold room for what it does when it has waited.
            match Box::pin(session_reloaded(&self.around)).await {
                Ok(account)
                    if account == Some(self.account)
                        && Box::pin(still_looks(&self.around, self.product.facade.now_ms())).await => {}
                Ok(_) => return Some(self.bye("signed_out")),
                // The database hiccups: that signs nobody out. The next change, or the next look, tries again.
                Err(_) => {
                    self.sent.get_or_insert_default();
                    continue;
                }
            }
            let pace = if self.own().is_none() { PACE_ALL } else { Duration::ZERO };
            let view = self.view.regions(&self.product, &self.around, &self.topic, self.heard, pace);
            match Box::pin(view).await {
                Ok(now) => {
                    let first = self.sent.is_none();
                    let changed = self.difference(now);
                    self.queued.extend(changed);
                    if !first {
                        Box::pin(self.tell_endings()).await;
                    }
                    if let Some(event) = self.queued.pop_front() {
                        return Some(event);
                    }
                }
                Err(End::NoAccess) => return Some(self.bye("no_access")),
                Err(End::Gone) => return Some(self.bye("gone")),
                // The next change, or the next look, tries again.
                Err(End::Fault) => self.sent = Some(self.sent.take().unwrap_or_default()),
            }
        }
    }

    /// Whose changes alone this page shows, where it is not everybody's.
    fn own(&self) -> Option<domain::CustomerId> {
        let own = self.around.viewer.as_ref().and_then(provisioning::Viewer::customer);
        own.or(self.sent.as_ref().and_then(|sent| sent.about))
    }

    /// Waits for a change that may concern this page. Returns false when the program is ending.
    async fn wait(&mut self) -> bool {
        let own = self.own();
        let recheck = tokio::time::sleep(RECHECK);
        tokio::pin!(recheck);
        loop {
            tokio::select! {
                change = self.changes.recv() => match change {
                    Ok(change) if own.is_none_or(|own| change.concerns(own)) => {
                        self.heard = change.told;
                        break;
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => {
                        self.heard = Instant::now();
                        break;
                    }
                    Err(RecvError::Closed) => return false,
                },
                () = &mut recheck => {
                    self.heard = Instant::now();
                    return true;
                }
            }
        }
        tokio::time::sleep(GATHER).await;
        loop {
            match self.changes.try_recv() {
                Ok(change) if own.is_none_or(|own| change.concerns(own)) => self.heard = change.told,
                Ok(_) => {}
                Err(TryRecvError::Lagged(_)) => self.heard = Instant::now(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        true
    }

    /// What to send: everything the first time unless the page has it already, later only what has changed.
    fn difference(&mut self, now: Arc<Regions>) -> Option<Event> {
        let first = self.sent.is_none();
        let before = self.sent.replace(now.clone()).unwrap_or_default();
        if first && now.version > 0 && now.version == self.since {
            return None;
        }
        // Most stand where they stood.
        let is_new = |(at, value): &(usize, &(String, String))| {
            first || before.values.get(*at) != Some(value) && !before.values.contains(value)
        };
        let values: Vec<_> = now.values.iter().enumerate().filter(is_new).map(|(_, value)| value).collect();
        if values.is_empty() {
            return None;
        }
        let title = now.title.as_ref().filter(|t| before.title.as_ref() != Some(t));
        let say = now.say.as_ref().filter(|s| !first && before.say.as_ref() != Some(s));
        let body = serde_json::json!({"values": values, "title": title, "say": say, "urgent": now.urgent});
        let name = if first { "snapshot" } else { "patch" };
        Some(Event::default().event(name).id(now.version.to_string()).data(body.to_string()))
    }

    /// Tells of operations that have ended meanwhile. One that cannot be read is on the page of operations anyway.
    async fn tell_endings(&mut self) {
        let Ok(endings) = endings(&self.product, &self.around, &self.topic, self.from).await else { return };
        for ending in endings.into_iter().rev() {
            if self.told.contains(&ending.job) {
                continue;
            }
            self.told.push_back(ending.job);
            self.queued.push_back(Event::default().event("toast").data(ending.html));
        }
        while self.told.len() > TOLD {
            self.told.pop_front();
        }
    }

    fn bye(&mut self, why: &str) -> Event {
        self.ended = true;
        Event::default().event("bye").data(why)
    }
}

/// The account of the session as the database has it now: a sign-out ends open streams.
pub(crate) async fn session_reloaded(around: &Around) -> Result<Option<AccountId>, session::Error> {
    around.session.load().await?;
    Ok(session_account(&around.session).await)
}

/// Whoever looks as a customer still does; whoever does not is not asked.
async fn still_looks(around: &Around, now: i64) -> bool {
    let Some(viewer) = around.viewer.as_ref().filter(|v| v.seen_by.is_some()) else { return true };
    session_looks_as(&around.session, now).await == Some(viewer.account.id)
}
