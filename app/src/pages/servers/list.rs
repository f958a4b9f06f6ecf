//! S2: the list, with search, filters and what can be done to each.

use domain::{
    draft::WizardStep,
    kind::Kind,
    permission::{Action, Denial},
    power::PowerAction,
    state::JobState,
};
use leptos::prelude::*;
use provisioning::{JudgedDraft, ServerView};

use super::{
    BULK, Loaded, Params,
    filter::{Chosen, Order, Shown, Wish, choose},
    state_view,
};
use crate::{
    format,
    i18n::{Lang, t},
    islands::BulkSelect,
    pages::order,
    request::Request,
    routes,
    shell::{LiveSource, Page},
    ui::empty_state,
};

pub(crate) async fn list(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let customer = request.customer()?;
    let since = request.facade().version(customer).await?;
    let servers = request.facade().servers(request.viewer()?).await?;
    let drafts = request.facade().drafts_open(customer).await?;
    let moving = servers.iter().any(|s| s.current.as_ref().is_some_and(|j| j.state.is_moving()));
    let all = servers.len();
    let wish = Wish::read(|name| request.query(name));
    let live = live_path(&wish, all);
    // The usual four minutes, until enough were made to tell.
    let usual = request.facade().usual().await?.median(Kind::Activate).map_or(4, format::minutes);
    let list = if servers.is_empty() {
        empty_state(t!(lang, "servers-empty-title"), t!(lang, "servers-empty", n = usual), order_form(lang))
            .into_any()
    } else {
        let chosen = choose(servers, &wish);
        view! {
            <div class="toolbar">{search(lang, &wish)} {order_form(lang)}</div>
            {filters(lang, &wish, &chosen)}
            <p data-live="news" role="status" class="news"></p>
            {rows(lang, &wish, &chosen)}
            {(chosen.rows.len() > 1).then(|| several(lang))}
        }
        .into_any()
    };
    let body = view! {
        {(!drafts.is_empty()).then(|| draft_list(&request, &drafts))}
        {list}
    };
    let title = t!(lang, "servers-title");
    let heading = if all == 0 { title.clone() } else { format!("{title} ({all})") };
    Ok(Page {
        heading: Some(heading),
        live: Some(LiveSource { path: live, since }),
        refresh: moving.then_some(15),
        wide: true,
        ..Page::new(title, body)
    })
}

/// The stream knows what the page shows: how many servers there were.
fn live_path(wish: &Wish, all: usize) -> String {
    let query = wish.query();
    let query = if query.is_empty() { "?".to_owned() } else { format!("{query}&") };
    format!("{}{query}known={all}", routes::live(routes::SERVERS))
}

fn order_form(lang: Lang) -> impl IntoView {
    view! {
        <form method="post" action=routes::action("draft_start")>
            <button class="button" data-key="c">{t!(lang, "servers-order")}</button>
        </form>
    }
}

fn search(lang: Lang, wish: &Wish) -> impl IntoView + use<> {
    let state = wish.state.map(|s| view! { <input type="hidden" name="state" value=s.word()/> });
    view! {
        <form method="get" action=routes::SERVERS role="search" class="search">
            {state}
            <label class="sr-only" for="q">{t!(lang, "servers-search")}</label>
            <input type="search" id="q" name="q" data-key="/" value=wish.search.clone() maxlength="100" placeholder=t!(lang, "servers-search")/>
            <button class="button secondary">{t!(lang, "servers-find")}</button>
        </form>
    }
}

fn filters(lang: Lang, wish: &Wish, chosen: &Chosen) -> AnyView {
    let link = |state: Option<Shown>, text: String, n: usize| {
        let to = Wish { state, page: 1, ..wish.clone() };
        let href = format!("{}{}", routes::SERVERS, to.query());
        view! { <li><a href=href aria-current=(wish.state == state).then_some("true")>{text} " " {n}</a></li> }
    };
    let items = chosen
        .counts
        .iter()
        // A state that nothing is in is no way to anywhere.
        .filter(|(shown, n)| *n > 0 || wish.state == Some(*shown))
        .map(|(shown, n)| link(Some(*shown), lang.t(&format!("servers-{}", shown.word())), *n))
        .collect_view();
    view! {
        <nav class="filters" aria-label=t!(lang, "servers-filters")>
            <ul>{link(None, t!(lang, "servers-all"), chosen.found)} {items}</ul>
        </nav>
    }
    .into_any()
}

fn rows(lang: Lang, wish: &Wish, chosen: &Chosen) -> AnyView {
    if chosen.rows.is_empty() {
        let text = if wish.search.is_empty() {
            t!(lang, "servers-none-so")
        } else {
            t!(lang, "servers-none-found", text = wish.search.clone())
        };
        let clear =
            view! { <a class="button secondary" href=routes::SERVERS>{t!(lang, "servers-clear")}</a> };
        return empty_state(t!(lang, "servers-none"), text, clear);
    }
    view! {
        {table(lang, wish, &chosen.rows)}
        {pager(lang, wish, chosen)}
    }
    .into_any()
}

