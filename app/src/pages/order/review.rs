//! S7: everything once more, with the price, and the button.

use domain::{
    access::{Method, PasswordSource},
    draft::WizardStep,
    field::Field,
    price::Quote,
};
use leptos::prelude::*;
use provisioning::{Draft, QueuePreview, draft_digest};

use super::{
    Loaded, Params, draft, draft_input, step_name, step_page,
    summary::{item_name, per_hour},
};
use crate::{
    format,
    i18n::{Lang, t},
    pages::operations::blocker_text,
    request::{Memory, Request},
    routes,
    ui::{Errors, fact, label},
};

pub(crate) async fn review(request: Request, params: Params) -> Loaded {
    let draft = draft(&request, &params).await?;
    let lang = request.lang();
    let flash = Memory(&request.around.session)
        .flash_of(&format!("review-{}", draft.draft.id))
        .await
        .unwrap_or_default();
    let faulty = draft.first_faulty();
    // What the order step said about terms and price; what is wrong with a step is shown as it is now.
    let errors =
        Errors(flash.errors.into_iter().filter(|e| matches!(e.field, Field::Terms | Field::Price)).collect());
    let preview = request.facade().order_preview(draft.draft.customer).await?;
    let quote = request.facade().draft_quote(&draft.draft.values).map(|(_, q)| q);
    let order = quote
        .as_ref()
        .filter(|_| faulty.is_none())
        .map(|q| order_form(lang, &draft.draft, q, &errors, preview.first));
    let form = view! {
        {super::help(lang, t!(lang, "review-help"))}
        {choices(&request, &draft.draft)}
        {quote.as_ref().map(|q| price_table(lang, q))}
        {checks(&request, &draft.draft, faulty, &preview)}
        {order}
        <p><a class="button secondary" href=routes::order(draft.draft.id, WizardStep::Access)>{t!(lang, "wizard-back")}</a></p>
    };
    let form = form.into_any();
    Ok(step_page(&request, &draft, WizardStep::Review, t!(lang, "review-heading"), errors, form))
}

fn choices(request: &Request, draft: &Draft) -> impl IntoView + use<> {
    let (lang, v) = (request.lang(), &draft.values);
    let template =
        request.facade().catalogue().template(&v.template).map_or("—".into(), |t| t.name.clone());
    let panel =
        v.panel_of(request.facade().catalogue()).map_or_else(|| t!(lang, "panel-none"), |p| p.name.clone());
    let size =
        v.check_size(request.facade().catalogue()).map_or_else(|_| "—".to_owned(), |s| format::size(lang, s));
    let method = v.method.parse::<Method>();
    let password = match (&method, v.password_source.parse()) {
        (Ok(m), _) if !m.uses_password() => t!(lang, "password-line-none"),
        (_, Ok(PasswordSource::Own)) => t!(lang, "password-line-own"),
        _ => t!(lang, "password-line-generated"),
    };
    let method_text = method.map(|m| lang.t(&format!("method-{m}"))).unwrap_or_default();
    let change = |step: WizardStep| {
        let text = t!(lang, "review-change-of", step = step_name(lang, step));
        view! { <a href=routes::order(draft.id, step) aria-label=text>{t!(lang, "review-change")}</a> }
    };
    view! {
        <section class="card">
            <h2>{step_name(lang, WizardStep::Os)} " " {change(WizardStep::Os)}</h2>
            <dl class="facts">{fact(label(lang, Field::Template), template)}</dl>
        </section>
        <section class="card">
            <h2>{step_name(lang, WizardStep::Panel)} " " {change(WizardStep::Panel)}</h2>
            <dl class="facts">{fact(label(lang, Field::Panel), panel)}</dl>
        </section>
        <section class="card">
            <h2>{step_name(lang, WizardStep::Size)} " " {change(WizardStep::Size)}</h2>
            <dl class="facts">{fact(t!(lang, "col-size"), size)}</dl>
        </section>
        <section class="card">
            <h2>{step_name(lang, WizardStep::Access)} " " {change(WizardStep::Access)}</h2>
            <dl class="facts">
                {fact(label(lang, Field::Name), v.name.clone())}
                {fact(label(lang, Field::Hostname), v.hostname.clone())}
                {fact(label(lang, Field::Method), method_text)}
                {fact(label(lang, Field::GuestLogin), v.guest_login.clone())}
                {fact(label(lang, Field::GuestPassword), password)}
            </dl>
        </section>
    }
}

