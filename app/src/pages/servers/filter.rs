//! Which of a customer's servers the list shows: search, state, order and page, all of them in the address.
//!
//! Pure: a customer has no more servers than the pool has edges, so all are read and chosen from here, with any alphabet.

use domain::state::ServerState;
use provisioning::ServerView;

/// Rows of a page.
pub(super) const PAGE: usize = 25;

/// What a filter link shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Running,
    Stopped,
    /// On the way to something else.
    Moving,
    Attention,
}

impl Shown {
    pub(super) const ALL: [Self; 4] = [Self::Running, Self::Stopped, Self::Moving, Self::Attention];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Moving => "moving",
            Self::Attention => "attention",
        }
    }

    fn of(state: ServerState) -> Self {
        match state {
            ServerState::Running => Self::Running,
            ServerState::Stopped => Self::Stopped,
            ServerState::Ordered
            | ServerState::Creating
            | ServerState::Terminating
            | ServerState::Terminated => Self::Moving,
            ServerState::Failed | ServerState::Unknown => Self::Attention,
        }
    }
}

/// How the rows are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// Newest first.
    #[default]
    Created,
    Name,
    /// Dearest first.
    Price,
}

impl Order {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Name => "name",
            Self::Price => "price",
        }
    }
}

/// What the address asks for. What nobody can read asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) search: String,
    pub(super) state: Option<Shown>,
    pub(super) order: Order,
    /// From 1.
    pub(super) page: usize,
}

/// Longer ones find nothing anyway.
const SEARCH_MAX: usize = 100;

impl Wish {
    pub(super) fn read(query: impl Fn(&str) -> Option<String>) -> Self {
        let state = query("state").and_then(|w| Shown::ALL.into_iter().find(|s| s.word() == w));
        let orders = [Order::Created, Order::Name, Order::Price];
        let order = query("sort").and_then(|w| orders.into_iter().find(|o| o.word() == w));
        let search = query("q").unwrap_or_default();
        Self {
            search: search.trim().chars().take(SEARCH_MAX).collect(),
            state,
            order: order.unwrap_or_default(),
            page: query("page").and_then(|p| p.parse().ok()).unwrap_or(1).max(1),
        }
    }

    /// The part of an address after its `?`, with the `?`; empty where nothing is asked for.
    pub(super) fn query(&self) -> String {
        let mut parts = Vec::new();
        if !self.search.is_empty() {
            parts.push(format!("q={}", crate::request::encode(&self.search)));
        }
        if let Some(state) = self.state {
            parts.push(format!("state={}", state.word()));
        }
        if self.order != Order::default() {
            parts.push(format!("sort={}", self.order.word()));
        }
        if self.page > 1 {
            parts.push(format!("page={}", self.page));
        }
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }
}

/// What is shown, and what is counted over it.
pub(super) struct Chosen {
    pub(super) rows: Vec<ServerView>,
    /// Matching the search, in each state.
    pub(super) counts: [(Shown, usize); 4],
    /// Matching the search.
    pub(super) found: usize,
    pub(super) pages: usize,
    /// The page that is shown: one past the end is the last.
    pub(super) page: usize,
}

pub(super) fn choose(servers: Vec<ServerView>, wish: &Wish) -> Chosen {
    let search = wish.search.to_lowercase();
    let finds = |v: &ServerView| {
        let s = &v.server;
        let address = s.address.as_deref().unwrap_or_default();
        search.is_empty()
            || [&*s.name, &s.hostname, address].iter().any(|t| t.to_lowercase().contains(&search))
    };
    let found: Vec<ServerView> = servers.into_iter().filter(finds).collect();
    let counts =
        Shown::ALL.map(|shown| (shown, found.iter().filter(|v| Shown::of(v.server.state) == shown).count()));
    let n = found.len();
    let is_shown = |v: &ServerView| wish.state.is_none_or(|s| Shown::of(v.server.state) == s);
    let mut rows: Vec<ServerView> = found.into_iter().filter(is_shown).collect();
    match wish.order {
        // They come newest first.
        Order::Created => {}
        Order::Name => rows.sort_by_key(|v| v.server.name.to_lowercase()),
        Order::Price => rows.sort_by_key(|v| std::cmp::Reverse(v.server.price_minor)),
    }
    let (rows, page, pages) = page_of(rows, wish.page);
    Chosen { rows, counts, found: n, pages, page }
}

/// The rows of a page, which page it is, and of how many.
fn page_of<T>(rows: Vec<T>, wanted: usize) -> (Vec<T>, usize, usize) {
    let pages = rows.len().div_ceil(PAGE).max(1);
    let page = wanted.clamp(1, pages);
    (rows.into_iter().skip((page - 1) * PAGE).take(PAGE).collect(), page, pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &[(&str, &str)]) -> Wish {
        Wish::read(|name| query.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn what_nobody_can_read_asks_for_nothing() {
        assert_eq!(read(&[]), Wish { page: 1, ..Wish::default() });
        let odd = read(&[("state", "dancing"), ("sort", "colour"), ("page", "-1"), ("q", "  ")]);
        assert_eq!((odd.page, odd.query()), (1, String::new()));
    }

    #[test]
    fn pages_are_full_and_one_past_the_end_is_the_last() {
        let page = |n: usize, wanted| {
            let (rows, page, pages) = page_of((1..=n).collect(), wanted);
            (rows.first().copied(), rows.len(), page, pages)
        };
        assert_eq!(page(0, 1), (None, 0, 1, 1));
        assert_eq!(page(PAGE, 2), (Some(1), PAGE, 1, 1));
        assert_eq!(page(PAGE + 1, 1), (Some(1), PAGE, 1, 2));
        assert_eq!(page(PAGE + 1, 2), (Some(PAGE + 1), 1, 2, 2));
        assert_eq!(page(PAGE + 1, 99), (Some(PAGE + 1), 1, 2, 2));
    }

    #[test]
    fn an_address_is_read_as_it_was_written() {
        let wish = read(&[("q", "сайт & co"), ("state", "stopped"), ("sort", "name"), ("page", "3")]);
        let query = wish.query();
        assert_eq!(query, "?q=%D1%81%D0%B0%D0%B9%D1%82%20%26%20co&state=stopped&sort=name&page=3");
        let path = format!("/servers{query}");
        assert_eq!(Wish::read(|name| crate::request::query(&path, name)), wish);
    }
}