/// A box to choose a row by, where there is more than one.
fn choose_box(lang: Lang, rows: usize, view: &ServerView) -> Option<AnyView> {
    let server = &view.server;
    let label = t!(lang, "several-choose", name = server.name.clone());
    let shown = rows > 1;
    let choose = shown.then(|| {
        view! { <input type="checkbox" form="several" name="server" value=server.id.to_string() aria-label=label data-bulk=""/> }
    });
    choose.map(IntoAny::into_any)
}

/// What can be asked of the rows that are chosen.
fn several(lang: Lang) -> impl IntoView {
    let buttons = BULK.map(|action| {
        let text = lang.t(&format!("do-{action}"));
        view! { <button class="button secondary" name="do" value=action.as_str()>{text}</button> }
    });
    view! {
        <form method="get" action=routes::SERVERS_CONFIRM id="several" class="several" aria-label=t!(lang, "several")>
            <span>{t!(lang, "several")}</span>
            {buttons}
            <span id="bulk-tools"></span>
        </form>
        <BulkSelect all=t!(lang, "several-all") chosen=t!(lang, "several-chosen", n = "{0}", all = "{1}")/>
    }
}

fn pager(lang: Lang, wish: &Wish, chosen: &Chosen) -> Option<AnyView> {
    if chosen.pages < 2 {
        return None;
    }
    let link = |page: usize, text: String| {
        let href = format!("{}{}", routes::SERVERS, Wish { page, ..wish.clone() }.query());
        view! { <a class="button secondary" href=href>{text}</a> }
    };
    let page = view! {
        <nav class="pager" aria-label=t!(lang, "pages")>
            {(chosen.page > 1).then(|| link(chosen.page - 1, t!(lang, "pages-previous")))}
            <span class="dim">{t!(lang, "pages-at", page = chosen.page as i64, pages = chosen.pages as i64)}</span>
            {(chosen.page < chosen.pages).then(|| link(chosen.page + 1, t!(lang, "pages-next")))}
        </nav>
    };
    Some(page.into_any())
}

