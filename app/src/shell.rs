//! The document around every page: head, header, banners, footer.

use leptos::{nonce::use_nonce, prelude::*};

use domain::state::Role;
use provisioning::Notices;

use crate::{
    comforts::comforts,
    format,
    hydration::hydration,
    i18n::{Lang, t},
    islands::{Live, LiveTexts},
    pages::help_of_page,
    request::{Banner, Request, Theme},
    routes,
};

/// What a page gives to the frame.
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) heading: Option<String>,
    pub(crate) body: AnyView,
    pub(crate) status: u16,
    /// The stream that keeps it fresh.
    pub(crate) live: Option<LiveSource>,
    /// Something on it is in transition: without a script it refreshes itself this often, s.
    pub(crate) refresh: Option<u32>,
    /// It answers a refused form.
    pub(crate) refused: bool,
    /// It shows a secret: nothing may keep a copy.
    pub(crate) secret: bool,
    /// Wide pages use the whole window.
    pub(crate) wide: bool,
}

#[derive(Clone)]
pub(crate) struct LiveSource {
    pub(crate) path: String,
    /// The version that the page contains.
    pub(crate) since: i64,
}

impl Page {
    pub(crate) fn new(title: impl Into<String>, body: impl IntoView + 'static) -> Self {
        let title = title.into();
        Self {
            heading: Some(title.clone()),
            title,
            body: body.into_any(),
            status: 200,
            live: None,
            refresh: None,
            refused: false,
            secret: false,
            wide: false,
        }
    }
}

/// What the frame needs besides the page.
pub(crate) struct Frame {
    pub(crate) request: Request,
    pub(crate) banner: Option<Banner>,
    /// Unfinished operations of the customer.
    pub(crate) open: i64,
    pub(crate) notices: Notices,
}

pub(crate) fn document(frame: Frame, page: Page) -> AnyView {
    let Frame { request, banner, open, notices } = frame;
    let lang = request.lang();
    let prefix = if page.refused { format!("{} ", t!(lang, "error-prefix")) } else { String::new() };
    let title = format!("{prefix}{} · {}", page.title, t!(lang, "product"));
    let theme = match request.around.theme {
        Theme::System => None,
        other => Some(other.code()),
    };
    let staff = request.around.viewer.as_ref().is_some_and(|v| v.role().is_staff());
    let refresh = page.refresh.filter(|_| request.query("refresh").as_deref() != Some("off"));
    let main_class = if page.wide { "wide" } else { "" };
    let now = request.facade().now_ms();
    let here = request.around.path.clone();
    let live = page.live.is_some();
    view! {
        <!DOCTYPE html>
        <html lang=lang.code() data-theme=theme data-density=staff.then_some("compact")>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="description" content=t!(lang, "login-lead")/>
                <title>{title}</title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href="/pkg/slipway.css"/>
                {refresh.map(|seconds| {
                    view! { <noscript><meta http-equiv="refresh" content=seconds.to_string()/></noscript> }
                })}
                {hydration()}
            </head>
            <body>
                <a class="skip" href="#content">{t!(lang, "skip")}</a>
                {header(&request, open)}
                {looking(&request)}
                {notices_view(lang, notices)}
                <main id="content" tabindex="-1" class=main_class>
                    {page.heading.map(|h| view! { <h1>{h}</h1> })}
                    {banner.map(|b| banner_view(&b))}
                    {page.live.map(|source| live_bar(&request, &source, now, page.refresh.is_some()))}
                    {refresh.map(|seconds| refresh_note(lang, seconds, &here))}
                    {page.body}
                </main>
                {footer(&request)}
                {comforts(&request)}
                {live.then(|| view! { <div id="toasts" class="toasts" role="status"></div> })}
                <div class="sr-only" aria-live="polite" id="say"></div>
                <div class="sr-only" aria-live="assertive" id="alert"></div>
            </body>
        </html>
    }
    .into_any()
}

/// Whoever looks as a customer does is told so on every page, and how to stop.
fn looking(request: &Request) -> Option<impl IntoView + use<>> {
    let lang = request.lang();
    let viewer = request.around.viewer.as_ref()?;
    viewer.seen_by.as_ref()?;
    let email = viewer.account.email.clone();
    Some(view! {
        <aside class="notice looking" aria-label=t!(lang, "looking-label")>
            <p>{t!(lang, "looking-as", email = email)}</p>
            <form method="post" action=routes::action("look_end")>
                <button class="button secondary small">{t!(lang, "looking-end")}</button>
            </form>
        </aside>
    })
}

