//! What a guest is told at its next customization (XML family).

use std::collections::BTreeMap;

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    client::{Client, Family},
    error::{Error, Result},
    ids::{TaskId, VmId},
    xml::{self, Find, Writer},
};

/// How a guest's customization stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomizationStatus {
    /// Not begun, or under way: `GC_PENDING`, `REBOOT_PENDING`, `POST_GC_PENDING` **\[src\]**. Stays so for ever in a
    /// guest without tools **\[inf\]**.
    Pending,
    /// `GC_COMPLETE`
    Complete,
    /// `GC_FAILED`
    Failed,
}

/// The customization section: always read and written whole. It takes effect at a machine's first start, or when a
/// customization is forced; a plain restart does not read it **\[src\]**.
#[derive(Clone, Debug, Default)]
pub struct GuestCustomization {
    /// The guest is customized at all.
    pub enabled: bool,
    /// A new security id, for Windows.
    pub change_sid: bool,
    /// 63 letters, digits and hyphens, not digits alone; 15 for Windows **\[src\]**.
    pub computer_name: String,
    /// The administrator's password; `None` leaves the guest's alone. The service hands it out in clear to whoever may
    /// read the section **\[src\]**: write the section again without it once it has been used.
    pub admin_password: Option<SecretString>,
    /// The service makes a password up. Refused together with one **\[iss\]**.
    pub admin_password_auto: bool,
    /// The administrator has to choose another password at the first login. Some platforms refuse a change of size
    /// without it.
    pub reset_password_required: bool,
    /// Run inside, before and after the rest. At most about 49,000 characters **\[inf\]**.
    pub script: Option<SecretString>,
    /// What else the section held when it was read: domain and automatic sign-in. Written back as it was.
    pub other: OtherSettings,
}

