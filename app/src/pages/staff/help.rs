//! What staff can look up: what each of their screens is for, and what to do about each cause a job can fail of.

use domain::{cause::Cause, job_query::JobQuery, state::Role};
use leptos::prelude::*;

use super::{Loaded, Params, jobs::list_href};
use crate::{
    i18n::{Lang, t},
    policy::{self, Policy},
    request::Request,
    routes,
    shell::Page,
};

/// The screens, each with the word of its text and the id of its name.
const SCREENS: [(&str, &str, &str); 9] = [
    (routes::STAFF, "overview", "nav-overview"),
    (routes::STAFF_JOBS, "jobs", "nav-jobs"),
    (routes::STAFF_EDGES, "edges", "nav-edges"),
    (routes::STAFF_VAPPS, "vapps", "nav-vapps"),
    (routes::STAFF_CUSTOMERS, "customers", "nav-customers"),
    (routes::STAFF_DRIFT, "drift", "staff-drift-title"),
    (routes::STAFF_TEMPLATES, "catalogue", "nav-catalogue"),
    (routes::STAFF_SYSTEM, "system", "nav-system"),
    (routes::STAFF_AUDIT, "audit", "audit-title"),
];

/// Where the help speaks of the page at this path.
pub(crate) fn of_page(path: &str) -> String {
    let is_of = |screen: &str| match screen {
        routes::STAFF => path == routes::STAFF,
        routes::STAFF_TEMPLATES => path.starts_with(routes::STAFF_CATALOGUE),
        _ => path.starts_with(screen),
    };
    // The last that fits is the narrowest.
    match SCREENS.iter().rfind(|(screen, ..)| is_of(screen)) {
        Some((_, word, _)) => format!("{}#{word}", routes::STAFF_HELP),
        None => routes::STAFF_HELP.to_owned(),
    }
}

pub(super) fn of_cause(cause: Cause) -> String {
    format!("{}#cause-{cause}", routes::STAFF_HELP)
}

pub(crate) async fn help(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let viewer = request.viewer()?;
    let admin = viewer.role() == Role::Admin;
    let open = |path: &str| admin || !policy::PAGES.contains(&(path, Policy::Admin));
    let screens = SCREENS.iter().filter(|(path, ..)| open(path)).map(|(path, word, name)| {
        view! {
            <dt id=*word><a href=*path>{lang.t(name)}</a></dt>
            <dd>{lang.t(&format!("help-{word}"))}</dd>
        }
    });
    let causes = Cause::ALL.iter().map(|c| cause(lang, *c)).collect_view();
    let body = view! {
        <section class="card">
            <h2>{t!(lang, "help-screens")}</h2>
            <dl class="help-list">{screens.collect_view()}</dl>
        </section>
        <h2 id="causes">{t!(lang, "help-causes")}</h2>
        <p>{t!(lang, "help-causes-lead")}</p>
        {causes}
    };
    Ok(Page::new(t!(lang, "help-title"), body))
}

fn cause(lang: Lang, cause: Cause) -> impl IntoView {
    let of_it = JobQuery { error: Some(cause.to_string()), ..JobQuery::default() };
    view! {
        <section class="card" id=format!("cause-{cause}")>
            <h3>{lang.t(&format!("cause-{cause}"))} " " <code>{cause.as_str()}</code></h3>
            <p>{lang.t(&format!("advice-{cause}"))}</p>
            <p>{lang.t(&format!("runbook-{cause}"))}</p>
            <p><a href=list_href(&of_it)>{t!(lang, "help-cause-jobs")}<span class="sr-only">{format!(": {cause}")}</span></a></p>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_staff_has_its_place() {
        let staff = policy::PAGES.iter().map(|(path, _)| *path).filter(|p| p.starts_with(routes::STAFF));
        for path in staff.filter(|p| *p != routes::STAFF_HELP) {
            let place = of_page(path);
            assert!(place.contains('#'), "{path}");
            assert_eq!(place.ends_with("#overview"), path == routes::STAFF, "{path}: {place}");
        }
        assert!(of_page("/staff/system/audit").ends_with("#audit"));
        for (_, word, name) in SCREENS {
            for lang in [Lang::En, Lang::Ru] {
                assert!(lang.has(&format!("help-{word}")) && lang.has(name), "{word}");
            }
        }
    }
}
