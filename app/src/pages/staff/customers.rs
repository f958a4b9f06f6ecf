//! S20: customers, by e-mail.

use leptos::prelude::*;

use super::{Fault, Loaded, Params};
use crate::{
    i18n::t,
    request::{Request, encode},
    routes,
    shell::Page,
    ui::{badge, empty_state, time},
};

const QUERY_MAX: usize = 100;

pub(crate) async fn customers(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let q = request.query("q").unwrap_or_default();
    let after = request.query("after").unwrap_or_default();
    let found = request.facade().customers(request.viewer()?, &q, &after).await?.ok_or(Fault::Forbidden)?;
    let search = view! {
        <form method="get" action=routes::STAFF_CUSTOMERS role="search" class="search">
            <label class="sr-only" for="q">{t!(lang, "customers-search")}</label>
            <input
                type="search" id="q" name="q" data-key="/" value=q.clone() maxlength=QUERY_MAX.to_string()
                placeholder=t!(lang, "customers-search")
            />
            <button class="button secondary">{t!(lang, "keys-search")}</button>
        </form>
    };
    let shown = if found.rows.is_empty() {
        let all = (!q.is_empty() || !after.is_empty()).then(|| {
            view! { <p><a class="button secondary" href=routes::STAFF_CUSTOMERS>{t!(lang, "customers-all")}</a></p> }
        });
        empty_state(t!(lang, "customers-empty-title"), t!(lang, "customers-empty"), all).into_any()
    } else {
        let rows = found
            .rows
            .iter()
            .map(|row| {
                let failed =
                    (row.failed > 0).then(|| badge("bad", t!(lang, "customers-failed", n = row.failed)));
                view! {
                    <tr>
                        <th scope="row"><a href=routes::staff_customer(row.id)>{row.email.clone()}</a></th>
                        <td data-label=t!(lang, "col-name")>{row.name.clone()}</td>
                        <td data-label=t!(lang, "col-servers") class="num">{row.servers}</td>
                        <td data-label=t!(lang, "customers-open")>{row.open} " " {failed}</td>
                        <td data-label=t!(lang, "col-since")>{time(lang, row.since)}</td>
                    </tr>
                }
            })
            .collect_view();
        let columns = ["col-customer", "col-name", "col-servers", "customers-open", "col-since"];
        let head = columns.map(|c| {
            view! { <th scope="col" class=(c == "col-servers").then_some("num")>{lang.t(c)}</th> }
        });
        let next = found.next.map(|email| {
            let href = format!("{}?q={}&after={}", routes::STAFF_CUSTOMERS, encode(&q), encode(&email));
            view! { <p><a class="button secondary" href=href>{t!(lang, "customers-next")}</a></p> }
        });
        view! {
            <table class="as-cards">
                <caption class="sr-only">{t!(lang, "customers-caption")}</caption>
                <thead><tr>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
            {next}
        }
        .into_any()
    };
    let body = view! { {search} {shown} };
    Ok(Page { wide: true, ..Page::new(t!(lang, "nav-customers"), body) })
}
