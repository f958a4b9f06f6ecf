//! What can go wrong with the database, split by what the caller can do.

use jobs::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database could not be asked, or did not answer. The caller may try again later.
    #[error("the database could not be asked: {0}")]
    Database(#[from] sqlx::Error),
    /// Migrations could not be applied.
    #[error("the database could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row holds what no version of this program has written.
    #[error("a row cannot be read: {0}")]
    Corrupt(String),
    /// It was made by another version, or by none.
    #[error("the database is not of this version: run the program on it once, or use the one that made it")]
    OtherSchema,
    /// The claim under which this write was tried is not the newest.
    #[error("the claim on this job was taken over")]
    Fenced,
    /// The database was sealed by another key.
    #[error("the sealing key is not the one of this database: every node needs the same file `key`")]
    WrongKey,
    /// Jobs are under way under another conflict matrix.
    #[error(
        "other nodes work under another conflict matrix: give every node the same --matrix, or stop them all first"
    )]
    OtherMatrix,
    /// A sealed value does not open under this key.
    #[error("a sealed value does not open: was the key file replaced?")]
    Sealed,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Error> for StoreError {
    fn from(e: Error) -> Self {
        match e {
            Error::Fenced => Self::Fenced,
            other => Self::Unavailable(other.to_string()),
        }
    }
}
