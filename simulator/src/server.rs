//! The accept loop: an axum router over connections that can be cut.
//!
//! axum's own server answers every request. A fault may want none, so this loop sits on hyper, where
//! an error from the service closes the connection without a byte.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Sleep;
use tower::ServiceExt;

/// Longest time a call may hang, so that a client without a timeout cannot keep it for ever.
const LONGEST_HANG: Duration = Duration::from_secs(600);

/// Time given to the first half of a truncated answer to reach the client.
const TIME_TO_FLUSH: Duration = Duration::from_millis(30);

/// One server on 127.0.0.1.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(port: u16, router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, router));
        Ok(Self { address, accepting })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) async fn stop(mut self) {
        self.accepting.abort();
        // It can only end by being cancelled; what matters is that it has ended.
        (&mut self.accepting).await.unwrap_or_default();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Takes connections until it is cancelled, which drops the connections with it.
async fn accept(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, router.clone()));
                }
                // Out of descriptors, most likely: some will be free again soon.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    // Only speed depends on it.
    stream.set_nodelay(true).unwrap_or_default();
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let answered: Result<Response, Infallible> =
                router.oneshot(request.map(Body::new)).await;
            let Ok(response) = answered;
            if response.extensions().get::<NoAnswer>().is_some() {
                return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
            }
            Ok(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    // An error here is the client's hanging up or a fault that was asked for.
    connection.await.unwrap_or_default();
}

/// Marks a response that must never be sent: the connection closes instead.
#[derive(Clone, Copy, Debug)]
struct NoAnswer;

/// Closes the connection without a byte of an answer.
pub(crate) fn no_answer() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(NoAnswer);
    response
}

/// Answers nothing until the client hangs up, which cancels the caller.
pub(crate) async fn hang() -> Response {
    tokio::time::sleep(LONGEST_HANG).await;
    no_answer()
}

/// The same response, cut in the middle of its body although all of it was promised.
pub(crate) fn truncate(response: Response, body: &Bytes) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(CONTENT_LENGTH, body.len().into());
    let half = body.slice(..body.len() / 2);
    Response::from_parts(parts, Body::new(CutBody { half: Some(half), wait: None }))
}

/// A body that ends with an error after its first half.
struct CutBody {
    half: Option<Bytes>,
    wait: Option<Pin<Box<Sleep>>>,
}

impl hyper::body::Body for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        // hyper writes out what it holds only while the body has nothing to add.
        let wait = self.wait.get_or_insert_with(|| Box::pin(tokio::time::sleep(TIME_TO_FLUSH)));
        wait.as_mut().poll(context).map(|()| Some(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}
