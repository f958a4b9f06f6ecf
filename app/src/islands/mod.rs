//! What runs in the browser. An island is never needed to see a state or to make a change: it attaches itself to what
//! the server has rendered, and where it does not run nothing is missing.

mod copy;
mod hints;
mod live;
mod quote;

pub use copy::CopyButtons;
pub use hints::{HintText, TextHints};
pub use live::{Live, LiveTexts};
pub use quote::LiveQuote;
