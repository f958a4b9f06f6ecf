//! What would interrupt a server, or lose something, is asked for once more.

use domain::{
    permission::{Action, Denial},
    power::PowerAction,
    snapshot::SnapshotAction,
    state::JobState,
};
use leptos::prelude::*;
use provisioning::ServerView;

use super::{Fault, Loaded, Params, gone, tabs};
use crate::{
    format,
    i18n::{Lang, t},
    pages::operations::blocker_text,
    request::Request,
    routes,
    shell::Page,
};

/// What can be asked for here. Its word stands in the address.
#[derive(Clone, Copy)]
pub(crate) enum Asked {
    Power(PowerAction),
    Snapshot(SnapshotAction),
    ResetPassword,
    Repair,
}

impl Asked {
    fn parse(word: &str) -> Option<Self> {
        let snapshot = word.strip_prefix("snapshot_").and_then(|w| w.parse().ok()).map(Self::Snapshot);
        let power = || word.parse().ok().map(Self::Power);
        let plain = match word {
            "reset_password" => Some(Self::ResetPassword),
            "repair" => Some(Self::Repair),
            _ => None,
        };
        snapshot.or_else(power).or(plain)
    }

    pub(crate) fn word(self) -> String {
        match self {
            Self::Power(action) => action.to_string(),
            Self::Snapshot(action) => format!("snapshot_{action}"),
            Self::ResetPassword => "reset_password".into(),
            Self::Repair => "repair".into(),
        }
    }

    /// The last part of the message ids of its kind.
    fn kind(self) -> String {
        match self {
            Self::Power(action) => format!("power-{action}"),
            Self::Snapshot(action) => format!("snapshot-{action}"),
            Self::ResetPassword => "reset_password".into(),
            Self::Repair => "repair".into(),
        }
    }

    fn allowed(self, view: &ServerView) -> Result<(), Denial> {
        match self {
            Self::Power(action) => view.can_power(action),
            Self::Snapshot(action) => view.can(action.action()),
            Self::ResetPassword => view.can(Action::ResetPassword),
            Self::Repair => view.can(Action::Repair),
        }
    }

    fn function(self) -> &'static str {
        match self {
            Self::Power(_) => "server_power",
            Self::Snapshot(_) => "server_snapshot",
            Self::ResetPassword => "server_reset_password",
            Self::Repair => "server_repair",
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Power(action) => action.as_str(),
            Self::Snapshot(action) => action.as_str(),
            Self::ResetPassword | Self::Repair => "",
        }
    }

    /// What it does, and what is lost by it.
    fn question(self, lang: Lang, view: &ServerView) -> String {
        let server = &view.server;
        let date = server.snapshot_at.map(|at| format::date_time(lang, at));
        // A snapshot that is there is replaced; a shutdown that hangs is cut short.
        let variant = match self {
            Self::Snapshot(SnapshotAction::Create) if date.is_some() => "-replace",
            Self::Power(PowerAction::ForceOff) if shutting_down(view) => "-hanging",
            _ => "",
        };
        let id = format!("confirm-{}{variant}", self.word());
        let date = date.unwrap_or_default();
        lang.tr(&id, &[("name", server.name.as_str().into()), ("date", date.as_str().into())])
    }
}

fn shutting_down(view: &ServerView) -> bool {
    let word = PowerAction::ShutDown.as_str();
    view.current.as_ref().is_some_and(|j| j.action.as_deref() == Some(word) && j.state.is_started())
}

/// What this server's next operation would start after.
pub(super) async fn starts_after(request: &Request, view: &ServerView) -> Result<Option<String>, Fault> {
    let lang = request.lang();
    let preview = request.facade().order_preview(view.server.customer).await?;
    let open = |b: &&provisioning::Blocker| b.state != JobState::Cancelled;
    let texts: Vec<String> =
        preview.blockers.iter().filter(open).map(|b| blocker_text(lang, b, true)).collect();
    let after = texts.join(&t!(lang, "queue-then"));
    Ok((!after.is_empty()).then(|| t!(lang, "terminate-after", what = after)))
}

/// A button that is refused, with its reason and a way back.
pub(super) fn denied(lang: Lang, view: &ServerView, submit: String, denial: Denial) -> AnyView {
    view! {
        <button type="button" class="button" aria-disabled="true" aria-describedby="reason">{submit}</button>
        <p class="reason" id="reason">{lang.t(&format!("denial-{denial}"))}</p>
        <p><a class="button secondary" href=routes::server(view.server.id)>{t!(lang, "operation-to-server")}</a></p>
    }
    .into_any()
}

pub(crate) async fn confirm(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let view = request.facade().server(request.viewer()?, params.id("id")?).await?.ok_or(Fault::NotFound)?;
    // An address that does not say what for leads to where it can be chosen.
    let asked = request.query("do").and_then(|word| Asked::parse(&word));
    let Some(asked) = asked else { return Err(Fault::Moved(routes::server(view.server.id))) };
    if view.server.terminated_at.is_some() {
        return Err(gone(&request, &view).await?);
    }
    let server = &view.server;
    let name = server.name.clone();
    // Cutting short a shutdown waits for nobody.
    let at_once = matches!(asked, Asked::Power(PowerAction::ForceOff)) && shutting_down(&view);
    let after = if at_once { None } else { starts_after(&request, &view).await? };
    let submit = lang.t(&format!("do-{}", asked.word()));
    let form = match asked.allowed(&view) {
        Err(denial) => denied(lang, &view, submit, denial),
        Ok(()) => view! {
            <form method="post" action=routes::action(asked.function())>
                <input type="hidden" name="server" value=server.id.to_string()/>
                <input type="hidden" name="action" value=asked.action()/>
                <input type="hidden" name="key" value=request.facade().form_key()/>
                <div class="buttons">
                    <button class="button">{submit}</button>
                    <a class="button secondary" href=routes::server(server.id) data-close="">{t!(lang, "cancel")}</a>
                </div>
            </form>
        }
        .into_any(),
    };
    let body = view! {
        {tabs(lang, server, "overview")}
        <section class="card" data-confirm="">
            <p>{asked.question(lang, &view)}</p>
            {after.map(|after| view! { <p class="note">{after}</p> })}
            {form}
        </section>
    };
    let title = lang.tr(&format!("kind-{}", asked.kind()), &[("name", name.as_str().into())]);
    Ok(Page::new(title, body))
}
