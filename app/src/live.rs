//! The regions of live pages: what a stream sends when something has changed.
//!
//! The same functions render a region for the page and for its patches, so the two cannot differ. How the stream is
//! opened, guarded and resumed is the edge's work.

use domain::{CustomerId, JobId};
use leptos::prelude::{Owner, RenderHtml, ScopedFuture, provide_context};
use provisioning::{History, Job};

use crate::{
    pages::{Fault, operations, servers, staff},
    request::{Around, Product, Request},
    routes,
    shell::open_count,
};

/// More are not told of at once.
const MOST: i64 = 3;

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
    /// Whose changes alone it shows, where that is not the reader's own.
    pub about: Option<CustomerId>,
}

/// Stands for a version where a page spans many: a page and a stream that show the same are known for it, and nothing is sent.
pub(crate) fn fingerprint(values: &[(String, String)]) -> i64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    values.hash(&mut hasher);
    // Never 0, which says nothing, and never negative.
    (hasher.finish() >> 1) as i64 | 1
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What it shows is not there, or not the viewer's any more.
    NoAccess,
    /// It was there, and is no more.
    Gone,
    /// It could not be read just now.
    Fault,
}

/// Renders the regions of a live page. `topic` is the stream's path without `/live`.
pub async fn regions(product: Product, around: Around, topic: &str) -> Result<Regions, End> {
    let product = Product { facade: product.facade.at_hand(), ..product };
    let request = Request { around, product };
    let owner = Owner::new();
    let path = topic.split('?').next().unwrap_or(topic).to_owned();
    let rendered = owner
        .with(|| {
            provide_context(request.product.clone());
            provide_context(request.around.clone());
            ScopedFuture::new(async move {
                let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
                let mut regions = match parts.as_slice() {
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
                    ["staff", "system"] => staff::system_regions(&request).await,
                    ["staff"] => staff::overview_regions(&request).await,
                    ["staff", "edges"] => staff::edges_regions(&request).await,
                    ["staff", "edges", id] => match id.parse() {
                        Ok(id) => staff::edge_regions(&request, id).await,
                        Err(_) => Err(Fault::NotFound),
                    },
                    ["staff", "jobs"] => staff::jobs_regions(&request).await,
                    ["staff", "jobs", id] => match id.parse() {
                        Ok(id) => staff::job_regions(&request, id).await,
                        Err(_) => Err(Fault::NotFound),
                    },
                    _ => Err(Fault::NotFound),
                }?;
                // On every page of a customer: how many operations are under way. Looked up after the version: before
                // it, it could be of an earlier state, and whoever comes again with this version would not be told.
                let customer = request.around.viewer.as_ref().and_then(provisioning::Viewer::customer);
                if let Some(customer) = customer {
                    let open = request.facade().operations_open_count(customer).await?;
                    regions.values.push(("open".to_owned(), open_count(open)));
                }
                Ok(regions)
            })
        })
        .await;
    owner.cleanup();
    rendered.map_err(|fault| match fault {
        Fault::Ours(why) => {
            tracing::error!("a live page could not be read: {why}");
            End::Fault
        }
        Fault::Gone { .. } => End::Gone,
        _ => End::NoAccess,
    })
}

/// An operation that has ended while another page was looked at.
pub struct Ending {
    pub job: JobId,
    /// A notice of it, rendered.
    pub html: String,
}

/// What of the viewer's own has ended since a moment, and is not what the page itself shows.
pub async fn endings(
    product: &Product,
    around: &Around,
    topic: &str,
    since: i64,
) -> Result<Vec<Ending>, End> {
    let customer = around.viewer.as_ref().and_then(provisioning::Viewer::customer);
    let path = topic.split('?').next().unwrap_or(topic);
    let Some(customer) = customer.filter(|_| path != routes::OPERATIONS) else { return Ok(Vec::new()) };
    let history = History { from: Some(since), ..History::default() };
    let jobs = product.facade.operations_done(customer, &history, MOST).await.map_err(|_| End::Fault)?;
    let shown = |job: &Job| {
        let own = |id: JobId| routes::operation(id) == path;
        own(job.id) || job.needs.is_some_and(own)
    };
    let ended = jobs.iter().filter(|job| !shown(job));
    Ok(ended.map(|job| Ending { job: job.id, html: operations::toast(around.lang, job).to_html() }).collect())
}
