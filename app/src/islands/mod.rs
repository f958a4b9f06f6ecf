//! What runs in the browser. An island is never needed to see a state or to make a change: it attaches itself to what
//! the server has rendered, and where it does not run nothing is missing.

mod bulk;
mod console;
mod copy;
mod dialog;
#[cfg(feature = "hydrate")]
mod dom;
mod hints;
mod keys;
mod live;
mod menu;
mod name;
mod password;
mod shortcuts;
mod sizes;
mod zone;

pub use bulk::BulkSelect;
pub use console::{Console, ConsoleTexts};
pub use copy::CopyButtons;
pub use dialog::Confirm;
pub use hints::{HintText, TextHints};
pub use keys::SshKeys;
pub use live::{Live, LiveTexts};
pub use menu::MenuKeys;
pub use name::TypeName;
pub use password::{PasswordField, PasswordTexts};
pub use shortcuts::Shortcuts;
pub use sizes::SizeRows;
pub use zone::TimeZoneOffer;
