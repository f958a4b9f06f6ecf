//! What is wrong with one field of a form: a code and parameters, never a sentence.

use serde::{Deserialize, Serialize};

use crate::kind::closed_list;

closed_list! {
    /// The fields of the order wizard and of the sign-in form, by their form names.
    Field {
        Login = "login",
        Password = "password",
        Template = "template",
        Panel = "panel",
        Why = "why",
        Note = "note",
        Minutes = "minutes",
        Id = "id",
        Title = "title",
        PlatformName = "platform-name",
        SupportedUntil = "supported-until",
        MinVcpu = "min-vcpu",
        MinRam = "min-ram",
        MinDisk = "min-disk",
        Licence = "licence",
        Licences = "licences",
        UsualMinutes = "usual-minutes",
        OfferedFrom = "offered-from",
        OfferedUntil = "offered-until",
        PriceVcpu = "price-vcpu",
        PriceRam = "price-ram",
        PriceDisk = "price-disk",
        PriceSpeed = "price-speed",
        ValidFrom = "valid-from",
        Catalogue = "catalogue",
        Vcpu = "vcpu",
        Ram = "ram",
        Disk = "disk",
        Bandwidth = "bandwidth",
        Name = "name",
        Hostname = "hostname",
        Quantity = "quantity",
        Method = "method",
        GuestLogin = "guest_login",
        GuestPassword = "guest_password",
        SshKeys = "ssh_keys",
        Terms = "terms",
        Price = "price",
        ConfirmName = "confirm_name",
        /// All four parameters together.
        Size = "size",
        Dns = "dns",
        AccountName = "account_name",
        CurrentPassword = "current_password",
        NewPassword = "new_password",
        KeyName = "key_name",
    }
}

closed_list! {
    /// Every refusal a field can get. The text of each is `field-{code}` in the message files.
    Code {
        TemplateMissing = "template-missing",
        TemplateGone = "template-gone",
        /// It does not fit the server that it was chosen for.
        TemplateUnfit = "template-unfit",
        /// The panel is not offered, or not any more.
        PanelGone = "panel-gone",
        /// Its system is marked New.
        PanelNew = "panel-new",
        /// It runs on other systems.
        PanelSystem = "panel-system",
        /// It runs on no Windows.
        PanelLinux = "panel-linux",
        /// No licence of it is left.
        PanelSoldOut = "panel-sold-out",
        /// Fewer are left than are wanted.
        PanelFew = "panel-few",
        /// A reason that says nothing.
        WhyShort = "why-short",
        NoteEmpty = "note-empty",
        NoteLong = "note-long",
        MinutesRange = "minutes-range",
        TextRange = "text-range",
        WholeRange = "whole-range",
        MoneyFormat = "money-format",
        DayFormat = "day-format",
        DayPast = "day-past",
        DaysOrder = "days-order",
        IdFormat = "id-format",
        IdTaken = "id-taken",
        LimitsOrder = "limits-order",
        /// It would make the catalogue unusable.
        CatalogueBroken = "catalogue-broken",
        NumberFormat = "number-format",
        NumberRange = "number-range",
        NumberStep = "number-step",
        /// The system needs more.
        NumberTemplate = "number-template",
        /// The panel needs more.
        NumberPanel = "number-panel",
        /// Not offered at all.
        NumberTariff = "number-tariff",
        BandwidthChoice = "bandwidth-choice",
        NameMissing = "name-missing",
        NameLong = "name-long",
        NameAlphabet = "name-alphabet",
        HostnameMissing = "hostname-missing",
        HostnameLong = "hostname-long",
        HostnameAlphabet = "hostname-alphabet",
        HostnameHyphen = "hostname-hyphen",
        HostnameLabelEmpty = "hostname-label-empty",
        HostnameLabelLong = "hostname-label-long",
        HostnameDigits = "hostname-digits",
        HostnameReserved = "hostname-reserved",
        HostnameWindowsLong = "hostname-windows-long",
        HostnameWindowsLabel = "hostname-windows-label",
        /// The panel needs a full name.
        HostnameDomain = "hostname-domain",
        MethodMissing = "method-missing",
        MethodWindows = "method-windows",
        LoginFormat = "login-format",
        LoginReserved = "login-reserved",
        LoginHostname = "login-hostname",
        PasswordMissing = "password-missing",
        PasswordShort = "password-short",
        PasswordLong = "password-long",
        PasswordAlphabet = "password-alphabet",
        PasswordCyrillic = "password-cyrillic",
        PasswordLogin = "password-login",
        PasswordHostname = "password-hostname",
        PasswordWeak = "password-weak",
        /// Of several servers each has a password of its own.
        PasswordSeveral = "password-several",
        PasswordClasses = "password-classes",
        PasswordWrong = "password-wrong",
        /// It is the one that there is.
        PasswordSame = "password-same",
        KeyMissing = "key-missing",
        /// It is kept already, or there are too many.
        KeyThere = "key-there",
        KeyMany = "key-many",
        KeysLong = "keys-long",
        KeyPrivate = "key-private",
        KeyWeak = "key-weak",
        KeyCut = "key-cut",
        KeyType = "key-type",
        KeyOptions = "key-options",
        TermsMissing = "terms-missing",
        PriceStale = "price-stale",
        /// The draft is not any more what the page showed.
        OrderChanged = "order-changed",
        CredentialsMissing = "credentials-missing",
        CredentialsWrong = "credentials-wrong",
        CredentialsLocked = "credentials-locked",
        CredentialsBusy = "credentials-busy",
        ConfirmNameWrong = "confirm-name-wrong",
        DiskShrinks = "disk-shrinks",
        DiskSnapshot = "disk-snapshot",
        NothingChanged = "nothing-changed",
        DnsMissing = "dns-missing",
    }
}

/// One refusal. `params` are the values its text names, in a fixed order of names per code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub field: Field,
    pub code: Code,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<(String, String)>,
}

impl FieldError {
    pub fn new(field: Field, code: Code) -> Self {
        Self { field, code, params: Vec::new() }
    }

    /// Adds a parameter of the text.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.params.push((name.to_owned(), value.to_string()));
        self
    }

    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}
