//! S22: what was done by hand: by whom, to what, when and why; the newest first. What is asked for stands in the address, and
//! the files are asked for with the same words.

use domain::AccountId;
use leptos::prelude::*;
use provisioning::{AuditFilter, AuditLine};

use super::{Fault, Loaded, Params};
use crate::{
    i18n::{Lang, t},
    request::{Request, encode, query},
    routes,
    shell::Page,
    ui::{empty_state, time},
};

/// Everything that is written down by this name.
pub(crate) const WHAT: [&str; 17] = [
    "edge_release",
    "edge_quarantine",
    "edge_return",
    "server_change_edge",
    "vapp_migrate",
    "drift_accept",
    "orphan_delete",
    "job_rerun",
    "job_roll_back",
    "job_marked_done",
    "job_stop_asked",
    "job_bypass",
    "look_as",
    "maintenance_begin",
    "maintenance_end",
    "catalogue_change",
    "catalogue_withdraw",
];

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct AuditAsked {
    pub by: String,
    pub what: String,
    pub subject: String,
    before: String,
}

impl AuditAsked {
    /// Out of an address.
    pub fn of(path: &str) -> Self {
        let text = |name| query(path, name).unwrap_or_default().chars().take(100).collect();
        Self { by: text("by"), what: text("what"), subject: text("subject"), before: text("before") }
    }

    /// As the store takes it; who is meant has been looked up.
    pub fn filter(&self, by: Option<AccountId>) -> AuditFilter {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        AuditFilter {
            by,
            what: given(&self.what),
            subject_id: given(&self.subject),
            before: given(&self.before),
        }
    }

    fn query(&self) -> String {
        format!("by={}&what={}&subject={}", encode(&self.by), encode(&self.what), encode(&self.subject))
    }
}

pub(crate) async fn audit(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let viewer = request.viewer()?;
    let asked = AuditAsked::of(&request.around.path);
    let by = match asked.by.as_str() {
        "" => None,
        email => request.facade().staff_by_email(viewer, email).await?,
    };
    let nobody = !asked.by.is_empty() && by.is_none();
    let page = request.facade().audit(viewer, &asked.filter(by)).await?.ok_or(Fault::Forbidden)?;
    let shown = if page.lines.is_empty() {
        let all =
            view! { <p><a class="button secondary" href=routes::STAFF_AUDIT>{t!(lang, "audit-all")}</a></p> };
        empty_state(t!(lang, "audit-empty-title"), t!(lang, "audit-empty"), all).into_any()
    } else {
        let rows = page.lines.iter().map(|line| row(lang, line)).collect_view();
        let head = ["col-time", "audit-by", "col-what", "audit-subject", "audit-why"]
            .map(|c| view! { <th scope="col">{lang.t(c)}</th> });
        let older = page.lines.last().filter(|_| page.more).map(|line| {
            let href = format!("{}?{}&before={}", routes::STAFF_AUDIT, asked.query(), line.id);
            view! { <p><a class="button secondary" href=href>{t!(lang, "staff-more")}</a></p> }
        });
        view! {
            <table class="as-cards">
                <caption class="sr-only">{t!(lang, "audit-caption")}</caption>
                <thead><tr>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
            {older}
        }
        .into_any()
    };
    let file = |path: &str| format!("{path}?{}", asked.query());
    let body = view! {
        <p><a href=routes::STAFF_SYSTEM>{t!(lang, "nav-system")}</a></p>
        {form(lang, &asked)}
        {nobody.then(|| view! { <p class="note">{t!(lang, "audit-nobody", email = asked.by.clone())}</p> })}
        <p>
            <a href=file(routes::STAFF_AUDIT_CSV)>{t!(lang, "audit-csv")}</a> " "
            <a href=file(routes::STAFF_AUDIT_JSON)>{t!(lang, "audit-json")}</a>
        </p>
        {shown}
    };
    Ok(Page { wide: true, ..Page::new(t!(lang, "audit-title"), body) })
}

fn form(lang: Lang, asked: &AuditAsked) -> AnyView {
    let options = WHAT
        .iter()
        .map(|what| view! { <option value=*what selected={asked.what == *what}>{lang.t(&format!("audit-{what}"))}</option> })
        .collect_view();
    view! {
        <form method="get" action=routes::STAFF_AUDIT class="toolbar">
            <div class="field">
                <label for="by">{t!(lang, "audit-by")}</label>
                <input type="text" id="by" name="by" value=asked.by.clone() maxlength="100" inputmode="email" autocomplete="off"/>
            </div>
            <div class="field">
                <label for="what">{t!(lang, "col-what")}</label>
                <select id="what" name="what"><option value="">{t!(lang, "audit-any")}</option>{options}</select>
            </div>
            {(!asked.subject.is_empty()).then(|| view! { <input type="hidden" name="subject" value=asked.subject.clone()/> })}
            <button class="button secondary">{t!(lang, "audit-show")}</button>
        </form>
    }
    .into_any()
}

/// Where what a line is about is looked at.
fn subject(line: &AuditLine) -> AnyView {
    let id = &line.subject_id;
    let href = match line.subject.as_str() {
        "edge" => id.parse().ok().map(routes::staff_edge),
        "job" => id.parse().ok().map(routes::staff_job),
        "server" => id.parse().ok().map(routes::server),
        "customer" => id.parse().ok().map(routes::staff_customer),
        "group" => id.parse().ok().map(routes::staff_vapp),
        _ => None,
    };
    let name = if line.name.is_empty() { "—".to_owned() } else { line.name.clone() };
    match href {
        Some(href) => view! { <a href=href>{name}</a> }.into_any(),
        None => name.into_any(),
    }
}

fn row(lang: Lang, line: &AuditLine) -> AnyView {
    let who = line.by_name.clone().unwrap_or_else(|| t!(lang, "audit-command-line"));
    let what = if WHAT.contains(&line.what.as_str()) {
        lang.t(&format!("audit-{}", line.what))
    } else {
        line.what.clone()
    };
    view! {
        <tr>
            <th scope="row" class="nowrap">{time(lang, line.at)}</th>
            <td data-label=t!(lang, "audit-by")>{who}</td>
            <td data-label=t!(lang, "col-what")>{what}</td>
            <td data-label=t!(lang, "audit-subject")>{subject(line)}</td>
            <td data-label=t!(lang, "audit-why") class="said">{line.detail.clone()}</td>
        </tr>
    }
    .into_any()
}