/// What concerns everybody.
fn notices_view(lang: Lang, notices: Notices) -> impl IntoView {
    let maintenance = notices.maintenance.map(|m| match m.until {
        Some(until) => t!(lang, "maintenance-until", time = format::date_time(lang, until)),
        None => t!(lang, "maintenance"),
    });
    let silent =
        notices.silent_since.map(|since| t!(lang, "platform-silent", time = format::date_time(lang, since)));
    let note = |text: String| view! { <p class="notice" role="status">{text}</p> };
    [maintenance, silent].map(|text| text.map(note))
}

fn banner_view(banner: &Banner) -> impl IntoView + use<> {
    let class = if banner.bad { "banner bad" } else { "banner" };
    view! { <div id="flash" class=class role="status" tabindex="-1">{banner.text.clone()}</div> }
}

/// Age of the data and the state of the connection.
fn live_bar(request: &Request, source: &LiveSource, now: i64, moving: bool) -> impl IntoView + use<> {
    let lang = request.lang();
    let from = format::clock(lang, now);
    let texts = LiveTexts {
        on: t!(lang, "live-on"),
        reconnecting: t!(lang, "live-reconnecting", time = "{0}"),
        off: t!(lang, "live-off"),
        signed_out: t!(lang, "live-signed-out"),
        gone: t!(lang, "live-gone"),
    };
    view! {
        <p class="live">
            <span class="live-age">{t!(lang, "data-from", time = from)} " "</span>
            <a href=request.around.path.clone() class="live-age" data-key="r">{t!(lang, "refresh")}</a>
            // Last, as it says nothing until it is connected: what stands before it stays where it is.
            <Live url=source.path.clone() since=source.since moving texts/>
        </p>
    }
}

fn refresh_note(lang: Lang, seconds: u32, here: &str) -> impl IntoView + use<> {
    let separator = if here.contains('?') { '&' } else { '?' };
    let stop = format!("{here}{separator}refresh=off");
    view! {
        <noscript>
            <p class="live">
                {t!(lang, "refreshes", n = i64::from(seconds))} " " <a href=stop>{t!(lang, "refresh-stop")}</a>
            </p>
        </noscript>
    }
}

/// Where one can go from anywhere, and by which keys.
pub(crate) struct Place {
    pub(crate) href: &'static str,
    pub(crate) text: String,
    pub(crate) keys: &'static str,
}

/// The places of whoever asks. The account comes last, and stands in its own menu.
pub(crate) fn places(request: &Request) -> Vec<Place> {
    let lang = request.lang();
    let place = |href, text, keys| Place { href, text, keys };
    let mut places = match &request.around.viewer {
        None => return Vec::new(),
        Some(v) if v.role().is_staff() => vec![
            place(routes::STAFF, t!(lang, "nav-overview"), "g h"),
            place(routes::STAFF_JOBS, t!(lang, "nav-jobs"), "g j"),
            place(routes::STAFF_EDGES, t!(lang, "nav-edges"), "g e"),
            place(routes::STAFF_VAPPS, t!(lang, "nav-vapps"), "g v"),
            place(routes::STAFF_CUSTOMERS, t!(lang, "nav-customers"), "g c"),
            place(routes::STAFF_DRIFT, t!(lang, "staff-drift-title"), "g d"),
        ],
        Some(_) => vec![
            place(routes::SERVERS, t!(lang, "nav-servers"), "g s"),
            place(routes::OPERATIONS, t!(lang, "nav-operations"), "g o"),
        ],
    };
    if request.around.viewer.as_ref().is_some_and(|v| v.role() == Role::Admin) {
        places.push(place(routes::STAFF_TEMPLATES, t!(lang, "nav-catalogue"), "g t"));
        places.push(place(routes::STAFF_SYSTEM, t!(lang, "nav-system"), "g y"));
    }
    places.push(place(routes::ACCOUNT, t!(lang, "account-title"), "g a"));
    places
}

