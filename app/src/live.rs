//! The regions of live pages: what a stream sends when something has changed.
//!
//! The same functions render a region for the page and for its patches, so the two cannot differ. How the stream is
//! opened, guarded and resumed is the edge's work.

use leptos::prelude::{Owner, ScopedFuture, provide_context};

use crate::{
    pages::{Fault, operations, servers, staff},
    request::{Around, Product, Request},
};

/// The changing parts of a page, rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regions {
    /// The version of the context they contain; 0 where a page spans many.
    pub version: i64,
    /// HTML by region key.
    pub values: Vec<(String, String)>,
    pub title: Option<String>,
    /// One sentence for a screen reader.
    pub say: Option<String>,
    /// It is said at once, whatever is being read.
    pub urgent: bool,
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What it shows is not there, or not the viewer's any more.
    NoAccess,
    /// It could not be read just now.
    Fault,
}

/// Renders the regions of a live page. `topic` is the stream's path without `/live`.
pub async fn regions(product: Product, around: Around, topic: &str) -> Result<Regions, End> {
    let request = Request { around, product };
    let owner = Owner::new();
    let path = topic.split('?').next().unwrap_or(topic).to_owned();
    let rendered = owner
        .with(|| {
            provide_context(request.product.clone());
            provide_context(request.around.clone());
            ScopedFuture::new(async move {
                let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
                match parts.as_slice() {
                    ["servers", id] => match id.parse() {
                        Ok(id) => servers::overview_regions(&request, id).await,
                        Err(_) => Err(Fault::NotFound),
                    },
                    ["servers"] => servers::list_regions(&request).await,
                    ["operations"] => operations::list_regions(&request).await,
                    ["operations", id] => match id.parse() {
                        Ok(id) => operations::one_regions(&request, id).await,
                        Err(_) => Err(Fault::NotFound),
                    },
                    ["staff", "jobs"] => staff::jobs_regions(&request).await,
                    ["staff", "jobs", id] => match id.parse() {
                        Ok(id) => staff::job_regions(&request, id).await,
                        Err(_) => Err(Fault::NotFound),
                    },
                    _ => Err(Fault::NotFound),
                }
            })
        })
        .await;
    owner.cleanup();
    rendered.map_err(|fault| match fault {
        Fault::Ours(why) => {
            tracing::error!("a live page could not be read: {why}");
            End::Fault
        }
        _ => End::NoAccess,
    })
}