fn draft_list(request: &Request, drafts: &[JudgedDraft]) -> impl IntoView + use<> {
    let lang = request.lang();
    let items = drafts
        .iter()
        .map(|d| {
            let open = |s: &WizardStep| !d.draft.values.visited.contains(s) || !d.errors(*s).is_empty();
            let next = WizardStep::ALL.iter().copied().find(open);
            let step = next.unwrap_or(WizardStep::Review);
            let name = order::draft_name(&d.draft.values);
            let text = t!(lang, "servers-draft", name = name.clone(), step = order::step_name(lang, step));
            view! {
                <li>
                    <a href=routes::order(d.draft.id, step)>{text}</a>
                    <form method="post" action=routes::action("draft_discard")>
                        <input type="hidden" name="draft" value=d.draft.id.to_string()/>
                        <button class="button quiet small" aria-label=t!(lang, "servers-discard-of", name = name)>
                            {t!(lang, "servers-discard")}
                        </button>
                    </form>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="drafts">
            <h2 id="drafts">{t!(lang, "servers-drafts")}</h2>
            <ul class="plain rows">{items}</ul>
        </section>
    }
}

fn table(lang: Lang, wish: &Wish, servers: &[ServerView]) -> impl IntoView + use<> {
    let rows = servers
        .iter()
        .map(|view| {
            let s = &view.server;
            let id = s.id;
            let host = (s.hostname != s.name).then(|| view! { <span class="dim">{s.hostname.clone()}</span> });
            let panel = s.panel.as_ref().map(|p| view! { " " <span class="dim">{p.name.clone()}</span> });
            // An operation that waits or runs is a click away.
            let state = view! { <span data-live=format!("state-{id}")>{row_state(lang, view)}</span> };
            view! {
                <tr>
                    <th scope="row">{choose_box(lang, servers.len(), view)} <a href=routes::server(id)>{s.name.clone()}</a> " " {host}</th>
                    <td data-label=t!(lang, "col-state")>{state}</td>
                    <td data-label=t!(lang, "col-address")><span data-live=format!("address-{id}")>{address(lang, view)}</span></td>
                    <td data-label=t!(lang, "col-system")>{s.template_name.clone()} {panel}</td>
                    <td data-label=t!(lang, "col-size")>{format::size(lang, s.size)}</td>
                    <td data-label=t!(lang, "col-price") class="num">{format::money(lang, s.price_minor)}</td>
                    <td data-label=t!(lang, "col-created")>{format::date(lang, s.created_at)}</td>
                    <td data-label=t!(lang, "col-actions")><div data-live=format!("menu-{id}")>{menu(lang, view)}</div></td>
                </tr>
            }
        })
        .collect_view();
    let sorted = |order: Order, column: &'static str| {
        let href = format!("{}{}", routes::SERVERS, Wish { order, page: 1, ..wish.clone() }.query());
        let direction = if order == Order::Name { "ascending" } else { "descending" };
        let sort = (wish.order == order).then_some(direction);
        view! { <th scope="col" aria-sort=sort><a href=href>{lang.t(column)}</a></th> }
    };
    let plain = |column: &'static str| view! { <th scope="col">{lang.t(column)}</th> };
    view! {
        <table class="as-cards">
            <caption class="sr-only">{t!(lang, "servers-caption")}</caption>
            <thead>
                <tr>
                    {sorted(Order::Name, "col-name")}
                    {["col-state", "col-address", "col-system", "col-size"].map(plain)}
                    {sorted(Order::Price, "col-price")}
                    {sorted(Order::Created, "col-created")}
                    {plain("col-actions")}
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// Everything that can be done to a server. What cannot be done now is there, and says why. It is the same as long as that is:
/// a menu that is open stays so while something else happens.
fn menu(lang: Lang, view: &ServerView) -> AnyView {
    let (id, name) = (view.server.id, view.server.name.clone());
    let link = |href: String, text: String| view! { <a class="menu-item" href=href>{text}</a> }.into_any();
    let denied = |text: String, denial: Denial| {
        let why = lang.t(&format!("denial-{denial}"));
        view! { <p class="menu-item denied">{text} <span class="reason">{why}</span></p> }.into_any()
    };
    let power = |action: PowerAction| {
        let text = lang.t(&format!("do-{action}"));
        match view.can_power(action) {
            Err(denial) => denied(text, denial),
            Ok(()) => {
                let href = routes::server_confirm(id, action.as_str());
                view! { <a class="menu-item" href=href data-dialog="">{text}</a> }.into_any()
            }
        }
    };
    let page = |action: Action, href: String, text: String| match view.can(action) {
        Ok(()) => link(href, text),
        Err(denial) => denied(text, denial),
    };
    let powers = [PowerAction::Start, PowerAction::ShutDown, PowerAction::Reboot].map(power);
    view! {
        <details name="menu" class="menu row-menu">
            <summary>{t!(lang, "col-actions")} <span class="sr-only">{format!(": {name}")}</span></summary>
            <div class="menu-body">
                {powers}
                {page(Action::Resize, routes::server_resize(id), t!(lang, "tab-resize"))}
                {page(Action::ChangeIp, routes::server_network(id), t!(lang, "do-change_ip"))}
                {page(Action::Reinstall, routes::server_reinstall(id), t!(lang, "tab-reinstall"))}
                {page(Action::Terminate, routes::server_terminate(id), t!(lang, "tab-terminate"))}
            </div>
        </details>
    }
    .into_any()
}

fn row_state(lang: Lang, view: &ServerView) -> impl IntoView + use<> {
    let link =
        view.current.as_ref().filter(|j| j.state != JobState::Succeeded).map(|j| routes::operation(j.id));
    let state = state_view(lang, view);
    match link {
        Some(href) => view! { <a class="state-link" href=href>{state}</a> }.into_any(),
        None => state.into_any(),
    }
}

fn address(lang: Lang, view: &ServerView) -> String {
    view.server.address.clone().unwrap_or_else(|| t!(lang, "no-address"))
}

/// The parts of the page that change while it is open.
pub(crate) async fn list_regions(request: &Request) -> Result<crate::live::Regions, crate::pages::Fault> {
    let lang = request.lang();
    let version = request.facade().version(request.customer()?).await?;
    let servers = request.facade().servers(request.viewer()?).await?;
    let known = request.query("known").and_then(|n| n.parse::<usize>().ok()).unwrap_or(servers.len());
    let mut values = vec![("news".to_owned(), news(lang, servers.len(), known))];
    for view in &servers {
        let id = view.server.id;
        values.push((format!("state-{id}"), row_state(lang, view).to_html()));
        values.push((format!("address-{id}"), address(lang, view)));
        values.push((format!("menu-{id}"), menu(lang, view).to_html()));
    }
    Ok(crate::live::Regions { version, values, ..Default::default() })
}

/// Rows do not move under somebody's hand: what is new is offered.
fn news(lang: Lang, now: usize, known: usize) -> String {
    if now <= known {
        return String::new();
    }
    let text = t!(lang, "servers-new", n = (now - known) as i64);
    view! { {text} " " <a href=routes::SERVERS>{t!(lang, "servers-show")}</a> }.to_html()
}