fn header(request: &Request, open: i64) -> impl IntoView + use<> {
    let lang = request.lang();
    let path = request.around.path.split('?').next().unwrap_or("/").to_owned();
    let viewer = request.around.viewer.clone();
    let home = viewer
        .as_ref()
        .map_or(routes::LOGIN, |v| if v.role().is_staff() { routes::STAFF } else { routes::SERVERS });
    let links = places(request);
    let nav = (links.len() > 1).then(|| {
        let items = links
            .into_iter()
            .filter(|place| place.href != routes::ACCOUNT)
            .map(|Place { href, text, keys }| {
                let current = if path == href {
                    Some("page")
                } else if path.starts_with(href) && href != routes::STAFF
                    || href == routes::STAFF_TEMPLATES && path.starts_with(routes::STAFF_CATALOGUE)
                {
                    Some("true")
                } else {
                    None
                };
                let count = (href == routes::OPERATIONS)
                    .then(|| view! { <span data-live="open" class="count">{open_count(open)}</span> });
                view! { <li><a href=href aria-current=current data-key=keys>{text} {count}</a></li> }
            })
            .collect_view();
        view! { <nav aria-label=t!(lang, "nav-main")><ul>{items}</ul></nav> }
    });
    view! {
        <header>
            {request.product.demo.is_some().then(|| view! { <p class="demo">{t!(lang, "demo-banner")}</p> })}
            <div class="top">
            <a class="logo" href=home>
                <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M3 17l9-12 9 12M6 21h12" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/>
                </svg>
                {t!(lang, "product")}
            </a>
            {nav}
            <div class="top-end">
                {language_menu(request)}
                {viewer.map(|v| account_menu(lang, &v.account.name, &v.account.email))}
            </div>
            </div>
        </header>
    }
}

/// The number beside "Operations": nothing where there is nothing.
pub(crate) fn open_count(open: i64) -> String {
    if open > 0 { open.to_string() } else { String::new() }
}

fn language_menu(request: &Request) -> impl IntoView + use<> {
    let lang = request.lang();
    let back = request.around.path.clone();
    let theme = request.around.theme;
    let languages = [("en", t!(lang, "language-en")), ("ru", t!(lang, "language-ru"))];
    let themes = Theme::ALL.map(|th| {
        let text = match th {
            Theme::System => t!(lang, "theme-system"),
            Theme::Light => t!(lang, "theme-light"),
            Theme::Dark => t!(lang, "theme-dark"),
        };
        (th, text)
    });
    view! {
        <details name="menu" class="menu">
            <summary>{lang.code().to_uppercase()} <span class="sr-only">{format!(" {}, {}", t!(lang, "language"), t!(lang, "theme"))}</span></summary>
            <div class="menu-body">
                <form method="post" action=routes::action("language_set")>
                    <input type="hidden" name="back" value=back.clone()/>
                    <p class="menu-title">{t!(lang, "language")}</p>
                    {languages.into_iter().map(|(code, text)| {
                        let current = (lang.code() == code).then_some("true");
                        view! { <button class="menu-item" name="lang" value=code lang=code aria-current=current>{text}</button> }
                    }).collect_view()}
                </form>
                <form method="post" action=routes::action("theme_set")>
                    <input type="hidden" name="back" value=back/>
                    <p class="menu-title">{t!(lang, "theme")}</p>
                    {themes.into_iter().map(|(th, text)| {
                        let current = (th == theme).then_some("true");
                        view! { <button class="menu-item" name="theme" value=th.code() aria-current=current>{text}</button> }
                    }).collect_view()}
                </form>
            </div>
        </details>
    }
}

fn account_menu(lang: Lang, name: &str, email: &str) -> impl IntoView + use<> {
    let (name, email) = (name.to_owned(), email.to_owned());
    view! {
        <details name="menu" class="menu">
            <summary>{name} <span class="sr-only">{format!(" {}", t!(lang, "nav-account"))}</span></summary>
            <div class="menu-body">
                <p class="menu-title">{email}</p>
                <a class="menu-item" href=routes::ACCOUNT data-key="g a">{t!(lang, "account-title")}</a>
                <form method="post" action=routes::action("session_close")>
                    <button class="menu-item">{t!(lang, "sign-out")}</button>
                </form>
            </div>
        </details>
    }
}

fn footer(request: &Request) -> impl IntoView + use<> {
    let lang = request.lang();
    let path = request.around.path.split('?').next().unwrap_or("/");
    let staff = request.around.viewer.as_ref().is_some_and(|v| v.role().is_staff());
    let help = staff.then(|| view! { <a href=help_of_page(path)>{t!(lang, "help-title")}</a> });
    view! {
        <footer class="bottom">
            {help}
            <span>{t!(lang, "footer-version", version = request.product.version)}</span>
            <span>{t!(lang, "footer-zone", zone = format::zone_name(lang))}</span>
        </footer>
    }
}

/// The policy of every rendered page. The nonce is the one its inline script carries.
pub(crate) fn content_security_policy() -> String {
    let nonce = use_nonce().map(|n| format!(" 'nonce-{n}'")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'{nonce} 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}
