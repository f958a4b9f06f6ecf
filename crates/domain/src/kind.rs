//! What a job does: the closed list of operation kinds.

use serde::{Deserialize, Serialize};

/// Declares a closed list whose members have one stable text form, used in the database, in addresses and as the
/// last part of message ids.
macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant),*
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::kind::UnknownWord;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                match s {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(crate::kind::UnknownWord { list: stringify!($name), word: s.to_owned() }),
                }
            }
        }
    };
}
pub(crate) use closed_list;

/// A word that is not in a closed list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    pub list: &'static str,
    pub word: String,
}

impl std::fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} is no {}", self.word, self.list)
    }
}

impl std::error::Error for UnknownWord {}

closed_list! {
    /// The kind of a job. Which kinds may run at once is data of the synchronizer, not of this list.
    Kind {
        Activate = "activate",
        Terminate = "terminate",
        Migrate = "migrate",
        ChangeEdge = "change_edge",
        Power = "power",
        Resize = "resize",
        ChangeBandwidth = "change_bandwidth",
        ChangeIp = "change_ip",
        Reinstall = "reinstall",
        InstallPanel = "install_panel",
        ResetPassword = "reset_password",
        Snapshot = "snapshot",
        Repair = "repair",
        Refresh = "refresh",
    }
}

/// How widely two kinds conflict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    #[default]
    None,
    SameServer,
    SameCustomer,
}
