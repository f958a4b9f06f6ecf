//! What a server may be installed with anew: another system, another way to sign in. Its size, names, address, panel and price
//! stay.

use serde::{Deserialize, Serialize};

use crate::{
    access::Method,
    catalogue::{Catalogue, Family, Template},
    hostname::check_hostname,
    kind::closed_list,
    panel::{Misfit, Panel},
    price::quote,
    size::{Size, check_size_of},
};

/// The system and the way to sign in that a server is to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    pub template_id: String,
    pub template_name: String,
    pub family: Family,
    pub method: Method,
    pub guest_login: String,
    /// The password is the customer's own.
    pub own_password: bool,
    /// `authorized_keys` lines.
    pub ssh_keys: Vec<String>,
}

closed_list! {
    /// Why a system cannot be installed on a server as it is. The text of each is `reinstall-not-{reason}`.
    Unfit {
        /// It needs more than the server has.
        Size = "size",
        /// The server would cost something else with it.
        Price = "price",
        /// The server's control panel does not run on it.
        Panel = "panel",
        /// It does not take the server's host name.
        HostName = "host-name",
    }
}

/// What of a server stays as it is.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// The template that it was made from.
    pub template: &'a str,
    pub panel: Option<&'a Panel>,
    pub size: Size,
    pub hostname: &'a str,
    pub price_minor: i64,
}

/// Whether this system can be installed on such a server, on this day.
pub fn fits(catalogue: &Catalogue, template: &Template, kept: Kept<'_>, today: &str) -> Result<(), Unfit> {
    let Kept { template: now, panel, size, hostname, price_minor } = kept;
    // A panel that is there may stay after its last day of sale.
    if panel.is_some_and(
        |p| matches!(p.fits(catalogue, template, today), Err(misfit) if misfit != Misfit::NotOffered),
    ) {
        return Err(Unfit::Panel);
    }
    let typed = [size.vcpu, size.ram_gb, size.disk_gb, size.bandwidth_mbit].map(|n| n.to_string());
    if check_size_of(typed.each_ref().map(String::as_str), catalogue, template, panel).is_err() {
        return Err(Unfit::Size);
    }
    // Prices may have changed since it was ordered: what counts is what the system itself adds to them.
    let same_price = match catalogue.template(now) {
        Some(now) => now.licence_minor == template.licence_minor,
        None => quote(&catalogue.prices, template, panel, size).total_minor == price_minor,
    };
    if !same_price {
        return Err(Unfit::Price);
    }
    check_hostname(hostname, template.family).map(drop).map_err(|_| Unfit::HostName)
}
