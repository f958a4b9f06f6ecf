//! S18: one customer's group: what the platform holds against what is written down, what keeps its networks, what was moved, and
//! what a move would do.

use domain::{CustomerId, ServerId, state::Role};
use leptos::prelude::*;
use provisioning::{GroupDetail, KeptBy, MovePlan};

use super::{Fault, Loaded, Params, why_field};
use crate::{
    format,
    i18n::{Lang, t},
    pages::{
        operations::{kind_title, state_badge_staff},
        servers::state_badge,
    },
    request::{Memory, Request},
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors, badge, fact, time},
};

pub(crate) async fn vapp(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let id: CustomerId = params.id("id")?;
    let viewer = request.viewer()?;
    let detail = request.facade().staff_group(viewer, id).await?.ok_or(Fault::NotFound)?;
    let admin = viewer.role() == Role::Admin;
    let group = &detail.group;
    let wanted = detail.look_wanted.map(|at| {
        view! { <p class="note" role="status">{t!(lang, "vapp-look-wanted", time = format::clock(lang, at))}</p> }
    });
    let exists = match &group.group_ref {
        Some(reference) => view! { <code>{reference.clone()}</code> }.into_any(),
        None => t!(lang, "vapps-none").into_any(),
    };
    let at = group.observed_at.map_or_else(|| t!(lang, "vapps-never").into_any(), |at| time(lang, at));
    let customer = view! { <a href=routes::staff_customer(id)>{detail.customer_email.clone()}</a> };
    let body = view! {
        <p><a href=routes::STAFF_VAPPS>{t!(lang, "vapp-back")}</a></p>
        {detail.differs().then(|| view! { <p>{badge("bad", t!(lang, "vapp-differs"))} " " <a href=routes::STAFF_DRIFT>{t!(lang, "drift-title")}</a></p> })}
        <dl class="facts">
            {fact(t!(lang, "col-customer"), customer)}
            {fact(t!(lang, "vapp-ref"), exists)}
            {fact(t!(lang, "col-checked"), at)}
        </dl>
        {wanted}
        {admin.then(|| view! {
            <form method="post" action=routes::action("vapp_resync")>
                <input type="hidden" name="customer" value=id.to_string()/>
                <button class="button secondary">{t!(lang, "vapp-resync")}</button>
            </form>
        })}
        {machines(lang, &detail)}
        {networks(lang, &detail)}
        {held(lang, &detail)}
        {plan_section(&request, &detail, admin)}
        {jobs(lang, &detail)}
    };
    Ok(Page { wide: true, ..Page::new(t!(lang, "vapp-title", name = group.name.clone()), body) })
}

