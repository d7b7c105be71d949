//! The accept loop: an axum router over connections that can be closed early.
//!
//! axum's own server responds to every request. This loop uses hyper, where an error of the service
//! closes the connection without a response.

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

/// Time limit of a hanging request, for clients without a timeout.
const LONGEST_HANG: Duration = Duration::from_secs(600);

/// Time for the first half of a truncated response to reach the client.
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
        // The task ends only by cancellation; wait until it has ended.
        (&mut self.accepting).await.unwrap_or_default();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Accepts connections until cancelled, which also drops the connections.
async fn accept(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, router.clone()));
                }
                // Probably out of file descriptors, which become available again soon.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    // Affects only speed.
    stream.set_nodelay(true).unwrap_or_default();
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let answered: Result<Response, Infallible> =
                router.oneshot(request.map(Body::new)).await;
            let Ok(response) = answered;
            if response.extensions().get::<NoResponse>().is_some() {
                return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
            }
            Ok(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    // The client closed the connection, or a fault did.
    connection.await.unwrap_or_default();
}

/// Marks a response that is never sent: the connection is closed instead.
#[derive(Clone, Copy, Debug)]
struct NoResponse;

/// Closes the connection without a response.
pub(crate) fn no_response() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(NoResponse);
    response
}

/// Waits until the client closes the connection, which cancels the future.
pub(crate) async fn hang() -> Response {
    tokio::time::sleep(LONGEST_HANG).await;
    no_response()
}

/// The response with half of its body, but the whole Content-Length.
pub(crate) fn truncate(response: Response, body: &Bytes) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(CONTENT_LENGTH, body.len().into());
    let half = body.slice(..body.len() / 2);
    Response::from_parts(parts, Body::new(TruncatedBody { half: Some(half), wait: None }))
}

/// A body that ends with an error after its first half.
struct TruncatedBody {
    half: Option<Bytes>,
    wait: Option<Pin<Box<Sleep>>>,
}

impl hyper::body::Body for TruncatedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        // hyper flushes its buffer only while the body is pending.
        let wait = self.wait.get_or_insert_with(|| Box::pin(tokio::time::sleep(TIME_TO_FLUSH)));
        wait.as_mut().poll(context).map(|()| Some(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}
