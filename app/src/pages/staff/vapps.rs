//! S18: each customer's group on the platform, as recorded and as last seen.

use leptos::prelude::*;

use super::{Fault, Loaded, Params};
use crate::{
    i18n::t,
    request::Request,
    routes,
    shell::Page,
    ui::{badge, empty_state, time},
};

pub(crate) async fn vapps(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let groups = request.facade().staff_groups(request.viewer()?).await?.ok_or(Fault::Forbidden)?;
    if groups.is_empty() {
        let body = empty_state(t!(lang, "vapps-empty-title"), t!(lang, "vapps-empty"), ());
        return Ok(Page::new(t!(lang, "staff-vapps-title"), body));
    }
    let rows = groups
        .into_iter()
        .map(|row| {
            let g = row.group;
            let name = match g.group_ref {
                Some(_) => view! { <code>{g.name}</code> }.into_any(),
                None => view! { <code>{g.name}</code> " " <span class="dim">{t!(lang, "vapps-none")}</span> }
                    .into_any(),
            };
            let seen = g.machines.unwrap_or(0);
            let both = t!(lang, "vapps-believed", servers = row.servers, machines = seen);
            let tone = if row.servers == seen { "ok" } else { "warn" };
            let networks = g.networks.map_or_else(|| "—".to_owned(), |n| n.to_string());
            let at = match g.observed_at {
                Some(at) => time(lang, at).into_any(),
                None => t!(lang, "vapps-never").into_any(),
            };
            view! {
                <tr>
                    <th scope="row"><a href=routes::staff_vapp(g.customer)>{row.customer_email}</a></th>
                    <td data-label=t!(lang, "col-name")>{name}</td>
                    <td data-label=t!(lang, "col-servers")>{badge(tone, both)}</td>
                    <td data-label=t!(lang, "col-networks") class="num">{networks}</td>
                    <td data-label=t!(lang, "col-checked")>{at}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["col-customer", "col-name", "col-servers", "col-networks", "col-checked"];
    let head = columns.map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    let body = view! {
        <table class="as-cards">
            <caption class="sr-only">{t!(lang, "vapps-caption")}</caption>
            <thead><tr>{head}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
    };
    Ok(Page { wide: true, ..Page::new(t!(lang, "staff-vapps-title"), body) })
}
