//! Typed ids. Each reads a URN, an href, or a bare UUID, and refuses those of another kind.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// A reference that is not of the kind it was read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseIdError {
    /// The kind that was expected.
    pub expected: &'static str,
    /// What was there instead.
    pub found: String,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no reference to a {}", self.found, self.expected)
    }
}

impl std::error::Error for ParseIdError {}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident: $urn:literal, [$($path:literal),+];)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The bare UUID.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        /// The URN, as JSON bodies carry it.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $urn, self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let error = || ParseIdError { expected: stringify!($name), found: text.to_owned() };
                let trimmed = text.trim_end_matches('/');
                let start = trimmed.len().checked_sub(36).ok_or_else(error)?;
                let (before, uuid) = trimmed.split_at_checked(start).ok_or_else(error)?;
                let known = before.is_empty() || before == $urn $(|| before.ends_with($path))+;
                if !known {
                    return Err(error());
                }
                Uuid::parse_str(uuid).map(Self).map_err(|_| error())
            }
        }
    )*};
}

id! {
    /// An organisation.
    OrgId: "urn:vcloud:org:", ["/org/"];
    /// An organisation VDC.
    VdcId: "urn:vcloud:vdc:", ["/vdc/"];
    /// A catalogue.
    CatalogId: "urn:vcloud:catalog:", ["/catalog/"];
    /// A vApp template.
    TemplateId: "urn:vcloud:vapptemplate:", ["/vAppTemplate/vappTemplate-"];
    /// A vApp.
    VappId: "urn:vcloud:vapp:", ["/vApp/vapp-"];
    /// A virtual machine in a vApp. May change when the machine is moved to another vApp **\[inf\]**.
    VmId: "urn:vcloud:vm:", ["/vApp/vm-"];
    /// The machine inside a vApp template that new machines are copied from.
    TemplateVmId: "urn:vcloud:vm:", ["/vAppTemplate/vm-"];
    /// An org VDC network, or a vApp network: they share one URL space **\[src\]**.
    NetworkId: "urn:vcloud:network:", ["/network/"];
    /// An edge gateway.
    EdgeId: "urn:vcloud:gateway:", ["/edgeGateway/"];
    /// A storage profile of a VDC.
    StorageProfileId: "urn:vcloud:vdcstorageProfile:", ["/vdcStorageProfile/"];
    /// A task.
    TaskId: "urn:vcloud:task:", ["/task/"];
    /// A network manager (NSX-T), the provider's.
    ManagerId: "urn:vcloud:nsxtmanager:", ["/nsxTManagers/"];
    /// A QoS profile of the network manager: a bare UUID, never a URN **\[doc\]**.
    QosProfileId: "", ["/gatewayQoSProfiles/"];
}

#[cfg(test)]
mod tests {
    use super::*;

    const U: &str = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";

    #[test]
    fn every_form_of_a_reference_is_read() {
        let id: VmId = U.parse().unwrap();
        for text in [
            format!("urn:vcloud:vm:{U}"),
            format!("https://h/api/vApp/vm-{U}"),
            format!("https://h/api/vApp/vm-{U}/"),
        ] {
            assert_eq!(text.parse::<VmId>(), Ok(id), "{text}");
        }
        assert_eq!(id.to_string(), format!("urn:vcloud:vm:{U}"));
    }

    #[test]
    fn another_kind_is_refused() {
        for text in [
            format!("urn:vcloud:vapp:{U}"),
            format!("https://h/api/vApp/vapp-{U}"),
            "vm-1".into(),
            String::new(),
        ] {
            assert!(text.parse::<VmId>().is_err(), "{text}");
        }
    }
}
