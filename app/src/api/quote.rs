//! The price of a size, for the page while somebody types. Reads only.

use leptos::prelude::*;

/// The texts of the price table by key: `vcpu`, `ram`, `disk`, `bandwidth`, `panel`, `total`, `hour`. Empty while a value is
/// out of its limits.
#[server(name = SizeQuote, prefix = "/do", endpoint = "size_quote")]
pub async fn size_quote(
    #[server(default)] template: String,
    #[server(default)] panel: String,
    #[server(default)] vcpu: String,
    #[server(default)] ram: String,
    #[server(default)] disk: String,
    #[server(default)] bandwidth: String,
    #[server(default)] servers: String,
) -> Result<Vec<(String, String)>, ServerFnError> {
    let request = crate::request::Request::current().ok_or_else(|| ServerFnError::new("no request"))?;
    let quote = request.facade().quote((&template, &panel), [&vcpu, &ram, &disk, &bandwidth], &servers);
    Ok(quote.map(|q| crate::pages::quote_texts(request.lang(), &q)).unwrap_or_default())
}