/// Settings of a customization that this client does not set and must not lose. Opaque; empty unless read.
#[derive(Clone, Default)]
pub struct OtherSettings(BTreeMap<&'static str, SecretString>);

impl std::fmt::Debug for OtherSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Their names; one of the values is a password.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl OtherSettings {
    fn read(root: roxmltree::Node<'_, '_>) -> Self {
        let one = |name: &&'static str| Some((*name, SecretString::from(root.text_of(name)?.to_owned())));
        Self(OTHER.iter().filter_map(one).collect())
    }

    /// Writes one of them in its place; `default` where it was not read.
    fn write(&self, w: &mut Writer, name: &str, default: Option<&str>) {
        if let Some(value) = self.0.get(name).map(|v| v.expose_secret()).or(default) {
            w.leaf(name, value);
        }
    }
}

const OTHER: &[&str] = &[
    "JoinDomainEnabled",
    "UseOrgSettings",
    "DomainName",
    "DomainUserName",
    "DomainUserPassword",
    "MachineObjectOU",
    "AdminAutoLogonEnabled",
    "AdminAutoLogonCount",
];

const SECTION: &str = "application/vnd.vmware.vcloud.guestCustomizationSection+xml";

impl Client {
    /// Reads the customization section.
    pub async fn vm_customization(&self, id: VmId) -> Result<GuestCustomization> {
        let path = format!("/api/vApp/vm-{}/guestCustomizationSection/", id.uuid());
        let answer = self.get(Family::Xml, &path).await?;
        Ok(read_customization(xml::parse(&answer.body)?.root_element()))
    }

    /// Writes the customization section. Element order is the schema's **\[doc\]**.
    pub async fn vm_customize(&self, id: VmId, c: &GuestCustomization) -> Result<TaskId> {
        let content = Writer::root("GuestCustomizationSection", &[], |w| {
            w.leaf("ovf:Info", "");
            w.leaf("Enabled", c.enabled);
            w.leaf("ChangeSid", c.change_sid);
            c.other.write(w, "JoinDomainEnabled", Some("false"));
            c.other.write(w, "UseOrgSettings", Some("false"));
            for name in ["DomainName", "DomainUserName", "DomainUserPassword", "MachineObjectOU"] {
                c.other.write(w, name, None);
            }
            w.leaf("AdminPasswordEnabled", c.admin_password.is_some() || c.admin_password_auto);
            w.leaf("AdminPasswordAuto", c.admin_password_auto);
            if let Some(password) = &c.admin_password {
                w.leaf("AdminPassword", password.expose_secret());
            }
            c.other.write(w, "AdminAutoLogonEnabled", Some("false"));
            c.other.write(w, "AdminAutoLogonCount", Some("0"));
            w.leaf("ResetPasswordRequired", c.reset_password_required);
            if let Some(script) = &c.script {
                w.leaf("CustomizationScript", script.expose_secret());
            }
            w.leaf("ComputerName", &c.computer_name);
        });
        let path = format!("/api/vApp/vm-{}/guestCustomizationSection/", id.uuid());
        self.change(Method::PUT, &path, SECTION, content).await
    }

    /// How the latest customization stands.
    pub async fn vm_customization_status(&self, id: VmId) -> Result<CustomizationStatus> {
        let path = format!("/api/vApp/vm-{}/guestcustomizationstatus", id.uuid());
        let answer = self.get(Family::Xml, &path).await?;
        let doc = xml::parse(&answer.body)?;
        match doc.root_element().text_of("GuestCustStatus") {
            Some("GC_COMPLETE") => Ok(CustomizationStatus::Complete),
            Some("GC_FAILED") => Ok(CustomizationStatus::Failed),
            Some("GC_PENDING" | "REBOOT_PENDING" | "POST_GC_PENDING") => Ok(CustomizationStatus::Pending),
            other => Err(Error::protocol(format!("GuestCustStatus is {other:?}"))),
        }
    }

    /// The next start customizes, whatever kind of start it is. Done at once, without a task **\[src\]**.
    pub async fn vm_customize_at_next_power_on(&self, id: VmId) -> Result<()> {
        let path = format!("/api/vApp/vm-{}/action/customizeAtNextPowerOn", id.uuid());
        self.send(Method::POST, Family::Xml, &path, None).await.map(drop)
    }
}

pub(crate) fn read_customization(root: roxmltree::Node<'_, '_>) -> GuestCustomization {
    let flag = |name| root.text_of(name).is_some_and(|t| t.trim() == "true");
    let secret =
        |name| root.text_of(name).filter(|t| !t.is_empty()).map(|t| SecretString::from(t.to_owned()));
    GuestCustomization {
        enabled: flag("Enabled"),
        change_sid: flag("ChangeSid"),
        computer_name: root.text_of("ComputerName").unwrap_or_default().to_owned(),
        admin_password: secret("AdminPassword"),
        admin_password_auto: flag("AdminPasswordAuto"),
        reset_password_required: flag("ResetPasswordRequired"),
        script: secret("CustomizationScript"),
        other: OtherSettings::read(root),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_shows_no_secret() {
        let section = GuestCustomization {
            admin_password: Some("hunter2-secret".to_owned().into()),
            script: Some("echo hunter2-secret".to_owned().into()),
            other: OtherSettings([("DomainUserPassword", "hunter2-secret".to_owned().into())].into()),
            ..GuestCustomization::default()
        };
        assert!(!format!("{section:?}").contains("hunter2"), "{section:?}");
    }

    #[test]
    fn what_is_not_set_here_is_read_and_kept() {
        let text = "<s xmlns=\"http://www.vmware.com/vcloud/v1.5\"><Enabled>true</Enabled><JoinDomainEnabled>true\
                    </JoinDomainEnabled><DomainName>corp</DomainName><AdminAutoLogonCount>3</AdminAutoLogonCount></s>";
        let read = read_customization(xml::parse(text).unwrap().root_element());
        let written = Writer::root("s", &[], |w| {
            for name in OTHER {
                read.other.write(w, name, None);
            }
        });
        for kept in [">true</JoinDomainEnabled>", ">corp</DomainName>", ">3</AdminAutoLogonCount>"] {
            assert!(written.contains(kept), "{written}");
        }
        assert!(!written.contains("UseOrgSettings"), "{written}");
    }
}