fn price_table(lang: Lang, quote: &Quote) -> impl IntoView + use<> {
    let rows = quote
        .lines
        .iter()
        .map(|l| {
            view! {
                <tr>
                    <th scope="row">{item_name(lang, l.item)}</th>
                    <td class="num">{l.quantity}</td>
                    <td class="num">{format::money(lang, l.unit_minor)}</td>
                    <td class="num">{format::money(lang, l.sum_minor)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="scroll" role="region" tabindex="0" aria-label=t!(lang, "review-price")>
            <table>
                <caption>{t!(lang, "review-price")}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t!(lang, "review-item")}</th>
                        <th scope="col" class="num">{t!(lang, "review-quantity")}</th>
                        <th scope="col" class="num">{t!(lang, "review-unit")}</th>
                        <th scope="col" class="num">{t!(lang, "review-sum")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>
                    {(quote.servers > 1).then(|| view! {
                        <tr>
                            <th scope="row" colspan="3">{t!(lang, "review-servers", n = i64::from(quote.servers))}</th>
                            <td class="num">{format!("{} × {}", quote.servers, format::money(lang, quote.each_minor))}</td>
                        </tr>
                    })}
                    <tr>
                        <th scope="row" colspan="3">{t!(lang, "review-total")}</th>
                        <td class="num"><strong>{format::money(lang, quote.total_minor)}</strong></td>
                    </tr>
                </tfoot>
            </table>
        </div>
        <p class="dim">{per_hour(lang, quote.total_minor)}</p>
    }
}

fn checks(
    request: &Request,
    draft: &Draft,
    faulty: Option<WizardStep>,
    preview: &QueuePreview,
) -> impl IntoView + use<> {
    let lang = request.lang();
    let panel = draft.values.panel_of(request.facade().catalogue());
    let time = panel.map_or_else(
        || t!(lang, "review-time"),
        |p| t!(lang, "review-time-panel", panel = p.name.clone(), n = i64::from(p.usual_minutes + 4)),
    );
    let fit = match faulty {
        None => view! { <li class="ok">{t!(lang, "review-check-ok")}</li> }.into_any(),
        Some(step) => view! {
            <li class="bad">
                {t!(lang, "review-check-bad", step = step_name(lang, step))} " "
                <a href=routes::order(draft.id, step)>{t!(lang, "review-fix")}</a>
            </li>
        }
        .into_any(),
    };
    let slot = if preview.free_edges > 0 {
        view! { <li class="ok">{t!(lang, "review-check-slot")}</li> }.into_any()
    } else {
        view! { <li class="warn">{t!(lang, "size-edges-none")}</li> }.into_any()
    };
    let jobs = draft.values.check_quantity().map_or(1, i64::from) * if panel.is_some() { 2 } else { 1 };
    let room = (jobs > preview.room).then(|| {
        view! { <li class="bad">{t!(lang, "review-no-room", n = preview.room)}</li> }
    });
    let queue = preview.blockers.last().map(|b| {
        let text = t!(lang, "review-after", what = blocker_text(lang, b, false));
        view! { <li class="warn">{text}</li> }
    });
    view! {
        <section class="card">
            <h2>{t!(lang, "review-checks")}</h2>
            <ul class="checks">{fit}{slot}{room}{queue}</ul>
            <p class="dim">{time}</p>
        </section>
    }
}

fn order_form(
    lang: Lang,
    draft: &Draft,
    quote: &Quote,
    errors: &Errors,
    first: bool,
) -> impl IntoView + use<> {
    let price = format::money(lang, quote.total_minor);
    let submit = match quote.servers {
        1 => t!(lang, "review-submit", price = price),
        n => t!(lang, "review-submit-several", n = i64::from(n), price = price),
    };
    // Asked for once; what is ordered later is ordered under the same.
    let terms = if first {
        view! {
                <div class="field">
                    <label class="check" for="terms">
                        <input
                            type="checkbox" id="terms" name="terms" value="yes" required
                            aria-invalid=errors.invalid(Field::Terms) aria-describedby=errors.described(Field::Terms, false)
                        />
                        <span>{t!(lang, "review-terms")}</span>
                    </label>
                    {errors.at(lang, Field::Terms)}
                </div>
        }
        .into_any()
    } else {
        view! { <p class="dim">{t!(lang, "review-terms-hold")}</p> }.into_any()
    };
    view! {
        <form method="post" action=routes::action("order_place") class="order" id=super::START>
            {draft_input(draft)}
            <input type="hidden" name="total" value=quote.total_minor.to_string()/>
            <input type="hidden" name="seen" value=draft_digest(draft)/>
            <div id="price">{errors.at(lang, Field::Price)}</div>
            {terms}
            <div class="buttons">
                <button class="button big">{submit}</button>
                <button class="button secondary" name="next" value="another">{t!(lang, "review-another")}</button>
            </div>
        </form>
    }
}
