//! Work that goes on by itself where whoever waited for it has gone.
//!
//! On PostgreSQL sqlx does not take back a BEGIN whose future is dropped between the sending and the answer: the connection
//! goes back to its pool inside a transaction that nobody ends. What the next one writes there alone is never committed, and
//! whoever wants the same rows waits for ever. (On SQLite it does take it back.)

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::runtime::Handle;

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What comes of the work is dropped where nobody waits for it: a transaction is taken back.
pub(crate) struct ToItsEnd<T: Send + 'static>(Option<Work<T>>);

impl<T: Send + 'static> ToItsEnd<T> {
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let done = ready!(work.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(done)
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        // Where the runtime is gone its connections are.
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move { drop(work.await) });
        }
    }
}
