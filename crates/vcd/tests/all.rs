//! The tests of the client in one program.

mod answers;
mod canned;
mod documents;
mod hostile;
mod mutations;
mod secrets;
mod waits;
