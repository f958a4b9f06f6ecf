//! Connections: HTTP/1.1 by hyper, until a stream's head is written. Then the socket is taken back, and what the stream says
//! is written to it as it comes, to the end of the connection.
//!
//! hyper keeps for each connection what it reads into and what it writes from, 16 kB, and 8 more where it first has to find out
//! which HTTP is spoken: twice what a stream needs for everything else ([0027](../docs/decisions/0027-streams-leave-http.md)).
//! Behind a stream there is no further request on its connection, so nothing of that is needed any more.
//!
//! Not here: TLS and HTTP/2. Both end before this program.

use std::{
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, BodyDataStream, Bytes},
    http::{Method, Request, Response, Version},
};
use futures::StreamExt;
use hyper::{
    body::Incoming,
    rt::{Read, ReadBufCursor, Write},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tower::ServiceExt;

/// Marks an answer (in its extensions) that goes on until its reader leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endless;

/// The body of the stream that a connection is to go on with.
type HandedOver = Arc<Mutex<Option<BodyDataStream>>>;

/// After an accept that failed for want of something, say of open files.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// Serves until `stopped`; returns when whatever was under way then has been answered. Streams end at once.
pub async fn serve(listener: TcpListener, app: Router, stopped: impl Future<Output = ()>) {
    // Made whole once: else each connection would have a copy of every route.
    let app = app.with_state(());
    let (stop, stopping) = watch::channel(());
    let mut stopped = pin!(stopped);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => drop(tokio::spawn(connection(socket, app.clone(), stopping.clone()))),
                Err(e) if is_of_the_caller(&e) => {}
                Err(e) => {
                    tracing::error!("no connection can be taken: {e}");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            },
            () = &mut stopped => break,
        }
    }
    drop((listener, stopping));
    stop.send_replace(());
    stop.closed().await;
}

/// He went away before he was let in.
fn is_of_the_caller(e: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(e.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(socket: TcpStream, app: Router, mut stopping: watch::Receiver<()>) {
    // Events are short, and each is wanted at once.
    let _ = socket.set_nodelay(true);
    let handed_over = HandedOver::default();
    let wire = Wire { io: TokioIo::new(socket), handed_over: handed_over.clone() };
    let service = service_fn(|request: Request<Incoming>| {
        let (app, handed_over) = (app.clone(), handed_over.clone());
        async move {
            let gets = request.method() == Method::GET;
            let response = app.oneshot(request.map(Body::new)).await?;
            let is_stream = gets && response.extensions().get::<Endless>().is_some();
            Ok::<_, std::convert::Infallible>(match is_stream {
                true => head_of(response, &handed_over),
                false => response,
            })
        }
    });
    let mut http = http1::Builder::new().serve_connection(wire, service).with_upgrades();
    let ended = tokio::select! {
        ended = &mut http => ended,
        _ = stopping.changed() => {
            Pin::new(&mut http).graceful_shutdown();
            (&mut http).await
        }
    };
    if let Err(e) = ended {
        tracing::trace!("a connection ended: {e}");
        return;
    }
    let events = handed_over.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((events, parts)) = events.zip(http.into_parts()) {
        // A task of its own: this one has room for all that a connection needs.
        tokio::spawn(say(parts.io.io.into_inner(), events, stopping));
    }
}

/// Keeps what is to be said, and leaves its head to be written by hyper: in the way of HTTP/1.0, where what is said ends with the
/// connection and is not wrapped in anything.
fn head_of(response: Response<Body>, handed_over: &HandedOver) -> Response<Body> {
    let (mut head, events) = response.into_parts();
    head.version = Version::HTTP_10;
    *handed_over.lock().unwrap_or_else(PoisonError::into_inner) = Some(events.into_data_stream());
    // Of a length that is not said.
    let nothing = futures::stream::empty::<Result<Bytes, std::convert::Infallible>>();
    Response::from_parts(head, Body::from_stream(nothing))
}

/// Until there is nothing more to say, the reader leaves, or the program stops.
async fn say(mut socket: TcpStream, mut events: BodyDataStream, mut stopping: watch::Receiver<()>) {
    let mut ignored = [0; 64];
    loop {
        let next = tokio::select! {
            next = events.next() => next,
            // Nothing is asked behind a stream.
            read = socket.read(&mut ignored) => match read {
                Ok(1..) => continue,
                Ok(0) | Err(_) => break,
            },
            _ = stopping.changed() => break,
        };
        let Some(Ok(event)) = next else { break };
        let written = tokio::select! {
            written = socket.write_all(&event) => written,
            _ = stopping.changed() => break,
        };
        if written.is_err() {
            break;
        }
    }
    let _ = socket.shutdown().await;
}

/// A socket that is not shut when hyper has done with it, if a stream goes on over it.
struct Wire {
    io: TokioIo<TcpStream>,
    handed_over: HandedOver,
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.handed_over.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
}