/// Both sides of every machine: what is written down, and what was seen.
fn machines(lang: Lang, detail: &GroupDetail) -> AnyView {
    let Some(seen) = &detail.seen else {
        return view! { <p class="note">{t!(lang, "vapps-never")}</p> }.into_any();
    };
    let record = detail.servers.iter().map(|s| (format!("vds-{}", s.id), Some(s)));
    let mut names: Vec<(String, Option<_>)> = record.collect();
    for machine in &seen.machines {
        if !names.iter().any(|(name, _)| *name == machine.name) {
            names.push((machine.name.clone(), None));
        }
    }
    let rows = names
        .iter()
        .map(|(name, server)| {
            let there = seen.machines.iter().find(|m| m.name == *name);
            let ours = match server {
                Some(s) => view! { <a href=routes::server(s.id)>{s.name.clone()}</a> " " {state_badge(lang, s.state)} }.into_any(),
                None => badge("bad", t!(lang, "vapp-not-ours")),
            };
            let theirs = match there {
                Some(m) => {
                    let on = if m.on { t!(lang, "vapp-on") } else { t!(lang, "vapp-off") };
                    view! { <code>{m.name.clone()}</code> " " {on} }.into_any()
                }
                None if server.is_some_and(|s| s.machine_ref.is_none()) => "—".into_any(),
                None => badge("bad", t!(lang, "vapp-not-there")),
            };
            let obstacle = there.and_then(|m| m.obstacle.clone()).unwrap_or_else(|| "—".into());
            view! {
                <tr>
                    <th scope="row">{ours}</th>
                    <td data-label=t!(lang, "edge-platform")>{theirs}</td>
                    <td data-label=t!(lang, "edge-network")>{there.and_then(|m| m.network.clone()).map(|n| view! { <code>{n}</code> })}</td>
                    <td data-label=t!(lang, "vapp-obstacle")>{obstacle}</td>
                </tr>
            }
        })
        .collect_view();
    let head = ["edge-record", "edge-platform", "edge-network", "vapp-obstacle"]
        .map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    view! {
        <section aria-labelledby="machines">
            <h2 id="machines">{t!(lang, "col-servers")}</h2>
            <table class="as-cards">
                <caption class="sr-only">{t!(lang, "vapp-machines-caption")}</caption>
                <thead><tr>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn networks(lang: Lang, detail: &GroupDetail) -> Option<AnyView> {
    let rows = detail
        .networks
        .iter()
        .map(|line| {
            let kept: Vec<String> = line
                .kept_by
                .iter()
                .map(|kept| match kept {
                    KeptBy::Machine { machine, server } => {
                        t!(
                            lang,
                            "vapp-kept-machine",
                            name = server.clone().unwrap_or_else(|| machine.clone())
                        )
                    }
                    KeptBy::GroupRuns => t!(lang, "vapp-kept-runs"),
                    KeptBy::Nothing => t!(lang, "vapp-kept-nothing"),
                })
                .collect();
            let of = match (&line.server_name, line.server) {
                (Some(name), Some(id)) => view! { <a href=routes::server(id)>{name.clone()}</a> }.into_any(),
                (None, Some(_)) => t!(lang, "vapp-left").into_any(),
                _ => t!(lang, "vapp-not-ours").into_any(),
            };
            view! {
                <tr>
                    <th scope="row"><code>{line.name.clone()}</code></th>
                    <td data-label=t!(lang, "col-owner")>{of}</td>
                    <td data-label=t!(lang, "vapp-kept")>{kept.join(" ")}</td>
                </tr>
            }
        })
        .collect_view();
    let head = ["edge-network", "col-owner", "vapp-kept"].map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    (!detail.networks.is_empty()).then(|| {
        view! {
            <section aria-labelledby="networks">
                <h2 id="networks">{t!(lang, "col-networks")}</h2>
                <table class="as-cards">
                    <caption class="sr-only">{t!(lang, "vapp-networks-caption")}</caption>
                    <thead><tr>{head}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
        }
        .into_any()
    })
}

fn held(lang: Lang, detail: &GroupDetail) -> Option<AnyView> {
    let items = detail
        .held
        .iter()
        .map(|edge| {
            let why = edge.held.clone().unwrap_or_default();
            view! { <li><a href=routes::staff_edge(edge.id)>{edge.facts.name.clone()}</a> " " {t!(lang, "edges-held", why = why)}</li> }
        })
        .collect_view();
    (!detail.held.is_empty())
        .then(|| view! { <h2>{t!(lang, "vapp-held")}</h2> <ul class="plain rows">{items}</ul> }.into_any())
}

/// A look at a move before it is made: of what nobody uses, or of what would follow if a server left.
fn plan_section(request: &Request, detail: &GroupDetail, admin: bool) -> AnyView {
    let lang = request.lang();
    let asked = request.query("plan");
    let leaves = asked.as_deref().and_then(|text| text.parse::<ServerId>().ok());
    let leaves = leaves.filter(|id| detail.servers.iter().any(|s| s.id == *id));
    let options = detail
        .servers
        .iter()
        .map(|s| {
            let text = t!(lang, "vapp-plan-if", name = s.name.clone());
            view! { <option value=s.id.to_string() selected={leaves == Some(s.id)}>{text}</option> }
        })
        .collect_view();
    let shown = asked.is_some().then(|| match detail.plan(leaves) {
        None => view! { <p class="note">{t!(lang, "vapps-never")}</p> }.into_any(),
        Some(plan) if plan.is_empty() => view! { <p class="note">{t!(lang, "vapp-plan-nothing")}</p> }.into_any(),
        Some(plan) => view! {
            {plan_view(lang, &plan)}
            {(admin && leaves.is_none()).then(|| view! {
                <p><a class="button" href=routes::staff_vapp_confirm(detail.group.customer, "migrate")>{t!(lang, "vapp-migrate")}</a></p>
            })}
        }
        .into_any(),
    });
    view! {
        <section class="card" aria-labelledby="plan">
            <h2 id="plan">{t!(lang, "vapp-plan")}</h2>
            <form method="get" action=format!("{}#plan", routes::staff_vapp(detail.group.customer))>
                <div class="field">
                    <label for="plan-of">{t!(lang, "vapp-plan-of")}</label>
                    <select id="plan-of" name="plan">
                        <option value="unused">{t!(lang, "vapp-plan-unused")}</option>
                        {options}
                    </select>
                </div>
                <button class="button secondary">{t!(lang, "vapp-plan-show")}</button>
            </form>
            {shown}
        </section>
    }
    .into_any()
}

fn plan_view(lang: Lang, plan: &MovePlan) -> AnyView {
    let codes =
        |names: &[String]| names.iter().map(|n| view! { <li><code>{n.clone()}</code></li> }).collect_view();
    let machines = plan
        .machines
        .iter()
        .map(|(machine, server)| view! { <li>{server.clone().unwrap_or_default()} " " <code>{machine.clone()}</code></li> })
        .collect_view();
    let way = plan
        .in_the_way
        .iter()
        .map(|(machine, why)| view! { <li><code>{machine.clone()}</code> ": " {why.clone()}</li> })
        .collect_view();
    let gone: Vec<String> = plan.gone_machines.iter().chain(&plan.gone_networks).cloned().collect();
    view! {
        {(!plan.in_the_way.is_empty()).then(|| view! {
            <div class="banner bad"><strong>{t!(lang, "vapp-plan-way")}</strong> <ul>{way}</ul></div>
        })}
        <dl class="facts">
            {fact(t!(lang, "vapp-plan-next"), view! { <code>{plan.next.clone()}</code> })}
            {fact(t!(lang, "vapp-plan-machines"), view! { <ul class="plain">{machines}</ul> })}
            {fact(t!(lang, "vapp-plan-networks"), view! { <ul class="plain">{codes(&plan.networks)}</ul> })}
            {fact(t!(lang, "vapp-plan-gone"), view! { <ul class="plain">{codes(&gone)}</ul> })}
            {fact(t!(lang, "vapp-plan-old"), view! { <code>{plan.old.clone()}</code> })}
        </dl>
        <p class="note">{t!(lang, "vapp-plan-means")}</p>
    }
    .into_any()
}

fn jobs(lang: Lang, detail: &GroupDetail) -> AnyView {
    let list = |jobs: &[provisioning::Job]| {
        jobs.iter()
            .map(|job| {
                let what = kind_title(lang, job, &job.server_name.clone().unwrap_or_default());
                let at = job.finished_at.map(|at| time(lang, at));
                view! {
                    <li>
                        <a href=routes::staff_job(job.id)>{format!("#{}", job.number)}</a> " " {what} " "
                        {state_badge_staff(lang, job.state)} " " <span class="dim">{at}</span>
                    </li>
                }
            })
            .collect_view()
    };
    let none = |empty: bool| empty.then(|| view! { <p class="dim">{t!(lang, "vapp-no-jobs")}</p> });
    view! {
        <section aria-labelledby="open">
            <h2 id="open">{t!(lang, "vapp-open")}</h2>
            {none(detail.open.is_empty())}
            <ol class="plain rows">{list(&detail.open)}</ol>
        </section>
        <section aria-labelledby="moves">
            <h2 id="moves">{t!(lang, "vapp-moves")}</h2>
            {none(detail.moves.is_empty())}
            <ol class="plain rows">{list(&detail.moves)}</ol>
        </section>
    }
    .into_any()
}

/// A move is asked for once more, with what it would do and a reason.
pub(crate) async fn vapp_confirm(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let id: CustomerId = params.id("id")?;
    let viewer = request.viewer()?;
    let detail = request.facade().staff_group(viewer, id).await?.ok_or(Fault::NotFound)?;
    if request.query("do").as_deref() != Some("migrate") {
        return Err(Fault::Moved(routes::staff_vapp(id)));
    }
    let flash = Memory(&request.around.session).flash_of(&format!("vapp-{id}")).await.unwrap_or_default();
    let errors = Errors(flash.errors.clone());
    let refused = !errors.is_empty();
    let typed = flash.values.get("why").cloned().unwrap_or_default();
    let back =
        view! { <a class="button secondary" href=routes::staff_vapp(id)>{t!(lang, "vapp-back-one")}</a> };
    let body = match detail.plan(None).filter(|plan| !plan.is_empty()) {
        None => {
            view! { <p class="note">{t!(lang, "vapp-plan-nothing")}</p> <div class="buttons">{back}</div> }
                .into_any()
        }
        Some(plan) => view! {
            {plan_view(lang, &plan)}
            <form method="post" action=routes::action("vapp_migrate") novalidate=true>
                <input type="hidden" name="customer" value=id.to_string()/>
                <input type="hidden" name="key" value=request.facade().form_key()/>
                {why_field(lang, &errors, typed)}
                <div class="buttons">
                    <button class="button">{t!(lang, "vapp-migrate")}</button>
                    {back}
                </div>
            </form>
        }
        .into_any(),
    };
    let body = view! {
        <ErrorSummary lang errors/>
        <section class="card">{body}</section>
    };
    Ok(Page { refused, ..Page::new(t!(lang, "vapp-migrate"), body) })
}
