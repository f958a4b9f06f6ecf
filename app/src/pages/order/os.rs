//! S3: the system.

use domain::{
    catalogue::{Catalogue, Channel, Family, Template},
    draft::WizardStep,
    field::Field,
};
use leptos::prelude::*;
use provisioning::JudgedDraft;

use super::{
    Loaded, Params, START, buttons, draft, draft_input, enter_is_next, help, shown_errors, step_page,
};
use crate::{
    format,
    i18n::{Lang, t},
    request::{Request, encode},
    routes,
    ui::Errors,
};

pub(crate) async fn os(request: Request, params: Params) -> Loaded {
    let draft = draft(&request, &params).await?;
    let lang = request.lang();
    let errors = shown_errors(&draft, WizardStep::Os);
    let catalogue = request.facade().catalogue();
    let today = format::iso(request.facade().now_ms());
    let chosen = &draft.draft.values.template;
    let shown = Shown::read(&request);
    let families = [(Family::Linux, t!(lang, "family-linux")), (Family::Windows, t!(lang, "family-windows"))]
        .into_iter()
        .filter(|(family, _)| shown.family.is_none_or(|f| f == *family))
        .map(|(family, name)| {
            let cards = catalogue
                .offered()
                .filter(|t| t.family == family && (shown.fits(&draft, catalogue, t) || t.id == *chosen))
                .map(|template| {
                    let panels: Vec<&str> =
                        catalogue.panels_for(template, &draft.today).map(|p| p.name.as_str()).collect();
                    card(lang, template, chosen, &errors, &today, panels.join(", "))
                })
                .collect_view();
            view! { <fieldset class="cards"><legend>{name}</legend>{cards}</fieldset> }
        })
        .collect_view();
    let form = view! {
        {help(lang, t!(lang, "os-help"))}
        {filters(&request, &draft, &shown)}
        <form method="post" action=routes::action("draft_save_os") id=START>
            {enter_is_next()}
            {draft_input(&draft.draft)}
            <div id="template">{families}</div>
            {errors.at(lang, Field::Template)}
            {buttons(&request, &draft.draft, WizardStep::Os)}
        </form>
    };
    let form = form.into_any();
    Ok(step_page(&request, &draft, WizardStep::Os, t!(lang, "os-heading"), errors, form))
}

/// Which systems are shown; the one that is chosen always is.
#[derive(Clone, Default, PartialEq, Eq)]
struct Shown {
    family: Option<Family>,
    /// Those that this panel runs on.
    panel: Option<String>,
}

impl Shown {
    fn read(request: &Request) -> Self {
        let family = match request.query("family").as_deref() {
            Some("linux") => Some(Family::Linux),
            Some("windows") => Some(Family::Windows),
            _ => None,
        };
        let known = |id: &String| request.facade().catalogue().panel(id).is_some();
        Self { family, panel: request.query("panel").filter(known) }
    }

    fn fits(&self, draft: &JudgedDraft, catalogue: &Catalogue, template: &Template) -> bool {
        self.panel.as_ref().is_none_or(|id| catalogue.panels_for(template, &draft.today).any(|p| p.id == *id))
    }

    fn query(&self) -> String {
        let family = self.family.map(|f| match f {
            Family::Linux => "family=linux".to_owned(),
            Family::Windows => "family=windows".to_owned(),
        });
        let panel = self.panel.as_ref().map(|p| format!("panel={}", encode(p)));
        let pairs: Vec<String> = [family, panel].into_iter().flatten().collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }
}

fn filters(request: &Request, draft: &JudgedDraft, shown: &Shown) -> AnyView {
    let lang = request.lang();
    let link = |to: Shown, text: String| {
        let href = format!("{}{}", routes::order(draft.draft.id, WizardStep::Os), to.query());
        view! { <li><a href=href aria-current=(to == *shown).then_some("true")>{text}</a></li> }
    };
    let families = [(Family::Linux, t!(lang, "family-linux")), (Family::Windows, t!(lang, "family-windows"))]
        .map(|(family, text)| link(Shown { family: Some(family), panel: None }, text));
    let panels = request
        .facade()
        .catalogue()
        .panels
        .iter()
        .map(|p| {
            let text = t!(lang, "os-filter-panel", panel = p.name.clone());
            link(Shown { family: None, panel: Some(p.id.clone()) }, text)
        })
        .collect_view();
    view! {
        <nav class="filters" aria-label=t!(lang, "os-filters")>
            <ul>{link(Shown::default(), t!(lang, "servers-all"))} {families} {panels}</ul>
        </nav>
    }
    .into_any()
}

fn card(
    lang: Lang,
    template: &Template,
    chosen: &str,
    errors: &Errors,
    today: &str,
    panels: String,
) -> impl IntoView + use<> {
    let id = format!("template-{}", template.id.replace('.', "-"));
    let note = format!("{id}-note");
    let over = template.supported_until.as_deref().is_some_and(|until| until < today);
    let support = template.supported_until.as_deref().map(|until| {
        let date = format::iso_date(lang, until);
        if over { t!(lang, "os-old", date = date) } else { t!(lang, "os-supported", date = date) }
    });
    let tone = match template.channel {
        Channel::Stable => "ok",
        Channel::Old => "warn",
        Channel::New => "busy",
    };
    let minimum = t!(
        lang,
        "os-minimum",
        vcpu = template.min_vcpu.to_string(),
        ram = format::gigabytes(lang, template.min_ram_gb),
        disk = format::gigabytes(lang, template.min_disk_gb),
    );
    let licence = (template.licence_minor > 0)
        .then(|| t!(lang, "os-licence", price = format::money(lang, template.licence_minor)));
    view! {
        <label class="card choice" for=id.clone()>
            <span class="choice-head">
                <input
                    type="radio" name="template" id=id.clone() value=template.id.clone() checked=template.id == chosen
                    aria-describedby=note.clone() aria-invalid=errors.invalid(Field::Template)
                />
                <strong>{template.name.clone()}</strong>
                {crate::ui::badge(tone, lang.t(&format!("channel-{}", template.channel.as_str())))}
            </span>
            <span class="dim" id=note>
                {support.map(|s| view! { <span>{s}</span> })}
                <span>{minimum}</span>
                {licence.map(|l| view! { <span>{l}</span> })}
                {(!panels.is_empty()).then(|| view! { <span>{t!(lang, "os-panels", panels = panels)}</span> })}
            </span>
        </label>
    }
}
